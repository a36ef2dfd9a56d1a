/**
 * The compression function of SHA-256 for one message at a time.
 *
 * @source FIPS 180-4, 6.2.2.
 */
import { INITIAL_STATE, ROUND_CONSTANTS, WORDS } from './layout';
import { smallSigma0, smallSigma1 } from './tables';

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

/** W + K of round `t + i`, where `w` and `k` point at round `t`. */
function word(w: usize, k: usize, i: usize): u32 {
  return load<u32>(w + 4 * i) + load<u32>(k + 16 * i);
}

function extendWords(): void {
  for (let w = WORDS; w < WORDS + 192; w += 16) {
    for (let i: usize = 0; i < 16; i += 4) {
      const s0 = smallSigma0(load<u32>(w + i, 4));
      const s1 = smallSigma1(load<u32>(w + i, 56));
      store<u32>(w + i, load<u32>(w + i) + s0 + load<u32>(w + i, 36) + s1, 64);
    }
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
  let k = ROUND_CONSTANTS;
  for (let w = WORDS; w < WORDS + 256; w += 32) {
    (h = first(e, f, g, h, word(w, k, 0))), (d += h), (h += second(a, b, c));
    (g = first(d, e, f, g, word(w, k, 1))), (c += g), (g += second(h, a, b));
    (f = first(c, d, e, f, word(w, k, 2))), (b += f), (f += second(g, h, a));
    (e = first(b, c, d, e, word(w, k, 3))), (a += e), (e += second(f, g, h));
    (d = first(a, b, c, d, word(w, k, 4))), (h += d), (d += second(e, f, g));
    (c = first(h, a, b, c, word(w, k, 5))), (g += c), (c += second(d, e, f));
    (b = first(g, h, a, b, word(w, k, 6))), (f += b), (b += second(c, d, e));
    (a = first(f, g, h, a, word(w, k, 7))), (e += a), (a += second(b, c, d));
    k += 128;
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
