import { describe, expect, it } from 'vitest';
import { VOTE_RULES } from '../../src/consensus/vote-rules.ts';
import { Exhaustion } from './exhaustion.ts';
import { withoutRule } from './mutation.ts';

describe('all interleavings of four owners, one a liar, two Levels and three Ballots', () => {
  it('reach no fork', { timeout: 120_000 }, () => {
    const exhaustion = new Exhaustion(VOTE_RULES);
    expect(exhaustion.run()).toBe(false);
    expect(exhaustion.states).toBeGreaterThan(10_000);
  });

  it.each(['V2', 'V3b'] as const)('reach one without %s', { timeout: 120_000 }, (rule) => {
    expect(new Exhaustion(withoutRule(rule).rules!).run()).toBe(true);
  });
});
