// What a Participant costs in simulated Worlds of 10, 100 and 1,000, in disjoint groups of five:
// the production core given again, alone, what it was given in its World.
import { replay, runScale } from '../build/sim/test/sim/scale.js';
import { median, resultOf, roundsOf } from './harness.mjs';

const SIZES = [10, 100, 1000];
/** Participants run for one figure, in as many Worlds as that takes. */
const TOTAL = 1000;
/** Of these, given again in each round. */
const SAMPLE = 500;
/** Given again before another size has its turn: a machine that is busy is so for all alike. */
const BATCH = 10;
const ROUNDS = 5;

/** @returns the processor time of a Participant alone in one round, by the size of its World. */
function replayAll(runs, round) {
  const cpuMs = Object.fromEntries(SIZES.map((size) => [size, 0]));
  for (let from = 0; from < SAMPLE; from += BATCH) {
    for (let turn = 0; turn < SIZES.length; turn++) {
      const size = SIZES[(round + from / BATCH + turn) % SIZES.length];
      const batch = runs[size].recordings.slice(from, from + BATCH);
      cpuMs[size] += (replay(batch) * batch.length) / SAMPLE;
    }
  }
  return cpuMs;
}

const shown = (cpuMs) => SIZES.map((size) => `${size}: ${cpuMs[size].toFixed(2)} ms`).join(', ');

/** With the middle of the rounds' own ratios: within a round all sizes had the same machine. */
function cpuResult(size, rounds, { wholeCpuMs, steps }) {
  const ofRounds = (figure) => median(rounds.map(figure));
  const name = 'per-participant-10';
  const costs = { ours: ofRounds((round) => round[size]), [name]: ofRounds((round) => round[10]) };
  const result = resultOf(`${size}`, { unit: 'ms CPU/Participant', better: 'lower' }, costs);
  const ratio = ofRounds((round) => round[10] / round[size]);
  return {
    ...result,
    ratios: { [name]: Number(ratio.toPrecision(4)) },
    wholeCpuMs: Number(wholeCpuMs.toPrecision(4)),
    steps: Math.round(steps),
  };
}

export async function run(say) {
  const runs = {};
  for (const size of SIZES) {
    runs[size] = runScale(size, TOTAL);
    const { wholeCpuMs, steps, bytes } = runs[size];
    const whole = `${wholeCpuMs.toFixed(2)} ms with the simulator`;
    say(`${size}: ${whole}, ${Math.round(steps)} steps, ${Math.round(bytes)} bytes a Participant`);
  }
  const rounds = [];
  for (let round = 0; round <= roundsOf(ROUNDS); round++) {
    const cpuMs = replayAll(runs, round);
    say(`round ${round}, each alone: ${shown(cpuMs)}`);
    // The first one warms up.
    if (round > 0) rounds.push(cpuMs);
  }
  return [
    ...SIZES.map((size) => cpuResult(size, rounds, runs[size])),
    ...SIZES.map((size) =>
      resultOf(
        `bytes-${size}`,
        { unit: 'bytes/Participant', better: 'lower' },
        { ours: runs[size].bytes, 'per-participant-10': runs[10].bytes },
      ),
    ),
  ];
}
