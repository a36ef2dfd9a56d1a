// Behaviors: how soon one is ready, how many runs a second, and what it takes of memory.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkerSandbox } from '../build/behavior/worker-sandbox.js';
import { compare, median } from './harness.mjs';
import { behaviorOf, CALL, compileBoth, HOST, loadOne, startThread } from './sandbox-subject.mjs';
import { withScratchFolder } from './scratch-folder.mjs';

const STARTS = 20;
const CALLS = 500;
const MEMORY_COUNT = 100;
const AGENT_COUNT = 200;
const KINDS = { js: 'javascript', wasm: 'webassembly' };

let number = 0;

/** Milliseconds from code to a first outcome, in a worker that runs already. */
async function startMs(sandbox, codes, kind) {
  const figures = [];
  for (let count = 0; count < STARTS; count++) {
    const behavior = behaviorOf(codes, kind, ++number);
    const start = performance.now();
    await sandbox.run(await loadOne(sandbox, behavior), CALL, HOST);
    figures.push(performance.now() - start);
  }
  return median(figures);
}

async function threadStartMs() {
  const start = performance.now();
  const threads = [];
  for (let count = 0; count < STARTS; count++) threads.push(await startThread());
  const spent = (performance.now() - start) / STARTS;
  await Promise.all(threads.map((thread) => thread.terminate()));
  return spent;
}

async function callsPerSecond(sandbox, loaded) {
  const start = performance.now();
  for (let count = 0; count < CALLS; count++) {
    const outcome = await sandbox.run(loaded, CALL, HOST);
    if (outcome.kind !== 'done') throw new Error(`a run ended as ${JSON.stringify(outcome)}`);
  }
  return (CALLS * 1000) / (performance.now() - start);
}

/** In a process of its own. */
function memoryOf(subject, count, codes) {
  const program = fileURLToPath(new URL('sandbox-subject.mjs', import.meta.url));
  const args = [program, 'measure', subject, String(count), codes];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${subject}: the process ended with ${status}`);
  return JSON.parse(stdout);
}

export async function run(say) {
  const codes = await compileBoth();
  for (const [kind, code] of Object.entries(codes)) say(`${kind}: ${code.length} bytes`);
  const results = [];
  const sandbox = new WorkerSandbox({ loadedMax: 1000 });
  for (const [short, kind] of Object.entries(KINDS)) {
    const plan = { rounds: 5, unit: 'ms', better: 'lower' };
    const ours = () => startMs(sandbox, codes, kind);
    results.push(await compare(`start-${short}`, plan, { ours, thread: threadStartMs }));
  }
  for (const [short, kind] of Object.entries(KINDS)) {
    const loaded = await loadOne(sandbox, behaviorOf(codes, kind, ++number));
    const plan = { rounds: 7, unit: 'calls/s', better: 'higher' };
    const ours = () => callsPerSecond(sandbox, loaded);
    results.push(await compare(`calls-${short}`, plan, { ours }));
  }
  await sandbox.close();
  await withScratchFolder(async (folder) => {
    const file = join(folder, 'codes.json');
    const texts = Object.entries(codes).map(([kind, code]) => [
      kind,
      Buffer.from(code).toString('base64'),
    ]);
    writeFileSync(file, JSON.stringify(Object.fromEntries(texts)));
    const plan = { rounds: 3, warmUp: false, unit: 'MB', better: 'lower' };
    const each = (subject, count) => () => memoryOf(subject, count, file).each;
    for (const [short, kind] of Object.entries(KINDS)) {
      const subjects = { ours: each(kind, MEMORY_COUNT), thread: each('thread', 20) };
      results.push(await compare(`memory-${short}`, plan, subjects));
    }
    const ours = () => memoryOf('agent', AGENT_COUNT, file).whole;
    results.push(await compare('200-behaviors', plan, { ours }));
  });
  return results;
}
