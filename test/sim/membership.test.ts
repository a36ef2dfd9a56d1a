import { describe, expect, it } from 'vitest';
import { Violation } from './checker.ts';
import { makeMutation } from './mutation.ts';
import { run } from './run.ts';
import type { Scenario } from './scenario.ts';
import { MEMBERSHIP_SCENARIOS } from './scenarios.ts';
import { seedsOf } from './seeds.ts';

const SEEDS = 2;

/** In some run of these somebody begins at a cut. */
const BEGINNINGS = [
  'cuts-and-a-newcomer',
  'cuts-and-an-owner-long-away',
  'cuts-beside-a-cutter',
  'hand-over-of-a-group-that-is-cut',
];

const named = (name: string): Scenario => MEMBERSHIP_SCENARIOS.find((each) => each.name === name)!;

describe('groups that end and go on, or forget what is old, agree like all others', () => {
  it.each(MEMBERSHIP_SCENARIOS)('$name', { timeout: 300_000 }, (scenario) => {
    let beginnings = 0;
    for (const seed of seedsOf(SEEDS)) {
      const report = run(scenario, seed);
      expect(report.blocks).toBeGreaterThan(0);
      // Of several that are approved one comes true.
      expect(report.handOvers).toBe(scenario.handOvers === undefined ? 0 : 1);
      beginnings += report.beginnings;
    }
    if (BEGINNINGS.includes(scenario.name)) expect(beginnings).toBeGreaterThan(0);
  });

  it('what a cutter signed is seen to be false', { timeout: 60_000 }, () => {
    expect(run(named('cuts-beside-a-cutter'), 1).falseCuts).toBeGreaterThan(0);
  });

  it.each([
    ['cuts-beside-a-cutter', 'cuts', 'a cut that is begun at'],
    ['usurper', 'approvals', 'a Quorum approved of it'],
  ] as const)('%s shows what is without %s', { timeout: 60_000 }, (scenario, mutation, law) => {
    const runs = seedsOf(3).map((seed) => () => run(named(scenario), seed, makeMutation(mutation)));
    const found = runs.flatMap((each) => {
      try {
        each();
        return [];
      } catch (cause) {
        if (cause instanceof Violation) return [cause.message];
        throw cause;
      }
    });
    expect(found.join('\n')).toContain(law);
  });
});
