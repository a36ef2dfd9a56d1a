import type { Checksum } from '../ports/checksum.ts';

/** Polynomial of IEEE 802.3, reflected. */
const POLYNOMIAL = 0xedb88320;

/** CRC-32 in plain TypeScript, bit by bit: what the WASM must equal. */
export class TwinChecksum implements Checksum {
  crc32(bytes: Uint8Array, seed = 0): number {
    let crc = ~seed;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    }
    return ~crc >>> 0;
  }
}
