import { describe, expect, it } from 'vitest';
import {
  type ChainView,
  deriveFollowed,
  derivePromises,
  firstBrokenRule,
  isBelowFinalized,
  isHigherHead,
  isNextGeneration,
  type Promises,
  permitsNewChild,
  VOTE_RULES,
} from '../../src/consensus/vote-rules.ts';
import type { MetablockId } from '../../src/model/metablock.ts';
import type { Ballot, Generation } from '../../src/model/numbers.ts';

const id = (name: string) => name as MetablockId;
const at = (ballot: number) => ballot as Ballot;

/** A tree in one line: `B<A C<A` says that A is the predecessor of B and C; `=` gives Ballots. */
function chain(picture: string, also: Partial<ChainView> = {}): ChainView {
  const before = new Map<string, string | null>();
  const ballots = new Map<string, Ballot[]>();
  for (const each of picture.split(' ')) {
    const [place, numbers] = each.split('=');
    const [name, parent] = place!.split('<');
    before.set(name!, parent ?? null);
    ballots.set(name!, (numbers ?? '').split(',').filter(Boolean).map(Number).map(at));
  }
  const isAncestor = (a: string, b: string): boolean => {
    let node = before.get(b) ?? null;
    while (node !== null && node !== a) node = before.get(node) ?? null;
    return node === a;
  };
  return {
    isKnown: (each) => before.has(each),
    predecessorOf: (each) => before.get(each) as MetablockId | null | undefined,
    isAncestor,
    isFinalized: () => false,
    isWithFinalized: () => true,
    finalizableBallots: (each) => ballots.get(each) ?? [],
    isAvailable: () => true,
    ...also,
  };
}

function promises(some: Partial<Promises> = {}): Promises {
  return { ballot: at(0), votedBallot: at(0), votes: [], lock: null, ...some };
}

function broken(held: Promises, view: ChainView, name: string, ballot: number) {
  return firstBrokenRule(VOTE_RULES, held, view, { metablock: id(name), ballot: at(ballot) });
}

describe('V1: all that is certified at one Ballot lies on one chain', () => {
  const held = promises({ votes: [id('B')] });

  it('forbids a rival at the same Ballot', () => {
    expect(broken(held, chain('A=0 B<A C<A'), 'C', 0)).toBe('V1');
  });

  it('allows a rival at the next Ballot', () => {
    expect(broken(held, chain('A=0,1 B<A C<A'), 'C', 1)).toBeNull();
  });

  it('allows what is above and what is below', () => {
    expect(broken(held, chain('A=0 B<A=0 C<B'), 'C', 0)).toBeNull();
    expect(broken(held, chain('A=0 B<A C<A'), 'A', 0)).toBeNull();
  });

  it('holds a vote that is not known any more against everything', () => {
    const lost = promises({ votes: [id('lost')] });
    expect(broken(lost, chain('A=0 B<A'), 'B', 0)).toBe('V1');
  });
});

describe('V2: never below R, never against the Finalized', () => {
  it('allows R and forbids one less', () => {
    const held = promises({ ballot: at(3) });
    expect(broken(held, chain('A'), 'A', 3)).toBeNull();
    expect(broken(held, chain('A'), 'A', 2)).toBe('V2');
  });

  it('forbids a rival of the Finalized at every Ballot', () => {
    const view = chain('A B', { isWithFinalized: (each) => each === 'A' });
    expect(broken(promises(), view, 'B', 9)).toBe('V2');
    expect(broken(promises(), view, 'A', 9)).toBeNull();
  });
});

describe('V3a: the predecessor is none, Finalizable at the same Ballot, or Finalized', () => {
  it('allows a first Metablock', () => {
    expect(broken(promises(), chain('A'), 'A', 0)).toBeNull();
  });

  it('asks for the same Ballot, neither a lower nor a higher one', () => {
    expect(broken(promises(), chain('A=1 B<A'), 'B', 1)).toBeNull();
    expect(broken(promises(), chain('A=0 B<A'), 'B', 1)).toBe('V3a');
    expect(broken(promises(), chain('A=2 B<A'), 'B', 1)).toBe('V3a');
  });

  it('takes a Finalized predecessor at every Ballot', () => {
    const view = chain('A=0 B<A', { isFinalized: (each) => each === 'A' });
    expect(broken(promises(), view, 'B', 7)).toBeNull();
  });
});

describe('V3b: a lock is left only where a Quorum above it released it', () => {
  const locked = promises({ ballot: at(1), lock: { metablock: id('X'), ballot: at(1) } });

  it('allows what is on one chain with the lock', () => {
    expect(broken(locked, chain('X=2 Y<X'), 'Y', 2)).toBeNull();
    expect(broken(locked, chain('W X<W'), 'W', 2)).toBeNull();
  });

  it('forbids a rival that no Quorum stands behind', () => {
    expect(broken(locked, chain('X Z'), 'Z', 2)).toBe('V3b');
  });

  it('asks for a Ballot above that of the lock', () => {
    expect(
      broken(locked, chain('X Z=1 Y<Z', { isFinalized: (each) => each === 'Z' }), 'Y', 2),
    ).toBe('V3b');
    expect(broken(locked, chain('X Z=2 Y<Z'), 'Y', 2)).toBeNull();
  });

  it('takes the word of the Metablock itself below the Ballot of the vote only', () => {
    expect(broken(locked, chain('X Z=2'), 'Z', 3)).toBeNull();
    expect(broken(locked, chain('X Z=2'), 'Z', 2)).toBe('V3b');
  });

  it('does not take a common ancestor as a release', () => {
    expect(broken(locked, chain('A=2 X<A Z<A'), 'Z', 2)).toBe('V3b');
  });

  it('keeps a lock that is not at hand', () => {
    expect(broken(locked, chain('Z=2 Y<Z'), 'Y', 2)).toBe('V3b');
  });
});

