import { ENTRY_COUNT_MAX, ITEM_COUNT_MAX, NODE_COUNT_MAX } from './limits.ts';

const ID_BYTES = 32;

/** @throws RangeError unless `lengths` add up to `bytes.length`. */
export function checkLengths(bytes: Uint8Array, lengths: Uint32Array): void {
  let sum = 0;
  for (let index = 0; index < lengths.length; index++) sum += lengths[index]!;
  if (sum !== bytes.length) {
    throw new RangeError(`lengths add up to ${sum}, but there are ${bytes.length} bytes`);
  }
}

/** @throws RangeError if a payload cannot hold that many Entries. */
export function checkEntryCount(count: number): void {
  if (count > ENTRY_COUNT_MAX) {
    throw new RangeError(`${count} Entries, at most ${ENTRY_COUNT_MAX}`);
  }
}

/** @throws RangeError if the window is too long, or a predecessor is not -1 or below its node. */
export function checkWindow(predecessors: Int32Array): void {
  if (predecessors.length > NODE_COUNT_MAX) {
    throw new RangeError(`window of ${predecessors.length} nodes, at most ${NODE_COUNT_MAX}`);
  }
  for (let node = 0; node < predecessors.length; node++) {
    const before = predecessors[node]!;
    if (before < -1 || before >= node) {
      throw new RangeError(`predecessor ${before} of node ${node} is neither -1 nor below it`);
    }
  }
}

/** @throws RangeError unless `node` is an index of the window. */
export function checkNode(predecessors: Int32Array, node: number): void {
  if (!Number.isInteger(node) || node < 0 || node >= predecessors.length) {
    throw new RangeError(`node ${node} is outside a window of ${predecessors.length}`);
  }
}

/**
 * @returns how many ids of 32 bytes lie in `ids`.
 * @throws RangeError for part of an id, or too many.
 */
export function countIds(ids: Uint8Array): number {
  const count = ids.length / ID_BYTES;
  if (!Number.isInteger(count)) {
    throw new RangeError(`${ids.length} bytes are no whole number of ids`);
  }
  if (count > ITEM_COUNT_MAX) throw new RangeError(`${count} ids, at most ${ITEM_COUNT_MAX}`);
  return count;
}

/** @throws RangeError if the arrays do not fit each other or are too long. */
export function checkSequences(
  issuers: Uint32Array,
  sequences: Float64Array,
  highest: Float64Array,
): void {
  if (issuers.length !== sequences.length) {
    throw new RangeError(`${issuers.length} issuers for ${sequences.length} sequences`);
  }
  if (issuers.length > ITEM_COUNT_MAX || highest.length > ITEM_COUNT_MAX) {
    throw new RangeError(`more than ${ITEM_COUNT_MAX} Blocks or issuers`);
  }
  for (let index = 0; index < issuers.length; index++) {
    const issuer = issuers[index]!;
    if (issuer >= highest.length) {
      throw new RangeError(`issuer ${issuer} of Block ${index}, but there are ${highest.length}`);
    }
  }
}

/** @throws RangeError unless `max` is a whole number of parents, 0 or more. */
export function checkParentCount(max: number): void {
  if (!Number.isSafeInteger(max) || max < 0) throw new RangeError(`${max} parents`);
}
