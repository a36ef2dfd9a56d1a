/**
 * Constant tables of SHA-256, written once when the module starts.
 *
 * @source FIPS 180-4: 4.2.2 (K), 5.3.3 (H(0)), 6.2.2 (message schedule).
 */
import {
  BLOCK_BYTES,
  INITIAL_STATE,
  KEEP_MASK,
  NODE_TAILS,
  PAD_MASK,
  ROUND_CONSTANTS,
  WORDS,
} from './layout';

/** K of SHA-256, one after the other; ROUND_CONSTANTS has each four times. */
export const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

const H: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** Bits of a Merkle node's message: prefix byte and two digests. */
const NODE_BITS: u32 = 65 * 8;

/** Writes every table of SHA-256. */
export function prepareHashTables(): void {
  for (let t: usize = 0; t < 64; t++) splat(ROUND_CONSTANTS + 16 * t, load<u32>(K + 4 * t));
  for (let i: usize = 0; i < 8; i++) splat(INITIAL_STATE + 16 * i, load<u32>(H + 4 * i));
  memory.fill(KEEP_MASK, 0xff, BLOCK_BYTES);
  store<u8>(PAD_MASK, 0x80, 64);
  for (let last: u32 = 0; last < 256; last++) prepareNodeTail(last);
}

function splat(target: usize, word: u32): void {
  for (let lane: usize = 0; lane < 4; lane++) store<u32>(target + 4 * lane, word);
}

/**
 * Writes W + K of the second block of a Merkle node: the last byte of the right digest, the padding
 * bit and the length. Only 256 such blocks exist, so their schedules are computed once.
 */
function prepareNodeTail(last: u32): void {
  const tail = NODE_TAILS + ((last as usize) << 8);
  memory.fill(WORDS, 0, 64);
  store<u32>(WORDS, (last << 24) | 0x00800000);
  store<u32>(WORDS, NODE_BITS, 60);
  for (let t: usize = 0; t < 64; t++) {
    const w = WORDS + 4 * t;
    if (t >= 16) {
      const s0 = smallSigma0(load<u32>(w - 60));
      const s1 = smallSigma1(load<u32>(w - 8));
      store<u32>(w, s1 + load<u32>(w - 28) + s0 + load<u32>(w - 64));
    }
    store<u32>(tail + 4 * t, load<u32>(w) + load<u32>(K + 4 * t));
  }
}

export function smallSigma0(x: u32): u32 {
  return rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3);
}

export function smallSigma1(x: u32): u32 {
  return rotr(x, 17) ^ rotr(x, 19) ^ (x >> 10);
}
