/** SHA-256 as the rest of vertebra sees it. Every result is a fresh copy that the caller owns. */
export interface Hasher {
  /** Digest of one message. @returns 32 bytes. */
  hash(message: Uint8Array): Uint8Array;

  /**
   * Digests of many messages that lie one after the other in `bytes`.
   *
   * @param bytes All messages, without gaps.
   * @param lengths Byte length of each message; their sum is `bytes.length`.
   * @returns `32 * lengths.length` bytes, digest after digest.
   * @throws RangeError if the lengths do not add up.
   */
  hashBatch(bytes: Uint8Array, lengths: Uint32Array): Uint8Array;

  /** A hash that takes its message in pieces. */
  stream(): HashStream;
}

/** One running digest. `digest` may be called once; afterwards every call throws. */
export interface HashStream {
  update(chunk: Uint8Array): this;
  /** @returns 32 bytes. */
  digest(): Uint8Array;
}
