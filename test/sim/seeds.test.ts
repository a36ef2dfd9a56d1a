import { describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { NO_FAULTS, type Scenario } from './scenario.ts';

const owners = (count: number) => Array.from({ length: count }, (_, index) => index);
const one = (count: number, more: Partial<Scenario> = {}): Scenario => ({
  name: `${count} owners`,
  participants: count,
  groups: [{ owners: owners(count) }],
  ...more,
});

/** Each with how many seeds of faults it is run. */
const SCENARIOS: readonly (readonly [Scenario, number])[] = [
  [one(2), 15],
  [one(3), 25],
  [one(4), 25],
  [one(5), 12],
  [one(7), 8],
  [
    one(3, { name: 'every owner', groups: [{ owners: owners(3), quorumPolicy: 'every-owner' }] }),
    10,
  ],
  [one(3, { name: 'strict', groups: [{ owners: owners(3), quorumPolicy: 'strict' }] }), 10],
  [one(4, { name: 'headers only', groups: [{ owners: owners(4), availability: 'headers' }] }), 10],
  [one(4, { name: 'all at once', allAtOnce: true }), 10],
  [one(4, { name: 'one dead', dead: [0] }), 12],
  [one(4, { name: 'one late', late: [2] }), 10],
  [one(5, { name: 'ring', topology: 'ring' }), 6],
  [
    {
      name: 'overlapping groups',
      participants: 4,
      groups: [{ owners: [0, 1, 2] }, { owners: [1, 2, 3] }, { owners: [0, 1, 2, 3] }],
    },
    12,
  ],
  [
    {
      name: 'disjoint groups',
      participants: 6,
      groups: [{ owners: [0, 1, 2] }, { owners: [3, 4, 5] }],
    },
    8,
  ],
  [
    {
      name: 'a subscriber',
      participants: 4,
      groups: [{ owners: [0, 1, 2], subscribers: [3] }],
    },
    10,
  ],
];

const FIRST_SEED = 1;

describe('from every seed: one order, nothing twice, nothing sent before it was durable', () => {
  it.each(SCENARIOS)(
    '$name',
    (scenario, seeds) => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++) {
        const report = run(scenario, seed);
        expect(report.blocks).toBeGreaterThan(0);
        expect(report.levels).toBeGreaterThan(0);
      }
    },
    120_000,
  );
});

describe('without faults', () => {
  it('four owners need four one-way delays from a Block to its finality', () => {
    const calm: Scenario = one(4, { name: 'calm', faults: NO_FAULTS, blocksPerSecond: 0.5 });
    const { finalityMs, ballots } = run(calm, 1);
    const sorted = [...finalityMs].sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1]!;
    expect(sorted.length).toBeGreaterThan(0);
    expect(median).toBeLessThanOrEqual(4 * NO_FAULTS.delayMaxMs + 1);
    expect(ballots).toBe(0);
  });
});
