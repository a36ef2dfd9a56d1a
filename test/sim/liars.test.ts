import { describe, expect, it } from 'vitest';
import { Stall } from './checker.ts';
import { makeMutation } from './mutation.ts';
import { run } from './run.ts';
import { LIAR_SCENARIOS } from './scenarios.ts';
import { seedsOf } from './seeds.ts';

const SEEDS = 6;

describe('beside Byzantine owners the honest agree, and all they say becomes final', () => {
  it.each(LIAR_SCENARIOS)('$name', { timeout: 300_000 }, (scenario) => {
    for (const seed of seedsOf(SEEDS)) {
      const report = run(scenario, seed);
      expect(report.blocks).toBeGreaterThan(0);
      expect(report.levels).toBeGreaterThan(0);
    }
  });

  // Of the first 16 seeds half stall without turns, and none with them.
  it.each([2, 8, 9])(
    'but without turns a censor starves them: %i',
    { timeout: 300_000 },
    (seed) => {
      const censor = LIAR_SCENARIOS.find(({ name }) => name === 'censor')!;
      const shorter = { ...censor, livenessMs: 5000 };
      expect(() => run(shorter, seed, makeMutation('turns'))).toThrow(Stall);
      expect(run(shorter, seed).healedMs).toBeLessThan(5000);
    },
  );
});
