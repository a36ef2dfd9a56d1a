// Many small messages, as the Entries of a Block are: our routed batch against a call per message.
import { strictEqual } from 'node:assert/strict';
import crypto from 'node:crypto';
import { digest, simdEnabled } from '@chainsafe/as-sha256';
import { loadKernel } from '../build/kernel/kernel.js';
import { compare, rateOf } from './harness.mjs';

const MESSAGE_COUNT = 4096;
const CASES = { '32B': 32, '100B': 100, '1KiB': 1024 };

/** crypto.hash came with Node 20.12; before it, a Hash object a message. */
const cryptoHash =
  crypto.hash === undefined
    ? (message) => crypto.createHash('sha256').update(message).digest()
    : (message) => crypto.hash('sha256', message, 'buffer');

function subjectsOf(size, hasher) {
  const bytes = crypto.randomBytes(MESSAGE_COUNT * size);
  const lengths = new Uint32Array(MESSAGE_COUNT).fill(size);
  // The peers take a message a call: their views are made beforehand, on nobody's clock.
  const messages = Array.from(lengths, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  const each = (hash) => () => messages.map(hash);
  const works = {
    ours: () => hasher.hashBatch(bytes, lengths),
    'crypto.hash': each(cryptoHash),
    'as-sha256': each((message) => digest(message)),
  };
  const expected = Buffer.concat(works['crypto.hash']()).toString('hex');
  strictEqual(Buffer.from(works.ours()).toString('hex'), expected);
  strictEqual(Buffer.concat(works['as-sha256']()).toString('hex'), expected);
  return Object.fromEntries(
    Object.entries(works).map(([name, work]) => [name, () => rateOf(work, MESSAGE_COUNT)]),
  );
}

export async function run(say) {
  const kernel = loadKernel();
  say(`kernel: ${kernel.build}; as-sha256: ${simdEnabled ? 'simd' : 'scalar'}`);
  const { batchBytesMax } = kernel.routing;
  say(`routing: batches of messages up to ${batchBytesMax} bytes go to the WASM`);
  const results = [];
  for (const [name, size] of Object.entries(CASES)) {
    const measure = { rounds: 7, unit: 'hashes/s', better: 'higher' };
    results.push(await compare(name, measure, subjectsOf(size, kernel.hasher)));
  }
  return results;
}
