// What a Participant costs in simulated Worlds of 10, 100 and 1,000, in disjoint groups of five.
import { measureScale } from '../build/sim/test/sim/scale.js';
import { interleave, median, resultOf } from './harness.mjs';

const SIZES = [10, 100, 1000];
/** Participants measured for one figure, in as many Worlds as that takes. */
const TOTAL = 1000;
const ROUNDS = 3;

export async function run(say) {
  const bytes = {};
  const subjects = Object.fromEntries(
    SIZES.map((size) => [
      size,
      () => {
        const cost = measureScale(size, TOTAL);
        bytes[size] = cost.bytes;
        say(`${size}: ${cost.cpuMs.toFixed(2)} ms, ${Math.round(cost.bytes)} bytes a Participant`);
        return cost.cpuMs;
      },
    ]),
  );
  const figures = await interleave({ rounds: ROUNDS }, subjects);
  const cpuMs = Object.fromEntries(SIZES.map((size) => [size, median(figures[size])]));
  const results = (costs, unit, prefix) =>
    SIZES.map((size) =>
      resultOf(
        `${prefix}${size}`,
        { unit, better: 'lower' },
        { ours: costs[size], 'per-participant-10': costs[10] },
      ),
    );
  return [
    ...results(cpuMs, 'ms CPU/Participant', ''),
    ...results(bytes, 'bytes/Participant', 'bytes-'),
  ];
}
