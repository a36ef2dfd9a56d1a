// How many one-way delays a lone Block takes to be final at its issuer, nothing going wrong.
import { measureDelays } from '../build/sim/test/sim/delays.js';
import { median, roundsOf } from './harness.mjs';

/** A turn of 40 ms is two of these. */
const ONE_WAY_MS = 20;
const TURN_MS = 40;
const SEEDS = 5;

const isPreparer = (delay) => delay.isPreparer;
const isOther = (delay) => !delay.isPreparer;
const CASES = [
  { case: 'n1', owners: 1, most: 0, isMeant: isPreparer },
  { case: 'n4-issuer-prepares', owners: 4, most: 3, isMeant: isPreparer },
  { case: 'n4', owners: 4, most: 4, isMeant: isOther },
  { case: 'n7', owners: 7, most: 4, isMeant: isOther },
  { case: 'n10', owners: 10, most: 4, isMeant: isOther },
  { case: 'n4-first-ranked-dead', owners: 4, isFirstDead: true, most: 4 + TURN_MS / ONE_WAY_MS },
];

/** The clock of a Participant that wakes up rounds to a millionth of a second. */
const round = (figure) => Math.round(figure * 100) / 100;

export async function run(say) {
  return CASES.map(({ case: name, owners, isFirstDead = false, most, isMeant = () => true }) => {
    const delays = [];
    for (let seed = 1; seed <= roundsOf(SEEDS); seed++) {
      delays.push(...measureDelays({ owners, isFirstDead, oneWayMs: ONE_WAY_MS }, seed));
    }
    const figures = delays.filter(isMeant).map(({ finalityMs }) => finalityMs / ONE_WAY_MS);
    const worst = round(Math.max(...figures));
    say(`${name}: ${figures.length} Blocks, the slowest after ${worst} delays, wanted ${most}`);
    const ours = round(median(figures));
    return { case: name, ours, unit: 'delays', worst, oneWayMs: ONE_WAY_MS, peers: {}, ratios: {} };
  });
}
