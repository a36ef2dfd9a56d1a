/**
 * Many SHA-256 messages over four lanes. Only the SIMD build contains it.
 *
 * Runs of four messages with equal numbers of blocks go in lockstep. As soon as four differ, each
 * lane takes the next message when it is done with its own, so that no lane waits for a longer one.
 */
import { compressBlock, compressPrefixed, writeDigest } from './compress';
import {
  compressLanes,
  loadLanes,
  prefixLane,
  prefixLanes,
  resetLanes,
  writeLanes,
} from './compress-lanes';
import {
  BLOCK_BYTES,
  DIGEST_BYTES,
  IDLE_BLOCK,
  INITIAL_STATE,
  LANE_STATE,
  LANE_TAILS,
  LANES,
  STATE,
} from './layout';
import { tailBlockCount, writePadding } from './padding';

/** One lane record is 64 bytes: where its message stands. */
const RECORD_BYTES: usize = 64;
/** Next whole block. */
const SOURCE: usize = 0;
/** Whole blocks left. */
const WHOLE: usize = 4;
/** Next padded block. */
const TAIL: usize = 8;
/** Blocks left, whole and padded. */
const LEFT: usize = 12;
/** Where the digest goes. */
const TARGET: usize = 16;
/** 1 before the first block. */
const FRESH: usize = 20;

const LANE_0: usize = LANES;
const LANE_1: usize = LANES + RECORD_BYTES;
const LANE_2: usize = LANES + 2 * RECORD_BYTES;
const LANE_3: usize = LANES + 3 * RECORD_BYTES;

/** The messages that no lane has begun yet. */
let nextLength: usize = 0;
let nextSource: usize = 0;
let nextTarget: usize = 0;
let waiting: i32 = 0;
let prefixByte: i32 = 0;

/** Digests of `count` messages at `source`, each after `prefix` (-1: nothing), to `target`. */
export function hashManyInLanes(
  lengths: usize,
  count: i32,
  source: usize,
  target: usize,
  prefix: i32,
): void {
  nextLength = lengths;
  nextSource = source;
  nextTarget = target;
  waiting = count;
  prefixByte = prefix;
  while (waiting >= 4 && fourAreEqual()) hashFour();
  if (waiting > 0) hashMixed();
}

function fourAreEqual(): bool {
  const extra: u32 = prefixByte < 0 ? 8 : 9;
  const blocks = (load<u32>(nextLength) + extra) >> 6;
  return (
    (load<u32>(nextLength, 4) + extra) >> 6 == blocks &&
    (load<u32>(nextLength, 8) + extra) >> 6 == blocks &&
    (load<u32>(nextLength, 12) + extra) >> 6 == blocks
  );
}

/** Hashes four messages with equal numbers of blocks. */
function hashFour(): void {
  beginNext(0);
  beginNext(1);
  beginNext(2);
  beginNext(3);
  resetLanes();
  loadNext();
  if (prefixByte >= 0) prefixLanes(prefixByte as u32);
  compressLanes();
  while (load<u32>(LANE_0, LEFT) > 0) {
    loadNext();
    compressLanes();
  }
  writeLanes(
    load<usize>(LANE_0, TARGET),
    load<usize>(LANE_1, TARGET),
    load<usize>(LANE_2, TARGET),
    load<usize>(LANE_3, TARGET),
  );
}

/** Hashes all waiting messages, whatever their lengths. */
function hashMixed(): void {
  let busy = 0;
  for (let lane: usize = 0; lane < 4; lane++) {
    if (waiting > 0) {
      beginNext(lane);
      resetLane(lane);
      busy++;
    } else {
      rest(lane);
    }
  }
  while (busy > 1) {
    loadNext();
    if (prefixByte >= 0) prefixFresh();
    compressLanes();
    for (let lane: usize = 0; lane < 4; lane++) {
      if (!isDone(lane)) continue;
      takeState(lane);
      writeDigest(STATE, load<usize>(recordOf(lane), TARGET));
      if (waiting > 0) {
        beginNext(lane);
        resetLane(lane);
      } else {
        rest(lane);
        busy--;
      }
    }
  }
  for (let lane: usize = 0; lane < 4; lane++) finishAlone(lane);
}

