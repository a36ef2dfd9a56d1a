import Database from 'better-sqlite3';
import type { ConsensusEffect } from '../../src/consensus/events.ts';
import type { Store } from '../../src/ports/store.ts';
import { storeOver } from '../../src/storage/open-store.ts';
import { sha256 } from './keyed-signer.ts';
import { NO_FAULTS, type Scenario } from './scenario.ts';
import { highest, type Sizes, sizesOf } from './state-size.ts';
import { SimWorld } from './world.ts';

export interface Soak {
  readonly generations: number;
  /** Highest counts of one stretch after the other, each of the same number of Generations. */
  readonly stretches: readonly Sizes[];
}

/** Owners under load on links that lose, repeat and reorder: rivals come up all the time. */
const SCENARIO: Scenario = {
  name: 'soak',
  participants: 4,
  groups: [{ owners: [0, 1, 2, 3] }],
  blocksPerSecond: 30,
  faults: { ...NO_FAULTS, loss: 0.02, duplication: 0.05, delayMinMs: 2, delayMaxMs: 12 },
  settings: { prepareIntervalMs: 1, prepareBlockCount: 1 },
};

const SAMPLE_MS = 500;
const SWEEP_ROWS = 64;

/** What one Participant stores, in the tables of production beside those of the simulation. */
function mirror(world: SimWorld, database: Database.Database): Store {
  const store = storeOver(database, { file: ':memory:', hash: sha256 });
  const node = world.nodes[0]!;
  store.transaction(() => {
    for (const group of node.store.groups) store.putGroup(group);
  });
  const stack = node.store.stack.bind(node.store);
  node.store.stack = (block, held) => {
    stack(block, held);
    store.transaction(() => store.putBlock(block, null));
  };
  const apply = node.store.apply.bind(node.store);
  node.store.apply = (effect) => {
    apply(effect);
    store.transaction(() => write(store, effect));
  };
  return store;
}

function write(store: Store, effect: ConsensusEffect): void {
  switch (effect.kind) {
    case 'store-vote':
      store.putVote(effect.record);
      return;
    case 'store-metablock':
      store.putMetablock(effect.metablock);
      return;
    case 'store-certificate':
      store.putCertificate(effect.certificate);
      return;
    case 'finalize': {
      const { group, level, metablock } = effect.head;
      const blocks = effect.blocks.map((block) => ({ block, entries: null }));
      store.finalize({ group, chain: { metablock, level }, blocks });
      store.sweep(group, SWEEP_ROWS);
      return;
    }
    default:
  }
}

/** Runs until so many Generations are final, in stretches. */
export function soak(generations: number, stretchCount: number): Soak {
  const world = new SimWorld(SCENARIO, 11);
  const database = new Database(':memory:');
  const store = mirror(world, database);
  const stretches: Sizes[] = [];
  world.start(Number.POSITIVE_INFINITY);
  for (let stretch = 1; stretch <= stretchCount; stretch++) {
    const until = (generations * stretch) / stretchCount;
    let sizes: Sizes = {};
    while (world.checker.levels < until) {
      world.time.run(world.time.nowMs + SAMPLE_MS);
      for (const { state } of world.nodes)
        if (state !== null) sizes = highest(sizes, sizesOf(state));
      sizes = highest(sizes, tableSizes(world, database));
    }
    stretches.push(sizes);
  }
  store.close();
  return { generations: world.checker.levels, stretches };
}

/** The tables of what is not decided, and of what is kept for each retained Level. */
function tableSizes(world: SimWorld, database: Database.Database): Sizes {
  const count = (from: string) =>
    database.prepare<[], number>(`SELECT count(*) FROM ${from}`).pluck().get()!;
  const levels = Math.max(1, world.checker.levels);
  return {
    'open Metablocks stored': count('vb_place WHERE state < 2'),
    'rivals stored': count('vb_place WHERE state = 3'),
    'Certificates stored for 100 Levels': Math.ceil((100 * count('vb_certificate')) / levels),
    'votes stored': count('vb_vote'),
    'evidence stored': count('vb_evidence'),
    'Blocks stored that are not final': count('vb_block WHERE first_seq IS NULL'),
  };
}
