import { serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsensusEvent } from '../../src/consensus/events.ts';
import { restore, step } from '../../src/consensus/metablockchain.ts';
import type { MetablockId } from '../../src/model/metablock.ts';
import { KeyedSigner } from '../sim/keyed-signer.ts';
import { NO_FAULTS } from '../sim/scenario.ts';
import { SimWorld } from '../sim/world.ts';
import { contextOf } from '../unit/consensus-fixture.ts';

/** All that four owners sent each other while they agreed on some Blocks. */
function record(seed: number) {
  const world = new SimWorld(
    {
      name: 'recorded',
      participants: 4,
      groups: [{ owners: [0, 1, 2, 3] }],
      faults: { ...NO_FAULTS, delayMaxMs: 20 },
      blocksPerSecond: 6,
    },
    seed,
  );
  world.start(1500);
  world.time.run(1500);
  world.settle(10_000);
  const events: ConsensusEvent[] = [];
  const { store } = world.nodes[0]!;
  for (const { block } of store.blocks.values()) events.push({ kind: 'block', block, held: true });
  for (const metablock of store.metablocks.values()) {
    events.push({ kind: 'metablock', metablock });
    for (const certificate of store.certificatesOf(metablock.id)) {
      events.push({ kind: 'certificate', certificate });
    }
  }
  return { group: world.groups[0]!, events, chain: store.chains.get(world.groups[0]!.id)! };
}

const recorded = record(7);

function start() {
  const context = contextOf(new KeyedSigner('an observer'));
  const none = {
    votes: [],
    heads: [],
    alarms: new Map(),
    forks: [],
    metablocks: [],
    certificates: [],
    blocks: [],
  };
  return { context, state: restore(context, { groups: [recorded.group], ...none }, 0) };
}

describe('the order of delivery', () => {
  it('does not change what becomes final', () => {
    expect(recorded.chain.length).toBeGreaterThan(10);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(recorded.events, { minLength: recorded.events.length }),
        (events) => {
          const { context, state: first } = start();
          let state = first;
          const final: MetablockId[] = [];
          for (const event of events) {
            const next = step(context, state, event, 1);
            state = next.state;
            for (const effect of next.effects) {
              if (effect.kind === 'finalize') final.push(effect.metablock.id);
            }
          }
          expect(final).toEqual(recorded.chain);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('leads to a prefix of the same chain where things are lost and come twice', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...recorded.events), { maxLength: 300 }), (events) => {
        const { context, state: first } = start();
        let state = first;
        const final: MetablockId[] = [];
        for (const event of events) {
          const next = step(context, state, event, 1);
          state = next.state;
          for (const effect of next.effects) {
            if (effect.kind === 'finalize') final.push(effect.metablock.id);
          }
        }
        expect(final).toEqual(recorded.chain.slice(0, final.length));
      }),
      { numRuns: 40 },
    );
  });
});

describe('a step', () => {
  it('leaves the given state as it is, and gives the same again', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...recorded.events), { maxLength: 60 }), (events) => {
        const { context, state: first } = start();
        let state = first;
        for (const [index, event] of events.entries()) {
          const before = serialize(state);
          const one = step(context, state, event, index);
          expect(serialize(state).equals(before)).toBe(true);
          const two = step(context, state, event, index);
          expect(serialize(two).equals(serialize(one))).toBe(true);
          state = one.state;
        }
      }),
      { numRuns: 10 },
    );
  });
});
