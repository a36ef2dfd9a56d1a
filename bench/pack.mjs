// A whole drain of the Entry Buffer laid out as one Block: lengths, Entries, Merkle root.
import { deepStrictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { loadKernel, twinKernel } from '../build/kernel/kernel.js';
import { compare, rateOf } from './harness.mjs';

const ENTRY_COUNT = 10_000;
const ENTRY_BYTES = 100;

export async function run(say) {
  const kernel = loadKernel();
  const twin = twinKernel();
  say(`kernel: ${kernel.build}`);
  const bytes = randomBytes(ENTRY_COUNT * ENTRY_BYTES);
  const lengths = new Uint32Array(ENTRY_COUNT).fill(ENTRY_BYTES);
  deepStrictEqual(kernel.packer.pack(bytes, lengths), twin.packer.pack(bytes, lengths));
  const subject = (packer) => () => rateOf(() => packer.pack(bytes, lengths), ENTRY_COUNT, 400);
  const measure = { rounds: 7, unit: 'Entries/s', better: 'higher' };
  const subjects = { ours: subject(kernel.packer), twin: subject(twin.packer) };
  return [await compare('10000x100B', measure, subjects)];
}
