import { describe, expect, it } from 'vitest';
import { measureDelays } from './delays.ts';
import { NO_FAULTS } from './scenario.ts';
import { SimWorld } from './world.ts';

const DELAY_MS = 10;

function calm(owners: number, more: Partial<SimWorld['scenario']> = {}): SimWorld {
  const all = Array.from({ length: owners }, (_, index) => index);
  const faults = { ...NO_FAULTS, delayMinMs: DELAY_MS, delayMaxMs: DELAY_MS };
  const scenario = { name: 'calm', participants: owners, groups: [{ owners: all }], faults };
  return new SimWorld({ ...scenario, ...more }, 5);
}

/** One-way delays until a lone Block is final at its issuer, and whether its issuer prepared. */
function delaysToFinality(owners: number): { delays: number; isPreparer: boolean }[] {
  const world = calm(owners, { blocksPerSecond: 0 });
  const group = world.groups[0]!;
  world.start(0);
  const results = Array.from({ length: 4 * owners }, (_, block) => {
    world.time.run(world.time.nowMs + 2000);
    const issuer = world.nodes[world.prng.below(owners)]!;
    issuer.issueBlock(group);
    world.time.run(world.time.nowMs + 2000);
    const delays = Math.round((10 * world.finalityMs[block]!) / DELAY_MS) / 10;
    // Each Block takes two Levels: its Metablock, and the child that closes it.
    return { delays, isPreparer: group.owners[(2 * block) % owners] === issuer.id };
  });
  expect(world.checker.ballots).toBe(0);
  return results;
}

describe('finality in one-way delays, nothing going wrong', () => {
  it('is 4 with four owners, 3 where the issuer of the Block prepares', () => {
    const results = delaysToFinality(4);
    for (const { delays, isPreparer } of results) expect(delays).toBe(isPreparer ? 3 : 4);
    expect(new Set(results.map((each) => each.isPreparer)).size).toBe(2);
  });

  it('is at most 4 with 2, 3, 5 and 7 owners', () => {
    for (const owners of [2, 3, 5, 7]) {
      for (const { delays } of delaysToFinality(owners)) expect(delays).toBeLessThanOrEqual(4);
    }
  });
});

describe('finality in one-way delays, the first-ranked owner dead', () => {
  /** Half of the default turn: nobody knows how long links take before the first Block. */
  const oneWayMs = 20;

  it('is one turn more, from the first Block on, whoever issues it', () => {
    for (const owners of [4, 5, 7]) {
      for (let seed = 1; seed <= 4; seed++) {
        const delays = measureDelays({ owners, isFirstDead: true, oneWayMs }, seed);
        for (const { finalityMs } of delays) expect(finalityMs / oneWayMs).toBeLessThan(6.01);
      }
    }
  });

  it('ends no Ballot on links that are slower than a turn, once they are known', () => {
    const [first, ...later] = measureDelays({ owners: 4, isFirstDead: true, oneWayMs: 100 }, 1);
    expect(first!.finalityMs).toBeLessThan(2000);
    // The turn is a round trip, which is found by and by.
    for (const { finalityMs } of later) expect(finalityMs).toBeLessThan(700);
  });
});

describe('constant load on all owners', () => {
  const full = { prepareIntervalMs: 1, prepareBlockCount: 1 };

  it('gives a Level every two delays, and no Ballot ends', { timeout: 60_000 }, () => {
    for (const owners of [2, 3, 4]) {
      const world = calm(owners, { blocksPerSecond: 100, settings: full });
      world.start(3000);
      world.time.run(3000);
      const delaysPerLevel = 3000 / DELAY_MS / world.checker.levels;
      expect(delaysPerLevel).toBeLessThan(2.1);
      expect(world.checker.ballots).toBe(0);
    }
  });

  it('ends no Ballot on links that are uneven, with default settings', { timeout: 60_000 }, () => {
    for (const owners of [2, 3, 4]) {
      const faults = { ...NO_FAULTS, delayMinMs: 5, delayMaxMs: 15 };
      const world = calm(owners, { blocksPerSecond: 30, faults });
      world.start(5000);
      world.time.run(5000);
      expect(world.checker.levels).toBeGreaterThan(80);
      expect(world.checker.ballots).toBe(0);
    }
  });

  it('widens its turns on slow links until Ballots last', { timeout: 60_000 }, () => {
    const faults = { ...NO_FAULTS, delayMinMs: 60, delayMaxMs: 90 };
    const world = calm(4, { blocksPerSecond: 10, faults });
    world.start(40_000);
    world.time.run(20_000);
    const before = world.checker.ballots;
    world.time.run(40_000);
    expect(world.checker.ballots).toBe(before);
  });
});
