/**
 * The compression function of SHA-256 for four messages at a time: lane `i` of every vector belongs
 * to message `i`. Only the SIMD build contains it.
 *
 * @source FIPS 180-4, 6.2.2.
 */
import {
  INITIAL_STATE,
  LANE_STATE,
  NODE_TAILS,
  ROUND_CONSTANTS,
  ROUND_WORDS,
  WORDS,
} from './layout';

/** Sets all four lanes to H(0). */
export function resetLanes(): void {
  for (let i: usize = 0; i < 128; i += 16) {
    v128.store(LANE_STATE + i, v128.load(INITIAL_STATE + i));
  }
}

/** Writes the digests of all four lanes, 32 bytes each. */
export function writeLanes(t0: usize, t1: usize, t2: usize, t3: usize): void {
  writeHalf(0, t0, t1, t2, t3);
  writeHalf(16, t0, t1, t2, t3);
}

/** Reads 64 bytes per lane as the first sixteen words of the message schedule. */
export function loadLanes(p0: usize, p1: usize, p2: usize, p3: usize): void {
  for (let i: usize = 0; i < 64; i += 16) {
    transpose(WORDS + 4 * i, load4(p0 + i), load4(p1 + i), load4(p2 + i), load4(p3 + i));
  }
}

/** Makes `prefix` the first byte of all four loaded blocks. */
export function prefixLanes(prefix: u32): void {
  const kept = v128.and(v128.load(WORDS), i32x4.splat(0x00ffffff));
  v128.store(WORDS, v128.or(kept, i32x4.splat(prefix << 24)));
}

/** Makes `prefix` the first byte of the loaded block of one lane. */
export function prefixLane(lane: usize, prefix: u32): void {
  const word = WORDS + 4 * lane;
  store<u32>(word, (load<u32>(word) & 0x00ffffff) | (prefix << 24));
}

/** Takes the loaded blocks into the state of the lanes. */
export function compressLanes(): void {
  extendLanes();
  roundLanes();
}

/** Takes the second blocks of four Merkle nodes, whose right digests end in these bytes. */
export function compressNodeTails(b0: u32, b1: u32, b2: u32, b3: u32): void {
  const t0 = NODE_TAILS + ((b0 as usize) << 8);
  const t1 = NODE_TAILS + ((b1 as usize) << 8);
  const t2 = NODE_TAILS + ((b2 as usize) << 8);
  const t3 = NODE_TAILS + ((b3 as usize) << 8);
  for (let i: usize = 0; i < 256; i += 16) {
    transpose(
      ROUND_WORDS + 4 * i,
      v128.load(t0 + i),
      v128.load(t1 + i),
      v128.load(t2 + i),
      v128.load(t3 + i),
    );
  }
  roundLanes();
}

/** Four big-endian words. */
function load4(source: usize): v128 {
  return swapBytes(v128.load(source));
}

function swapBytes(x: v128): v128 {
  return i8x16.shuffle(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** Writes a 4x4 matrix of words, given by rows, by columns. */
function transpose(target: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
  const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
  const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
  v128.store(target, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(target, i64x2.shuffle(low01, low23, 1, 3), 16);
  v128.store(target, i64x2.shuffle(high01, high23, 0, 2), 32);
  v128.store(target, i64x2.shuffle(high01, high23, 1, 3), 48);
}

function writeHalf(at: usize, t0: usize, t1: usize, t2: usize, t3: usize): void {
  const state = LANE_STATE + 4 * at;
  const x0 = swapBytes(v128.load(state));
  const x1 = swapBytes(v128.load(state, 16));
  const x2 = swapBytes(v128.load(state, 32));
  const x3 = swapBytes(v128.load(state, 48));
  const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
  const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
  const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
  v128.store(t0 + at, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(t1 + at, i64x2.shuffle(low01, low23, 1, 3));
  v128.store(t2 + at, i64x2.shuffle(high01, high23, 0, 2));
  v128.store(t3 + at, i64x2.shuffle(high01, high23, 1, 3));
}

function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits));
}

function smallSigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 7), rotate(x, 18)), i32x4.shr_u(x, 3));
}

function smallSigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 17), rotate(x, 19)), i32x4.shr_u(x, 10));
}

