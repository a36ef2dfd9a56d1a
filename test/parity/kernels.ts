import { createHash } from 'node:crypto';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Kernel, loadKernel, twinKernel } from '../../src/kernel/kernel.ts';
import { NativeHasher } from '../../src/kernel/native-hasher.ts';
import type { Routing } from '../../src/kernel/routing.ts';
import type { Hasher } from '../../src/ports/hasher.ts';

const ALL_IN_WASM: Routing = {
  batchBytesMax: Number.POSITIVE_INFINITY,
  hashBytesMax: Number.POSITIVE_INFINITY,
  isStreamInWasm: true,
};
/** A kernel that sends hashes both ways. */
const SPLIT: Routing = { batchBytesMax: 100, hashBytesMax: 50, isStreamInWasm: false };

/** Every implementation that must give the same answers. */
export const KERNELS: readonly (readonly [string, Kernel])[] = [
  ['WASM with SIMD', loadKernel({ build: 'simd', routing: ALL_IN_WASM })],
  ['scalar WASM', loadKernel({ build: 'scalar', routing: ALL_IN_WASM })],
  ['routed WASM', loadKernel({ routing: SPLIT })],
  ['plain twin', twinKernel()],
];

export const HASHERS: readonly (readonly [string, Hasher])[] = [
  ...KERNELS.map(([name, kernel]) => [name, kernel.hasher] as const),
  ['node:crypto', new NativeHasher()],
];

/** SHA-256 of two libraries that are not ours, which must agree first. */
export function independentSha256(message: Uint8Array): Uint8Array {
  const digest = sha256(message);
  const other = createHash('sha256').update(message).digest('hex');
  if (hex(digest) !== other) throw new Error('the independent libraries disagree');
  return digest;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function lengthsOf(parts: readonly Uint8Array[]): Uint32Array {
  return Uint32Array.from(parts, (part) => part.length);
}

/** `length` bytes that look random and are the same in every run. */
export function sampleBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}
