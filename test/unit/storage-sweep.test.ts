import { beforeEach, describe, expect, it } from 'vitest';
import type { Metablock } from '../../src/model/metablock.ts';
import { type Ballot, NO_GENERATION } from '../../src/model/numbers.ts';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/storage/open-store.ts';
import {
  ada,
  bert,
  certificateOf,
  cleo,
  door,
  finalize,
  groupOf,
  introduce,
  metablockAfter,
  pactOf,
  sha256,
} from '../contract/store-samples.ts';

const group = groupOf(door, ada, bert, cleo);
const other = groupOf(pactOf('gate', { open: { type: 'boolean' } }), ada, bert);

let store: Store;

beforeEach(() => {
  store = openStore({ file: ':memory:', hash: sha256 });
  introduce(store, door, group);
});

function put(metablock: Metablock, ...votes: readonly (readonly [string, number])[]): void {
  const names: Record<string, typeof ada> = { ada, bert, cleo };
  store.transaction(() => {
    store.putMetablock(metablock);
    for (const [name, ballot] of votes) {
      store.putCertificate(certificateOf(metablock.id, names[name]!, group, ballot));
    }
  });
}

/** A chain of so many Levels, all final, with every vote of two Ballots kept. */
function chainOf(levels: number): Metablock[] {
  const chain: Metablock[] = [];
  for (let level = 0; level < levels; level++) {
    const next = metablockAfter(chain.at(-1) ?? null, [group]);
    put(next, ['ada', 0], ['bert', 0], ['cleo', 0], ['ada', 1], ['bert', 1]);
    finalize(store, group, [], { id: next.id, level });
    chain.push(next);
  }
  return chain;
}

function sweepAll(limit = 100): void {
  while (store.transaction(() => store.sweep(group.id, limit)));
}

describe('sweeping', () => {
  it('keeps one Quorum of each Level below the finalized head, and all above', () => {
    const chain = chainOf(4);
    sweepAll();
    const kept = chain.map(({ id }) => store.certificates(id));
    expect(kept.map((each) => each.length)).toEqual([2, 2, 2, 5]);
    const ballots = kept[0]!.flatMap(({ entries }) => entries.map(({ ballot }) => ballot));
    expect(ballots).toEqual([0, 0]);
  });

  it('throws away rivals of what is final, with their votes', () => {
    const [first, second] = chainOf(2);
    const rival = metablockAfter(first!, [group], [], bert);
    put(rival, ['bert', 0]);
    expect(second!.generation).toBe(rival.generation);
    sweepAll();
    expect(store.metablock(rival.id)).toBeNull();
    expect(store.certificates(rival.id)).toEqual([]);
    expect(store.metablock(second!.id)).not.toBeNull();
  });

  it('throws away nothing that a vote or a lock names', () => {
    const [first] = chainOf(2);
    const [voted, locked] = [bert, cleo].map((issuer) => {
      const rival = metablockAfter(first!, [group], [], issuer);
      put(rival, ['ada', 0]);
      return rival.id;
    });
    store.transaction(() =>
      store.putVote({
        group: group.id,
        ballot: 1 as Ballot,
        votedBallot: 1 as Ballot,
        votes: [first!.id, voted!],
        lock: { metablock: locked!, ballot: 1 as Ballot },
        highestCertified: NO_GENERATION,
        highestFinalizable: NO_GENERATION,
      }),
    );
    sweepAll();
    expect([store.metablock(voted!), store.metablock(locked!)]).not.toContain(null);
  });

  it('throws away nothing that another group has not decided', () => {
    introduce(store, pactOf('gate', { open: { type: 'boolean' } }), other);
    const both = metablockAfter(null, [group, other], [], bert);
    put(both, ['ada', 0]);
    chainOf(2);
    sweepAll();
    expect(store.metablock(both.id)).not.toBeNull();
    expect(store.certificates(both.id)).toHaveLength(1);
  });

  it('waits with a rival that leapt ahead until the chain has passed it', () => {
    const [first] = chainOf(2);
    const ahead = metablockAfter({ ...first!, generation: 9 as Metablock['generation'] }, [group]);
    put(ahead, ['ada', 0]);
    sweepAll();
    expect(store.metablock(ahead.id)).not.toBeNull();
  });

  it('looks at no more than it is told to, and comes to an end', () => {
    const chain = chainOf(5);
    expect(store.transaction(() => store.sweep(group.id, 2))).toBe(true);
    expect(chain.map(({ id }) => store.certificates(id).length)).toEqual([2, 2, 5, 5, 5]);
    sweepAll(2);
    sweepAll(2);
    expect(chain.map(({ id }) => store.certificates(id).length)).toEqual([2, 2, 2, 2, 5]);
  });
});