/** The next word of the schedule, where `w` points at W of sixteen rounds before. */
function extend(w: usize, k: usize, twoBefore: v128): v128 {
  const old = i32x4.add(v128.load(w), v128.load(w, 144));
  const next = i32x4.add(i32x4.add(old, smallSigma0(v128.load(w, 16))), smallSigma1(twoBefore));
  v128.store(w, next, 256);
  v128.store(k, i32x4.add(next, v128.load(k - ROUND_WORDS + ROUND_CONSTANTS)));
  return next;
}

function extendLanes(): void {
  for (let i: usize = 0; i < 256; i += 16) {
    v128.store(ROUND_WORDS + i, i32x4.add(v128.load(WORDS + i), v128.load(ROUND_CONSTANTS + i)));
  }
  let x = v128.load(WORDS, 224);
  let y = v128.load(WORDS, 240);
  let k = ROUND_WORDS + 256;
  for (let w = WORDS; w < WORDS + 768; w += 128) {
    x = extend(w, k, x);
    y = extend(w + 16, k + 16, y);
    x = extend(w + 32, k + 32, x);
    y = extend(w + 48, k + 48, y);
    x = extend(w + 64, k + 64, x);
    y = extend(w + 80, k + 80, y);
    x = extend(w + 96, k + 96, x);
    y = extend(w + 112, k + 112, y);
    k += 128;
  }
}

/** The first temporary word of a round. */
function first(e: v128, f: v128, g: v128, h: v128, kw: v128): v128 {
  const choice = v128.xor(g, v128.and(e, v128.xor(f, g)));
  const sigma = v128.xor(v128.xor(rotate(e, 6), rotate(e, 11)), rotate(e, 25));
  return i32x4.add(i32x4.add(i32x4.add(h, kw), choice), sigma);
}

/** The second temporary word of a round. `b ^ c` is `a ^ b` of the round before. */
function second(a: v128, b: v128, c: v128): v128 {
  const majority = v128.xor(b, v128.and(v128.xor(a, b), v128.xor(b, c)));
  const sigma = v128.xor(v128.xor(rotate(a, 2), rotate(a, 13)), rotate(a, 22));
  return i32x4.add(majority, sigma);
}

function add(x: v128, y: v128): v128 {
  return i32x4.add(x, y);
}

function roundLanes(): void {
  let a = v128.load(LANE_STATE);
  let b = v128.load(LANE_STATE, 16);
  let c = v128.load(LANE_STATE, 32);
  let d = v128.load(LANE_STATE, 48);
  let e = v128.load(LANE_STATE, 64);
  let f = v128.load(LANE_STATE, 80);
  let g = v128.load(LANE_STATE, 96);
  let h = v128.load(LANE_STATE, 112);
  for (let w = ROUND_WORDS; w < ROUND_WORDS + 1024; w += 128) {
    (h = first(e, f, g, h, v128.load(w))), (d = add(d, h)), (h = add(h, second(a, b, c)));
    (g = first(d, e, f, g, v128.load(w, 16))), (c = add(c, g)), (g = add(g, second(h, a, b)));
    (f = first(c, d, e, f, v128.load(w, 32))), (b = add(b, f)), (f = add(f, second(g, h, a)));
    (e = first(b, c, d, e, v128.load(w, 48))), (a = add(a, e)), (e = add(e, second(f, g, h)));
    (d = first(a, b, c, d, v128.load(w, 64))), (h = add(h, d)), (d = add(d, second(e, f, g)));
    (c = first(h, a, b, c, v128.load(w, 80))), (g = add(g, c)), (c = add(c, second(d, e, f)));
    (b = first(g, h, a, b, v128.load(w, 96))), (f = add(f, b)), (b = add(b, second(c, d, e)));
    (a = first(f, g, h, a, v128.load(w, 112))), (e = add(e, a)), (a = add(a, second(b, c, d)));
  }
  addLane(0, a);
  addLane(16, b);
  addLane(32, c);
  addLane(48, d);
  addLane(64, e);
  addLane(80, f);
  addLane(96, g);
  addLane(112, h);
}

function addLane(at: usize, x: v128): void {
  v128.store(LANE_STATE + at, add(v128.load(LANE_STATE + at), x));
}
