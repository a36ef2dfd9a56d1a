import { describe, expect, it } from 'vitest';
import { seedsOf } from './seeds.ts';
import { SimWorld } from './world.ts';

const CUTS = 5;

describe('a power cut for all at once', () => {
  it.each([2, 3, 4])('loses nothing and stops nothing: %d owners', { timeout: 60_000 }, (count) => {
    for (const seed of seedsOf(5)) {
      const owners = Array.from({ length: count }, (_, index) => index);
      const world = new SimWorld(
        { name: 'power cut', participants: count, groups: [{ owners }], blocksPerSecond: 10 },
        seed,
      );
      world.start(3000);
      for (let cut = 1; cut <= CUTS; cut++) {
        world.time.run(world.time.nowMs + 300 + 37 * seed);
        for (const node of world.nodes) node.state = null;
        for (const node of world.nodes) node.start();
      }
      world.heal();
      world.settle(60_000);
      world.checkSilence(60_000);
      expect(world.checker.levels).toBeGreaterThan(0);
    }
  });
});