/** The last message of all: one lane alone is slower than the scalar compression function. */
function finishAlone(lane: usize): void {
  const record = recordOf(lane);
  if (load<usize>(record, TARGET) == 0) return;
  takeState(lane);
  if (prefixByte >= 0 && load<u32>(record, FRESH) != 0) {
    compressPrefixed(STATE, takeBlock(record), prefixByte as u32);
  }
  while (load<u32>(record, LEFT) > 0) compressBlock(STATE, takeBlock(record));
  writeDigest(STATE, load<usize>(record, TARGET));
}

function recordOf(lane: usize): usize {
  return LANES + lane * RECORD_BYTES;
}

/** Has this lane a message, all of whose blocks are in? */
function isDone(lane: usize): bool {
  const record = recordOf(lane);
  return load<usize>(record, TARGET) != 0 && load<u32>(record, LEFT) == 0;
}

/** Gives the next waiting message to a lane. */
function beginNext(lane: usize): void {
  const length = load<u32>(nextLength) as usize;
  const extra: usize = prefixByte < 0 ? 0 : 1;
  const total = length + extra;
  const source = nextSource - extra;
  const whole = total / BLOCK_BYTES;
  const end = total % BLOCK_BYTES;
  const tail = LANE_TAILS + lane * 2 * BLOCK_BYTES;
  writePadding(tail, source + whole * BLOCK_BYTES, end, total as u64);
  const record = recordOf(lane);
  store<usize>(record, source, SOURCE);
  store<u32>(record, whole as u32, WHOLE);
  store<usize>(record, tail, TAIL);
  store<u32>(record, (whole as u32) + tailBlockCount(end), LEFT);
  store<usize>(record, nextTarget, TARGET);
  store<u32>(record, 1, FRESH);
  nextLength += 4;
  nextSource += length;
  nextTarget += DIGEST_BYTES;
  waiting--;
}

/** Leaves a lane without a message. */
function rest(lane: usize): void {
  const record = recordOf(lane);
  store<u32>(record, 0, LEFT);
  store<usize>(record, 0, TARGET);
  store<u32>(record, 0, FRESH);
}

/** The next block of a lane. */
function takeBlock(record: usize): usize {
  const left = load<u32>(record, LEFT);
  if (left == 0) return IDLE_BLOCK;
  store<u32>(record, left - 1, LEFT);
  const whole = load<u32>(record, WHOLE);
  if (whole > 0) {
    const block = load<usize>(record, SOURCE);
    store<u32>(record, whole - 1, WHOLE);
    store<usize>(record, block + BLOCK_BYTES, SOURCE);
    return block;
  }
  const block = load<usize>(record, TAIL);
  store<usize>(record, block + BLOCK_BYTES, TAIL);
  return block;
}

function loadNext(): void {
  loadLanes(takeBlock(LANE_0), takeBlock(LANE_1), takeBlock(LANE_2), takeBlock(LANE_3));
}

function prefixFresh(): void {
  for (let lane: usize = 0; lane < 4; lane++) {
    if (load<u32>(recordOf(lane), FRESH) == 0) continue;
    prefixLane(lane, prefixByte as u32);
    store<u32>(recordOf(lane), 0, FRESH);
  }
}

/** Sets one lane to H(0). */
function resetLane(lane: usize): void {
  for (let i: usize = 0; i < 128; i += 16) {
    store<u32>(LANE_STATE + i + 4 * lane, load<u32>(INITIAL_STATE + i));
  }
}

/** Copies the state of one lane to STATE. */
function takeState(lane: usize): void {
  for (let i: usize = 0; i < 8; i++) {
    store<u32>(STATE + 4 * i, load<u32>(LANE_STATE + 16 * i + 4 * lane));
  }
}
