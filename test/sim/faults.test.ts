import { describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { SCENARIOS } from './scenarios.ts';
import { seedsOf } from './seeds.ts';

const SEEDS = 4;

describe('agreement holds, and everything becomes final after healing', () => {
  it.each(SCENARIOS)('$name', { timeout: 300_000 }, (scenario) => {
    for (const seed of seedsOf(SEEDS)) {
      const report = run(scenario, seed);
      expect(report.blocks).toBeGreaterThan(0);
      // A group of one owner needs no Metablocks.
      if (scenario.name !== 'owners-1') expect(report.levels).toBeGreaterThan(0);
    }
  });
});
