/**
 * Consistent Overhead Byte Stuffing: any bytes become bytes without a zero, at most one longer for
 * every 254 begun, so that a zero can stand between frames.
 *
 * @source Cheshire and Baker, IEEE/ACM Transactions on Networking 7(2), 1999.
 */

/** A code byte stands before at most so many bytes that are not zero. */
const RUN_BYTES_MAX = 254;

/** How long `cobsEncode` makes so many bytes at most. */
export function cobsBytesMax(length: number): number {
  return length + Math.floor(length / RUN_BYTES_MAX) + 1;
}

/** Writes the stuffed form of `plain` into `out` from `offset` on. @returns the offset after it. */
export function cobsEncode(plain: Uint8Array, out: Uint8Array, offset: number): number {
  let codeAt = offset;
  let at = offset + 1;
  for (let index = 0; index < plain.length; index++) {
    const byte = plain[index]!;
    if (byte !== 0) out[at++] = byte;
    const run = at - codeAt;
    if (byte !== 0 && run <= RUN_BYTES_MAX) continue;
    out[codeAt] = run;
    // A full run stands for no zero, so at the end of all nothing follows it.
    if (byte !== 0 && index === plain.length - 1) return at;
    codeAt = at++;
  }
  out[codeAt] = at - codeAt;
  return at;
}

/**
 * @param stuffed Bytes between two zeros, none of them zero.
 * @returns what they stand for, a fresh copy, or null where nothing is stuffed like this.
 */
export function cobsDecode(stuffed: Uint8Array): Uint8Array | null {
  const plain = new Uint8Array(stuffed.length);
  let length = 0;
  let at = 0;
  while (at < stuffed.length) {
    const code = stuffed[at]!;
    const end = at + code;
    if (code === 0 || end > stuffed.length) return null;
    for (at += 1; at < end; at++) {
      const byte = stuffed[at]!;
      if (byte === 0) return null;
      plain[length++] = byte;
    }
    if (code <= RUN_BYTES_MAX && at < stuffed.length) plain[length++] = 0;
  }
  return stuffed.length === 0 ? null : plain.subarray(0, length);
}
