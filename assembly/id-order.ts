/**
 * The order of ids, big-endian numbers of 32 bytes in INPUT, highest first.
 *
 * A merge sort: ids come from peers, who could choose them so that a hash table degrades.
 */
import { DIGEST_BYTES, INPUT, INPUT_BYTES_MAX, ITEM_COUNT_MAX, OUTPUT } from './layout';

/** Two areas of indices (u32) in OUTPUT, each for ITEM_COUNT_MAX. */
const OTHER: usize = OUTPUT + 4 * (ITEM_COUNT_MAX as usize);
const ID_COUNT_MAX: u32 = (INPUT_BYTES_MAX / DIGEST_BYTES) as u32;

/**
 * Sorts the indices of `count` ids by falling id; equal ids keep their order.
 * @returns where the indices lie, in OUTPUT.
 */
export function sortDescending(count: i32): usize {
  assert(<u32>count <= ID_COUNT_MAX, 'ids longer than INPUT');
  let from = OUTPUT;
  let to = OTHER;
  for (let i = 0; i < count; i++) store<u32>(from + 4 * (i as usize), i);
  for (let width = 1; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      merge(from, to, start, min(start + width, count), min(start + 2 * width, count));
    }
    const swap = from;
    from = to;
    to = swap;
  }
  return from;
}

/** The index at place `place` of the sorted indices at `order`. */
export function idAt(order: usize, place: i32): i32 {
  return load<i32>(order + 4 * (place as usize));
}

/** Are the ids with these indices the same 32 bytes? */
export function isEqualId(a: i32, b: i32): bool {
  const x = pointerTo(a);
  const y = pointerTo(b);
  return (
    load<u64>(x) == load<u64>(y) &&
    load<u64>(x, 8) == load<u64>(y, 8) &&
    load<u64>(x, 16) == load<u64>(y, 16) &&
    load<u64>(x, 24) == load<u64>(y, 24)
  );
}

/** Merges the sorted runs `start..middle` and `middle..end`. */
function merge(from: usize, to: usize, start: i32, middle: i32, end: i32): void {
  let left = start;
  let right = middle;
  for (let place = start; place < end; place++) {
    const takeRight =
      left == middle || (right < end && isHigher(idAt(from, right), idAt(from, left)));
    const taken = takeRight ? idAt(from, right++) : idAt(from, left++);
    store<i32>(to + 4 * (place as usize), taken);
  }
}

/** Is the first id the higher one? */
function isHigher(a: i32, b: i32): bool {
  const x = pointerTo(a);
  const y = pointerTo(b);
  for (let i: usize = 0; i < DIGEST_BYTES; i += 8) {
    const left = load<u64>(x + i);
    const right = load<u64>(y + i);
    if (left != right) return bswap(left) > bswap(right);
  }
  return false;
}

function pointerTo(id: i32): usize {
  return INPUT + (id as usize) * DIGEST_BYTES;
}
