import { describe, expect, it } from 'vitest';
import { VOTE_RULES } from '../../src/consensus/vote-rules.ts';
import { Violation } from './checker.ts';
import { EXPLORATION, explore } from './explorer.ts';
import { type Mutation, withoutRule } from './mutation.ts';
import { run } from './run.ts';
import type { Scenario } from './scenario.ts';
import { WILD_SCENARIOS } from './scenarios.ts';
import { seedsOf } from './seeds.ts';

const SEEDS = 8;

/** What goes wrong first in wild runs, with the rules given. */
function firstViolation(scenario: Scenario, mutation: Mutation, runs: number): string | null {
  for (let seed = 1; seed <= runs; seed++) {
    try {
      run(scenario, seed, mutation);
    } catch (cause) {
      if (cause instanceof Violation) return cause.message;
      throw cause;
    }
  }
  return null;
}

describe('owners that vote at random within the rules', () => {
  it.each(WILD_SCENARIOS)(
    'never fork, and agree once they behave: $name',
    { timeout: 300_000 },
    (scenario) => {
      for (const seed of seedsOf(SEEDS)) {
        const report = run({ safetyMs: 2000, ...scenario }, seed);
        expect(report.levels).toBeGreaterThan(0);
      }
    },
  );

  const three = WILD_SCENARIOS[1]!;

  it('fork without V3b', { timeout: 300_000 }, () => {
    expect(firstViolation(three, withoutRule('V3b'), 500)).toContain('fork');
  });

  it('break their promises without V1', { timeout: 300_000 }, () => {
    expect(firstViolation(three, withoutRule('V1'), 500)).toContain('V1');
  });

  it('come to a standstill without V3a', { timeout: 300_000 }, () => {
    expect(firstViolation(three, withoutRule('V3a'), 500)).toContain('not final');
  });
});

describe('walks through all that the rules allow', () => {
  const plans = [
    { name: '4 owners, one a liar', walks: 5000, ...EXPLORATION },
    { name: '3 owners', walks: 2000, ...EXPLORATION, owners: 3, liars: 0 },
    { name: '7 owners, two liars', walks: 4000, ...EXPLORATION, owners: 7, liars: 2, moves: 120 },
  ];

  it.each(plans)('find no fork: $name', { timeout: 120_000 }, (plan) => {
    expect(explore(VOTE_RULES, plan.walks, plan)).toBeNull();
  });

  it.each(plans)('find one without V3b: $name', { timeout: 120_000 }, (plan) => {
    expect(explore(withoutRule('V3b').rules!, plan.walks, plan)).not.toBeNull();
  });

  it.each(plans)('find one without V2: $name', { timeout: 120_000 }, (plan) => {
    expect(explore(withoutRule('V2').rules!, plan.walks, plan)).not.toBeNull();
  });
});
