/**
 * Lays a drain of the Entry Buffer out as the payload of one Block, and reads the root of a
 * payload.
 *
 * Payload: `count u32 BE | length u32 BE * count | Entry bytes one after the other`. Merkle root:
 * RFC 6962 (leaf = SHA-256(0x00 || Entry), node = SHA-256(0x01 || left || right), an odd node rises
 * unchanged); no Entries: SHA-256 of nothing.
 */
export interface Packer {
  /**
   * @param bytes Encoded Entries, one after the other.
   * @param lengths Byte length of each; their sum is `bytes.length`.
   * @throws RangeError if the lengths do not add up.
   */
  pack(bytes: Uint8Array, lengths: Uint32Array): PackedEntries;

  /** Merkle root of Entries as they lie in `bytes`. Shapes as in `pack`. @returns 32 bytes. */
  merkleRoot(bytes: Uint8Array, lengths: Uint32Array): Uint8Array;
}

export interface PackedEntries {
  /** The payload as it is stored and sent. */
  readonly payload: Uint8Array;
  /** 32 bytes. */
  readonly merkleRoot: Uint8Array;
}
