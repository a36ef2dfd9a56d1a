// From an input's edge to an output that a local handler sets: on the virtual board, and on the
// kernel's own chips in the virtual machine of `npm run test:gpio`, whose processor is played by a
// program, some twenty times slower than this one.
import { join } from 'node:path';
import { guestOf, guestPath } from '../.ci/hardware.mjs';
import { root } from '../.ci/preflight.mjs';
import { virtualTimes } from './edge-times.mjs';
import { quantile, resultOf, roundsOf } from './harness.mjs';

const EDGES = 5000;
const EDGES_IN_GUEST = 1000;
const GUEST_SECONDS = 600;
const MEASURE = { unit: 'ms', better: 'lower' };

const worst = (times) => quantile(times, 0.99);

export async function run(say) {
  await virtualTimes(1000);
  const virtual = await virtualTimes(EDGES / (roundsOf(5) === 1 ? 5 : 1));
  say(`virtual: p50 ${quantile(virtual, 0.5).toFixed(4)} ms over ${virtual.length} edges`);
  const results = [
    { ...resultOf('edge-to-output', MEASURE, { ours: worst(virtual) }), board: 'virtual' },
  ];
  const guest = await guestOf(say);
  if (guest === null) return results;
  const program = [
    process.execPath,
    guestPath(join(root, 'bench/edge-times.mjs')),
    `${EDGES_IN_GUEST}`,
  ];
  let said = '';
  const { code } = await guest('pi4', program, {
    seconds: GUEST_SECONDS,
    onText: (text) => {
      said += text;
    },
  });
  const line = /^@@TIMES (.+)$/m.exec(said)?.[1];
  if (code !== 0 || line === undefined) throw new Error(`the guest ended with ${code}: ${said}`);
  const { ours, onoff } = JSON.parse(line);
  const typical = [ours, onoff].map((times) => quantile(times, 0.5).toFixed(2));
  say(`kernel chips: p50 ${typical[0]} ms over ${ours.length} edges, onoff ${typical[1]} ms`);
  const figures = { ours: worst(ours), onoff: worst(onoff) };
  results.push({
    ...resultOf('edge-to-output-kernel', MEASURE, figures),
    board: 'rpi-4b, emulated',
  });
  return results;
}
