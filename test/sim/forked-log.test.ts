import { describe, expect, it } from 'vitest';
import { Prng } from './prng.ts';
import { NO_FAULTS, type Scenario } from './scenario.ts';
import { seedsOf } from './seeds.ts';
import { SimWorld } from './world.ts';

const SEEDS = 10;

/** Links so slow that every owner has prepared by the time at which it hears of another branch. */
function plan(owners: number, branchers: number): Scenario {
  return {
    name: `${branchers} of ${owners} fork their logs`,
    participants: owners,
    groups: [{ owners: Array.from({ length: owners }, (_, index) => index) }],
    blocksPerSecond: 0,
    liars: Array.from({ length: branchers }, () => 'brancher' as const),
    faults: { ...NO_FAULTS, delayMinMs: 100, delayMaxMs: 140 },
  };
}

/**
 * First those who fork issue Blocks, and each owner prepares what it got: a branch of its own. Only
 * then the others have something to say. Before an owner could make another child beside one that a
 * fork proof covers, nothing of theirs ever became final: Ballot 6, Level none, in 8 of 10 seeds.
 */
function run(scenario: Scenario, seed: number): SimWorld {
  const world = new SimWorld(scenario, seed);
  const branchers = scenario.liars?.length ?? 0;
  const prng = new Prng(seed);
  const [group] = world.groups;
  world.start(0);
  for (const [index, node] of world.nodes.entries()) {
    const isBrancher = index < branchers;
    const times = isBrancher ? [10, 11, 12] : [1000 + prng.between(0, 500)];
    for (const atMs of times) world.time.at(atMs, () => node.issueBlock(group!));
  }
  world.time.run(2000);
  world.heal();
  return world;
}

describe('where an owner tells each other owner of another branch of its log', () => {
  it.each([
    [4, 1],
    [7, 2],
  ])('the Blocks of the others become final: %i owners', { timeout: 120_000 }, (owners, liars) => {
    for (const seed of seedsOf(SEEDS)) {
      const world = run(plan(owners, liars), seed);
      expect(world.settle(10_000), `seed ${seed}`).toBeLessThan(10_000);
      world.checkSilence(60_000);
    }
  });

  it('every honest owner has the proof, also after it was down', { timeout: 60_000 }, () => {
    for (const seed of seedsOf(3)) {
      const world = run(plan(4, 1), seed);
      world.settle(10_000);
      const [, ...honest] = world.nodes;
      const last = honest.at(-1)!;
      last.crash();
      world.time.run(world.time.nowMs + 5000);
      for (const { store } of honest) expect(store.forks.size).toBe(1);
    }
  });
});
