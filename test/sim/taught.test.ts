import { describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { ALL_SCENARIOS } from './scenarios.ts';

/** Seeds that failed once, and what each taught. */
const TAUGHT = [
  {
    scenario: 'equivocator',
    seed: 3,
    taught:
      'who knows both Metablocks of an equivocator tells those that vote for the one they know',
  },
  {
    scenario: 'censor',
    seed: 6376,
    taught: 'nothing is asked for any more that lies below the finalized head',
  },
  {
    scenario: 'hand-over',
    seed: 6,
    taught: 'a Block that came before its group was known is not final, but has to come again',
  },
  {
    scenario: 'cuts-beside-a-cutter',
    seed: 3,
    taught: 'what leads up to a cut is no rival of it, however much of it was held',
  },
  {
    scenario: 'ring-of-links',
    seed: 1295,
    taught: 'of the votes of one owner those at the highest Ballots stay, not those that came last',
  },
  {
    scenario: 'cuts-and-a-newcomer',
    seed: 927,
    taught: 'who began at a cut asks not for ever for what may be gone from every disk',
  },
  {
    scenario: 'cuts-and-an-owner-long-away',
    seed: 301376,
    taught:
      'what honest owners voted for may be gone from every disk, and then nobody asks on for it',
  },
] as const;

describe('what failed once holds', () => {
  it.each(TAUGHT)('$taught: $scenario, seed $seed', { timeout: 120_000 }, ({ scenario, seed }) => {
    const named = ALL_SCENARIOS.find(({ name }) => name === scenario)!;
    expect(run(named, seed).levels).toBeGreaterThan(0);
  });
});