describe('V4: availability', () => {
  const absent = { isAvailable: () => false };

  it('forbids a vote without the Entries', () => {
    expect(broken(promises(), chain('A', absent), 'A', 0)).toBe('V4');
  });

  it("takes a Quorum's word instead", () => {
    expect(broken(promises(), chain('A=0', absent), 'A', 1)).toBeNull();
  });
});

describe('promises after a vote', () => {
  const vote = (held: Promises, view: ChainView, name: string, ballot: number) =>
    derivePromises(held, view, { metablock: id(name), ballot: at(ballot) });

  it('locks the predecessor of what was certified', () => {
    expect(vote(promises(), chain('A=0 B<A'), 'B', 0).lock).toEqual({ metablock: 'A', ballot: 0 });
  });

  it('moves the lock up a chain, and never down', () => {
    const held = promises({ lock: { metablock: id('B'), ballot: at(1) } });
    const view = chain('A B<A C<B D<C');
    expect(vote(held, view, 'D', 2).lock).toEqual({ metablock: 'C', ballot: 2 });
    expect(vote(held, view, 'B', 2).lock).toEqual({ metablock: 'B', ballot: 1 });
    expect(vote(held, view, 'A', 2).lock).toEqual({ metablock: 'B', ballot: 1 });
  });

  it('raises the Ballot of the lock where its child is certified again', () => {
    const held = promises({ lock: { metablock: id('B'), ballot: at(1) } });
    expect(vote(held, chain('A B<A C<B'), 'C', 4).lock).toEqual({ metablock: 'B', ballot: 4 });
    expect(
      vote({ ...held, lock: { metablock: id('B'), ballot: at(5) } }, chain('B C<B'), 'C', 4).lock,
    ).toEqual({ metablock: 'B', ballot: 5 });
  });

  it('moves the lock to a rival that was released', () => {
    const held = promises({ lock: { metablock: id('X'), ballot: at(1) } });
    expect(vote(held, chain('X Z=2 Y<Z'), 'Y', 2).lock).toEqual({ metablock: 'Z', ballot: 2 });
  });

  it('remembers the votes of one Ballot, and R never falls', () => {
    const one = vote(promises(), chain('A B<A'), 'A', 1);
    const two = vote(one, chain('A B<A'), 'B', 1);
    expect(two.votes).toEqual(['A', 'B']);
    expect(vote(two, chain('A B<A'), 'A', 2)).toMatchObject({ ballot: 2, votes: ['A'] });
    expect(vote({ ...two, ballot: at(5) }, chain('A B<A'), 'A', 1).ballot).toBe(5);
  });
});

describe('a new child', () => {
  it('is permitted where a vote for it would be', () => {
    const view = chain('A=0 B<A C<A=2');
    expect(permitsNewChild(promises({ votes: [id('A')] }), view, id('A'))).toBe(true);
    expect(permitsNewChild(promises({ votes: [id('B')] }), view, id('A'))).toBe(false);
    expect(permitsNewChild(promises({ votes: [id('B')] }), view, null)).toBe(false);
    const locked = promises({
      ballot: at(2),
      votedBallot: at(1),
      lock: { metablock: id('B'), ballot: at(1) },
    });
    expect(permitsNewChild(locked, view, id('A'))).toBe(false);
    expect(permitsNewChild(locked, view, id('C'))).toBe(true);
  });
});

describe('order of Ballots and Generations', () => {
  it('follows only where f + 1 owners are higher, to where f + 1 of them are', () => {
    expect(deriveFollowed([at(9), at(0), at(0)], 1, at(0))).toBe(0);
    expect(deriveFollowed([at(9), at(3), at(0)], 1, at(0))).toBe(3);
    expect(deriveFollowed([at(9), at(3)], 0, at(4))).toBe(9);
    expect(deriveFollowed([at(4)], 0, at(4))).toBe(4);
  });

  it('puts the head at the highest Ballot, then at the highest Level', () => {
    expect(isHigherHead({ ballot: 2, level: 0 }, { ballot: 1, level: 9 })).toBe(true);
    expect(isHigherHead({ ballot: 1, level: 3 }, { ballot: 1, level: 2 })).toBe(true);
    expect(isHigherHead({ ballot: 1, level: 2 }, { ballot: 1, level: 2 })).toBe(false);
  });

  it('lets a Generation rise by 1 to 2^32', () => {
    const rises = (by: number) => isNextGeneration(-1 as Generation, (by - 1) as Generation);
    expect([0, 1, 2 ** 32, 2 ** 32 + 1].map(rises)).toEqual([false, true, true, false]);
  });

  it('puts nothing of the same Generation above the finalized head', () => {
    expect(isBelowFinalized(4 as Generation, 4 as Generation)).toBe(true);
    expect(isBelowFinalized(5 as Generation, 4 as Generation)).toBe(false);
  });
});
