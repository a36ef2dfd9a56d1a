// What the benchmark `sandbox` runs: one Behavior in JavaScript and in WebAssembly, under many
// names. As a program of its own it loads COUNT of them and says what that takes of memory.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { compileBehavior } from '../build/behavior/compile-behavior.js';
import { WorkerSandbox } from '../build/behavior/worker-sandbox.js';
import { STANDARD_LIMITS, sealBehavior } from '../build/model/behavior.js';
import { withScratchFolder } from './scratch-folder.mjs';

const JAVASCRIPT = `import { defineBehavior } from 'vertebra/behavior';
export default defineBehavior({
  run(ctx) {
    const { celsius } = ctx.entry;
    ctx.produce('order', { celsius: celsius * 1.8 + 32 });
    ctx.state.set({ n: (ctx.state.get()?.n ?? 0) + 1 });
  },
});`;
const ASSEMBLY = `import { Json, entry, produce, setState, state } from 'vertebra/behavior';
export function run(): void {
  const celsius = entry().get('celsius').asNumber;
  produce('order', Json.record().setNumber('celsius', celsius * 1.8 + 32));
  setState(Json.record().setNumber('n', state().get('n').asNumber + 1));
}`;

const hash = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest());
const id = (digit) => digit.repeat(64);
export const CALL = {
  purpose: 'run',
  entry: { celsius: 21.5 },
  pact: 'reading',
  state: null,
  invocation: id('a'),
  step: 0,
  at: 1_700_000_000_000,
  seed: id('5'),
};
export const HOST = {
  query: () => ({ ok: true, value: [] }),
  produce: () => ({ ok: true, value: null }),
  device: () => ({ ok: true, value: null }),
};

/** @returns both kinds of code, compiled as `vertebra behavior add` does. */
export function compileBoth() {
  return withScratchFolder(async (folder) => {
    const made = {};
    for (const [file, text] of [
      ['sample.ts', JAVASCRIPT],
      ['sample.as.ts', ASSEMBLY],
    ]) {
      writeFileSync(join(folder, file), text);
      const { kind, code } = await compileBehavior(join(folder, file));
      made[kind] = code;
    }
    return made;
  });
}

/** The same code under another name is another Behavior. */
export function behaviorOf(codes, kind, number) {
  const said = {
    name: `sample_${number}`,
    kind,
    consumes: [],
    accesses: [],
    produces: [{ name: 'order', pact: id('3') }],
    devices: [],
    requires: [],
    limits: STANDARD_LIMITS,
    idempotent: false,
    undoes: false,
  };
  return sealBehavior(hash, said, codes[kind]).value;
}

export async function loadOne(sandbox, behavior) {
  const loaded = await sandbox.load(behavior);
  if (!loaded.ok) throw new Error(`${loaded.reason}: ${loaded.detail}`);
  return loaded.value;
}

/** The peer: a thread for each Behavior. */
export function startThread() {
  const code = `const { parentPort } = require('node:worker_threads');
    parentPort.on('message', ({ celsius }) => parentPort.postMessage(celsius * 1.8 + 32));
    parentPort.postMessage('ready');`;
  const worker = new Worker(code, { eval: true });
  return new Promise((done) => worker.once('message', () => done(worker)));
}

function residentMegabytes() {
  const status = readFileSync('/proc/self/status', 'utf8');
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024) / 1e6;
}

/** @returns megabytes that `count` take beside the first. */
async function measure(subject, count, codes) {
  if (subject === 'thread') {
    const threads = [await startThread()];
    const before = residentMegabytes();
    while (threads.length < count) threads.push(await startThread());
    const after = residentMegabytes();
    await Promise.all(threads.map((thread) => thread.terminate()));
    return { whole: after, each: (after - before) / (count - 1) };
  }
  // All of them ready, where each is to be measured; as an agent has it, where the whole is.
  const options = subject.startsWith('agent') ? {} : { warmMax: count };
  const sandbox = new WorkerSandbox({ loadedMax: count, ...options });
  const kinds = subject.startsWith('agent') ? ['javascript', 'webassembly'] : [subject];
  let before = 0;
  for (let number = 0; number < count; number++) {
    const behavior = behaviorOf(codes, kinds[number % kinds.length], number);
    await sandbox.run(await loadOne(sandbox, behavior), CALL, HOST);
    if (number === 0) before = residentMegabytes();
  }
  const after = residentMegabytes();
  await sandbox.close();
  return { whole: after, each: (after - before) / (count - 1) };
}

if (process.argv[2] === 'measure') {
  const [, , , subject, count, codes] = process.argv;
  if (subject === 'agent') await import('../build/cli/program.js');
  const texts = JSON.parse(readFileSync(codes, 'utf8'));
  const bytes = Object.fromEntries(
    Object.entries(texts).map(([kind, text]) => [
      kind,
      new Uint8Array(Buffer.from(text, 'base64')),
    ]),
  );
  console.log(JSON.stringify(await measure(subject, Number(count), bytes)));
}
