/**
 * The compression function of SHA-256 for one message at a time.
 *
 * @source FIPS 180-4, 6.2.2.
 */
import { INITIAL_STATE, ROUND_WORDS, WORDS } from './layout';
import { K, smallSigma0, smallSigma1 } from './tables';

/** Sets the eight words at `state` to H(0). */
export function resetState(state: usize): void {
  for (let i: usize = 0; i < 8; i++) {
    store<u32>(state + 4 * i, load<u32>(INITIAL_STATE + 16 * i));
  }
}

/** Writes the eight words at `state` as a digest of 32 bytes. */
export function writeDigest(state: usize, target: usize): void {
  for (let i: usize = 0; i < 32; i += 4) store<u32>(target + i, bswap(load<u32>(state + i)));
}

/** Takes the block of 64 bytes at `block` into `state`. */
export function compressBlock(state: usize, block: usize): void {
  loadBlock(block);
  compressWords(state);
}

/** Takes a first block in whose first byte is `prefix`, whatever lies in memory there. */
export function compressPrefixed(state: usize, block: usize, prefix: u32): void {
  loadBlock(block);
  store<u32>(WORDS, (load<u32>(WORDS) & 0x00ffffff) | (prefix << 24));
  compressWords(state);
}

function loadBlock(block: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(WORDS + i, bswap(load<u32>(block + i)));
}

function first(e: u32, f: u32, g: u32, h: u32, word: u32): u32 {
  return h + word + (g ^ (e & (f ^ g))) + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25));
}

function second(a: u32, b: u32, c: u32): u32 {
  return (b ^ ((a ^ b) & (b ^ c))) + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22));
}

/** W + K of the first sixteen rounds. */
function addConstants(): void {
  for (let i: usize = 0; i < 64; i += 4) {
    store<u32>(ROUND_WORDS + i, load<u32>(WORDS + i) + load<u32>(K + i));
  }
}

/**
 * The next word of the schedule, also as W + K.
 *
 * @param i Byte offset of the word sixteen rounds before.
 * @param twoBefore The word two rounds before: kept at hand, because it was written just now.
 */
function extend(i: usize, twoBefore: u32): u32 {
  const old = load<u32>(WORDS + i) + load<u32>(WORDS + i, 36);
  const next = old + smallSigma0(load<u32>(WORDS + i, 4)) + smallSigma1(twoBefore);
  store<u32>(WORDS + i, next, 64);
  store<u32>(ROUND_WORDS + i, next + load<u32>(K + i, 64), 64);
  return next;
}

function extendWords(): void {
  addConstants();
  let x = load<u32>(WORDS, 56);
  let y = load<u32>(WORDS, 60);
  for (let i: usize = 0; i < 192; i += 16) {
    x = extend(i, x);
    y = extend(i + 4, y);
    x = extend(i + 8, x);
    y = extend(i + 12, y);
  }
}

function compressWords(state: usize): void {
  extendWords();
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let w = ROUND_WORDS; w < ROUND_WORDS + 256; w += 32) {
    (h = first(e, f, g, h, load<u32>(w))), (d += h), (h += second(a, b, c));
    (g = first(d, e, f, g, load<u32>(w, 4))), (c += g), (g += second(h, a, b));
    (f = first(c, d, e, f, load<u32>(w, 8))), (b += f), (f += second(g, h, a));
    (e = first(b, c, d, e, load<u32>(w, 12))), (a += e), (e += second(f, g, h));
    (d = first(a, b, c, d, load<u32>(w, 16))), (h += d), (d += second(e, f, g));
    (c = first(h, a, b, c, load<u32>(w, 20))), (g += c), (c += second(d, e, f));
    (b = first(g, h, a, b, load<u32>(w, 24))), (f += b), (b += second(c, d, e));
    (a = first(f, g, h, a, load<u32>(w, 28))), (e += a), (a += second(b, c, d));
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}
