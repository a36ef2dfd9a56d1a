import { describe } from '../../src/consensus/metablockchain.ts';
import type { SimNode } from './node.ts';
import { NO_FAULTS } from './scenario.ts';
import { SimWorld } from './world.ts';

/** Finality of lone Blocks, nothing going wrong. */
export interface DelayPlan {
  readonly owners: number;
  /** Of the owners with the first turn at the Level of each Block, are they dead? */
  readonly isFirstDead?: boolean;
  readonly oneWayMs: number;
}

export interface Delay {
  /** From issuing to finality at the issuer. */
  readonly finalityMs: number;
  readonly isPreparer: boolean;
}

/** Virtual time in which everything about one Block is long over. */
const REST_MS = 2000;

/** The Level of the next Metablock. */
function nextLevel({ state }: SimNode): number {
  const [group] = state === null ? [] : describe(state);
  return (group?.head?.level ?? -1) + 1;
}

/**
 * Issues Blocks one by one, each after all before it are final, and measures each at its issuer.
 * With `isFirstDead` the first of the sorted owners is down: what is measured are the Blocks whose
 * Level gives it the first turn.
 */
export function measureDelays(plan: DelayPlan, seed: number): Delay[] {
  const { owners, oneWayMs } = plan;
  const all = Array.from({ length: owners }, (_, index) => index);
  const world = new SimWorld(
    {
      name: 'calm',
      participants: owners,
      groups: [{ owners: all }],
      faults: { ...NO_FAULTS, delayMinMs: oneWayMs, delayMaxMs: oneWayMs },
      blocksPerSecond: 0,
    },
    seed,
  );
  const group = world.groups[0]!;
  const first = world.nodes.find(({ id }) => id === group.owners[0])!;
  if (plan.isFirstDead === true) world.dead.add(first);
  world.start(0);
  const living = world.nodes.filter((node) => !world.dead.has(node));
  const delays: Delay[] = [];
  for (let block = 0; block < 6 * owners; block++) {
    world.time.run(world.time.nowMs + REST_MS);
    const issuer = living[block % living.length]!;
    const level = nextLevel(issuer);
    const before = world.finalityMs.length;
    issuer.issueBlock(group);
    world.time.run(world.time.nowMs + REST_MS);
    const finalityMs = world.finalityMs[before];
    if (finalityMs === undefined) throw new Error(`Block ${block} is not final in ${REST_MS} ms`);
    const due = group.owners[level % owners];
    if (plan.isFirstDead === true && due !== first.id) continue;
    delays.push({ finalityMs, isPreparer: owners === 1 || due === issuer.id });
  }
  return delays;
}
