/**
 * The payload and Merkle root of a Block.
 *
 * Payload: `count u32 BE | length u32 BE * count | Entry bytes`. Merkle root: RFC 6962, 2.1, taken
 * level by level, an odd node rising unchanged, which gives the tree that the RFC describes from
 * the root down. Leaves are reduced in runs of LEAF_COUNT_MAX, each a full subtree, so that memory
 * stays fixed however many chunks a payload comes in.
 */
import {
  compressLanes,
  compressNodeTails,
  loadLanes,
  prefixLanes,
  resetLanes,
  writeLanes,
} from './compress-lanes';
import {
  DIGEST_BYTES,
  ENTRY_COUNT_MAX,
  INPUT,
  INPUT_BYTES_MAX,
  LEAF_COUNT_MAX,
  LEAVES,
  LENGTHS,
  RESULT,
  SUBTREES,
} from './layout';
import { assertLengths, hashMany, hashOne, NO_PREFIX } from './sha256';

const LEAF_PREFIX: i32 = 0;
const NODE_PREFIX: i32 = 1;
const NODE_BYTES: usize = 2 * DIGEST_BYTES;

/** Leaves taken so far, all chunks together. */
let leafCount: i32 = 0;
let pendingCount: i32 = 0;
let subtreeCount: i32 = 0;

/**
 * Takes the next chunk of a payload: `count` Entries in INPUT, their lengths in LENGTHS.
 *
 * Leaves the lengths in LENGTHS as the payload has them, big-endian. With the last of `total`
 * Entries the Merkle root is in RESULT.
 *
 * @param before Entries of this payload in earlier chunks; 0 begins a payload.
 * @param total Entries of the whole payload.
 */
export function pack(before: i32, count: i32, total: i32, byteLength: i32): void {
  assertLengths(count, byteLength);
  beginChunk(before, count, total);
  let source = INPUT;
  let lengths = LENGTHS;
  let left = count;
  while (left > 0) {
    const taken = min(left, LEAF_COUNT_MAX - pendingCount);
    hashMany(lengths, taken, source, pendingEnd(), LEAF_PREFIX);
    for (let i = 0; i < taken; i++) {
      const length = load<u32>(lengths);
      source += length as usize;
      store<u32>(lengths, bswap(length));
      lengths += 4;
    }
    addPending(taken);
    left -= taken;
  }
  if (leafCount == total) writeRoot();
}

/** Takes `count` leaf hashes in INPUT as the next leaves. Parameters as in `pack`. */
export function packLeaves(before: i32, count: i32, total: i32): void {
  assert(<u32>count <= <u32>(INPUT_BYTES_MAX / DIGEST_BYTES), 'leaf hashes longer than INPUT');
  beginChunk(before, count, total);
  let source = INPUT;
  let left = count;
  while (left > 0) {
    const taken = min(left, LEAF_COUNT_MAX - pendingCount);
    const bytes = (taken as usize) * DIGEST_BYTES;
    memory.copy(pendingEnd(), source, bytes);
    source += bytes;
    addPending(taken);
    left -= taken;
  }
  if (leafCount == total) writeRoot();
}

function beginChunk(before: i32, count: i32, total: i32): void {
  assert(<u32>total <= <u32>ENTRY_COUNT_MAX, 'more Entries than a payload may have');
  if (before == 0) {
    leafCount = 0;
    pendingCount = 0;
    subtreeCount = 0;
  }
  assert(before == leafCount, 'chunks out of order');
  assert(count >= 0 && count <= total - before, 'more Entries than announced');
}

function pendingEnd(): usize {
  return LEAVES + (pendingCount as usize) * DIGEST_BYTES;
}

/** Counts leaf hashes that now lie at the end of LEAVES; a full run becomes a subtree. */
function addPending(count: i32): void {
  leafCount += count;
  pendingCount += count;
  if (pendingCount == LEAF_COUNT_MAX) endSubtree();
}

function endSubtree(): void {
  reduce(LEAVES, pendingCount);
  memory.copy(SUBTREES + (subtreeCount as usize) * DIGEST_BYTES, LEAVES, DIGEST_BYTES);
  subtreeCount++;
  pendingCount = 0;
}

function writeRoot(): void {
  if (leafCount == 0) {
    hashOne(INPUT, 0, NO_PREFIX, RESULT);
    return;
  }
  if (pendingCount > 0) endSubtree();
  reduce(SUBTREES, subtreeCount);
  memory.copy(RESULT, SUBTREES, DIGEST_BYTES);
}

/** Reduces `count` digests at `nodes`, level by level in place, to the one at `nodes`. */
function reduce(nodes: usize, count: i32): void {
  while (count > 1) {
    const pairCount = count >> 1;
    hashPairs(nodes, pairCount);
    if (count & 1) {
      const odd = nodes + ((count - 1) as usize) * DIGEST_BYTES;
      memory.copy(nodes + (pairCount as usize) * DIGEST_BYTES, odd, DIGEST_BYTES);
    }
    count = pairCount + (count & 1);
  }
}

/** Writes the parents of `pairCount` pairs of digests at `nodes` to `nodes`. */
function hashPairs(nodes: usize, pairCount: i32): void {
  let pair = nodes;
  let parent = nodes;
  if (ASC_FEATURE_SIMD) {
    for (; pairCount >= 4; pairCount -= 4) {
      hashFourPairs(pair, parent);
      pair += 4 * NODE_BYTES;
      parent += 4 * DIGEST_BYTES;
    }
  }
  for (; pairCount > 0; pairCount--) {
    hashOne(pair, NODE_BYTES, NODE_PREFIX, parent);
    pair += NODE_BYTES;
    parent += DIGEST_BYTES;
  }
}

function hashFourPairs(pair: usize, parent: usize): void {
  const last0 = load<u8>(pair, 63);
  const last1 = load<u8>(pair, 127);
  const last2 = load<u8>(pair, 191);
  const last3 = load<u8>(pair, 255);
  resetLanes();
  loadLanes(pair - 1, pair + 63, pair + 127, pair + 191);
  prefixLanes(NODE_PREFIX as u32);
  compressLanes();
  compressNodeTails(last0, last1, last2, last3);
  writeLanes(parent, parent + 32, parent + 64, parent + 96);
}
