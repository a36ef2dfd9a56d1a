/**
 * Padding of the end of a message.
 *
 * @source FIPS 180-4, 5.1.1.
 */
import { BLOCK_BYTES, KEEP_MASK, PAD_MASK } from './layout';

/** Blocks that the padded end takes: 2 where `rest` leaves no room for the length, else 1. */
export function tailBlockCount(rest: usize): u32 {
  return rest < 56 ? 1 : 2;
}

/**
 * Writes the last one or two blocks of a message to `target` (128 bytes).
 *
 * Reads 64 bytes from `source`, also past the end of the message; the masks drop those.
 *
 * @param source The first byte after the last whole block.
 * @param rest Bytes of the message there, 0 to 63.
 * @param length Bytes of the whole message.
 */
export function writePadding(target: usize, source: usize, rest: usize, length: u64): void {
  const keep = KEEP_MASK + BLOCK_BYTES - rest;
  const pad = PAD_MASK + BLOCK_BYTES - rest;
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < 64; i += 16) {
      const kept = v128.and(v128.load(source + i), v128.load(keep + i));
      v128.store(target + i, v128.or(kept, v128.load(pad + i)));
    }
  } else {
    for (let i: usize = 0; i < 64; i += 8) {
      store<u64>(target + i, (load<u64>(source + i) & load<u64>(keep + i)) | load<u64>(pad + i));
    }
  }
  if (tailBlockCount(rest) == 1) {
    store<u64>(target, bswap(length << 3), 56);
  } else {
    for (let i: usize = 64; i < 120; i += 8) store<u64>(target + i, 0);
    store<u64>(target, bswap(length << 3), 120);
  }
}
