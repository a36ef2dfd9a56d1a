/**
 * SHA-256: one message at once, one message in pieces, many messages over four lanes.
 *
 * @source FIPS 180-4.
 */

import { compressBlock, compressPrefixed, resetState, writeDigest } from './compress';
import { hashManyInLanes } from './lanes';
import {
  BLOCK_BYTES,
  CONTEXT,
  DIGEST_BYTES,
  INPUT,
  INPUT_BYTES_MAX,
  ITEM_COUNT_MAX,
  LENGTHS,
  OUTPUT,
  RESULT,
  STATE,
  TAIL,
} from './layout';
import { tailBlockCount, writePadding } from './padding';

/** No byte before the message. */
export const NO_PREFIX: i32 = -1;

const CONTEXT_LENGTH: usize = CONTEXT + 32;
const CONTEXT_BUFFER: usize = CONTEXT + 40;

/** Digest of the first `length` bytes of INPUT, to RESULT. */
export function hashMessage(length: i32): void {
  assert(<u32>length <= <u32>INPUT_BYTES_MAX, 'message longer than INPUT');
  hashOne(INPUT, length as usize, NO_PREFIX, RESULT);
}

/**
 * Digests of `count` messages that lie one after the other in INPUT, to OUTPUT.
 * Their lengths lie in LENGTHS and add up to `byteLength`.
 */
export function hashBatch(count: i32, byteLength: i32): void {
  assertLengths(count, byteLength);
  hashMany(LENGTHS, count, INPUT, OUTPUT, NO_PREFIX);
}

/** Begins a running hash in CONTEXT. */
export function streamBegin(): void {
  resetState(CONTEXT);
  store<u64>(CONTEXT_LENGTH, 0);
}

/** Takes the first `length` bytes of INPUT into the running hash. */
export function streamUpdate(length: i32): void {
  assert(<u32>length <= <u32>INPUT_BYTES_MAX, 'chunk longer than INPUT');
  const total = load<u64>(CONTEXT_LENGTH);
  const buffered = (total as usize) % BLOCK_BYTES;
  let rest = length as usize;
  let source = INPUT;
  store<u64>(CONTEXT_LENGTH, total + rest);
  if (buffered > 0) {
    const taken = min(BLOCK_BYTES - buffered, rest);
    memory.copy(CONTEXT_BUFFER + buffered, source, taken);
    if (buffered + taken < BLOCK_BYTES) return;
    compressBlock(CONTEXT, CONTEXT_BUFFER);
    source += taken;
    rest -= taken;
  }
  while (rest >= BLOCK_BYTES) {
    compressBlock(CONTEXT, source);
    source += BLOCK_BYTES;
    rest -= BLOCK_BYTES;
  }
  memory.copy(CONTEXT_BUFFER, source, rest);
}

/** Ends the running hash: its digest to RESULT. CONTEXT is used up. */
export function streamDigest(): void {
  const total = load<u64>(CONTEXT_LENGTH);
  const rest = (total as usize) % BLOCK_BYTES;
  writePadding(TAIL, CONTEXT_BUFFER, rest, total);
  compressTail(CONTEXT, rest);
  writeDigest(CONTEXT, RESULT);
}

/** Asserts that `count` lengths in LENGTHS add up to `byteLength` bytes, which fit in INPUT. */
export function assertLengths(count: i32, byteLength: i32): void {
  assert(<u32>count <= <u32>ITEM_COUNT_MAX, 'more messages than LENGTHS holds');
  assert(<u32>byteLength <= <u32>INPUT_BYTES_MAX, 'messages longer than INPUT');
  let sum: u64 = 0;
  for (let i = 0; i < count; i++) sum += load<u32>(LENGTHS + 4 * (i as usize));
  assert(sum == (byteLength as u64), 'lengths do not add up');
}

/** Digests of `count` messages at `source`, each with `prefix` before it, to `target`. */
export function hashMany(
  lengths: usize,
  count: i32,
  source: usize,
  target: usize,
  prefix: i32,
): void {
  if (ASC_FEATURE_SIMD && count > 1) {
    hashManyInLanes(lengths, count, source, target, prefix);
  } else {
    for (let i = 0; i < count; i++) {
      const length = load<u32>(lengths + 4 * (i as usize)) as usize;
      hashOne(source, length, prefix, target);
      source += length;
      target += DIGEST_BYTES;
    }
  }
}

/**
 * Digest of one message with the scalar compression function.
 * @param prefix The byte before the message, or NO_PREFIX.
 */
export function hashOne(source: usize, length: usize, prefix: i32, target: usize): void {
  const total = prefix < 0 ? length : length + 1;
  let block = prefix < 0 ? source : source - 1;
  resetState(STATE);
  const last = block + (total & ~(BLOCK_BYTES - 1));
  if (block < last && prefix >= 0) {
    compressPrefixed(STATE, block, prefix as u32);
    block += BLOCK_BYTES;
  }
  for (; block < last; block += BLOCK_BYTES) compressBlock(STATE, block);
  const rest = total & (BLOCK_BYTES - 1);
  writePadding(TAIL, last, rest, total as u64);
  if (prefix >= 0 && total < BLOCK_BYTES) store<u8>(TAIL, prefix as u8);
  compressTail(STATE, rest);
  writeDigest(STATE, target);
}

function compressTail(state: usize, rest: usize): void {
  compressBlock(state, TAIL);
  if (tailBlockCount(rest) > 1) compressBlock(state, TAIL + BLOCK_BYTES);
}
