import { describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { SCENARIOS } from './scenarios.ts';
import { seedsOf } from './seeds.ts';

const SEEDS = 10;
const SAFETY_MS = 4000;
/** Healing takes seconds of virtual time, also after the worst that the safety phase can do. */
const LIVENESS_MS = 60_000;

describe('agreement holds, and everything becomes final after healing', () => {
  it.each(SCENARIOS)('$name', { timeout: 300_000 }, (scenario) => {
    for (const seed of seedsOf(SEEDS)) {
      const report = run({ safetyMs: SAFETY_MS, livenessMs: LIVENESS_MS, ...scenario }, seed);
      expect(report.blocks).toBeGreaterThan(0);
      expect(report.levels).toBeGreaterThan(0);
    }
  });
});
