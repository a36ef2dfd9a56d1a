/** CRC-32 (IEEE 802.3, reflected, as in zlib). */
export interface Checksum {
  /**
   * @param seed Result of the bytes before these; 0 at the start. @returns an unsigned 32-bit
   * number.
   */
  crc32(bytes: Uint8Array, seed?: number): number;
}
