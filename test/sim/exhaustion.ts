import {
  type ChainView,
  derivePromises,
  firstBrokenRule,
  type Promises,
  type VoteRules,
} from '../../src/consensus/vote-rules.ts';
import type { MetablockId } from '../../src/model/metablock.ts';
import type { Ballot } from '../../src/model/numbers.ts';

/**
 * All interleavings of a small scope: four owners, one of whom votes for everything; two Levels,
 * three Ballots.
 *
 * What makes it small, and what it leaves out:
 * - Two Metablocks without a predecessor, `A` and `B`, with one child each, `a` and `b`. A fork
 *   needs no more: two rivals, each with a Finalizable child. More candidates draw votes away.
 * - All four are there from the start, and every vote is known to all at once: that allows the
 *   most. What is Finalized each owner learns at any time, or never.
 * - An owner moves to a Ballot by voting there. To move without a vote only forbids.
 * - Availability (V4) is given: without Entries fewer votes are allowed.
 * - Honest owners are alike, and so are the two sides: of states that are the same but for names
 *   one is looked at.
 *
 * @source consensus.md 9.
 */
const NAMES = ['A', 'B', 'a', 'b'] as const;
const PARENTS: readonly (number | null)[] = [null, null, 0, 1];
/** The same Metablock on the other side. */
const MIRROR: readonly number[] = [1, 0, 3, 2];
const BALLOTS = 3;
const HONEST = 3;

const idOf = (node: number) => NAMES[node] as string as MetablockId;
const nodeOf = (id: MetablockId) => NAMES.indexOf(id as string as (typeof NAMES)[number]);
/** The place of (Metablock, Ballot) in a mask of votes. */
const bitOf = (node: number, ballot: number) => 1 << (node * BALLOTS + ballot);

/** One honest owner: what it promised, what it voted, and what it knows to be Finalized. */
interface Owner {
  readonly promises: Promises;
  readonly votes: number;
  readonly finalized: number | null;
}

const FRESH: Owner = {
  promises: { ballot: 0 as Ballot, votedBallot: 0 as Ballot, votes: [], lock: null },
  votes: 0,
  finalized: null,
};

function keyOf({ promises, votes, finalized }: Owner): string {
  const { ballot, votedBallot, lock } = promises;
  const tips = [...promises.votes].sort().join('');
  return `${votes} ${ballot} ${votedBallot} ${tips} ${lock?.metablock}${lock?.ballot} ${finalized}`;
}

function mirrorMask(mask: number): number {
  let mirrored = 0;
  for (const [node, other] of MIRROR.entries()) {
    for (let ballot = 0; ballot < BALLOTS; ballot++) {
      if ((mask & bitOf(node, ballot)) !== 0) mirrored |= bitOf(other, ballot);
    }
  }
  return mirrored;
}

function mirrorOwner({ promises, votes, finalized }: Owner): Owner {
  const other = (id: MetablockId) => idOf(MIRROR[nodeOf(id)]!);
  const { lock } = promises;
  return {
    promises: {
      ...promises,
      votes: promises.votes.map(other),
      lock: lock === null ? null : { ...lock, metablock: other(lock.metablock) },
    },
    votes: mirrorMask(votes),
    finalized: finalized === null ? null : MIRROR[finalized]!,
  };
}

/** Is it final: is a child of it Finalizable at some Ballot? */
function isFinal(finalizable: number, node: number): boolean {
  return PARENTS.some((parent, child) => {
    if (parent !== node) return false;
    return (finalizable & (bitOf(child, 0) | bitOf(child, 1) | bitOf(child, 2))) !== 0;
  });
}

function viewOf(owner: Owner, finalizable: number): ChainView {
  const isParent = (a: MetablockId, b: MetablockId) => PARENTS[nodeOf(b)] === nodeOf(a);
  const { finalized } = owner;
  const known = finalized === null ? null : idOf(finalized);
  return {
    isKnown: () => true,
    predecessorOf: (id) => {
      const parent = PARENTS[nodeOf(id)] ?? null;
      return parent === null ? null : idOf(parent);
    },
    isAncestor: isParent,
    isFinalized: (id) => id === known,
    isWithFinalized: (id) => known === null || id === known || isParent(known, id),
    finalizableBallots: (id) =>
      Array.from({ length: BALLOTS }, (_, ballot) => ballot as Ballot).filter(
        (ballot) => (finalizable & bitOf(nodeOf(id), ballot)) !== 0,
      ),
    isAvailable: () => true,
  };
}

/** All states that can be reached, breadth first. */
export class Exhaustion {
  private readonly rules: VoteRules;
  private readonly owners: Owner[] = [];
  private readonly numbers = new Map<string, number>();
  private readonly mirrors: number[] = [];
  /** By owner and what is Finalizable: what the owner can become by one deed. */
  private readonly moves = new Map<number, readonly number[]>();
  private readonly seen = new Set<number>();

  constructor(rules: VoteRules) {
    this.rules = rules;
  }

  get states(): number {
    return this.seen.size;
  }

  /** @returns whether a fork can be reached. */
  run(): boolean {
    const fresh = this.number(FRESH);
    let frontier = [[fresh, fresh, fresh]];
    while (frontier.length > 0) {
      const next: number[][] = [];
      for (const state of frontier) {
        const finalizable = this.finalizableIn(state);
        if (isFinal(finalizable, 0) && isFinal(finalizable, 1)) return true;
        for (let at = 0; at < HONEST; at++) {
          if (at > 0 && state[at] === state[at - 1]) continue;
          for (const move of this.movesOf(state[at]!, finalizable)) {
            const canonical = this.canonicalOf(state.with(at, move));
            if (this.isNew(canonical)) next.push(canonical);
          }
        }
      }
      frontier = next;
    }
    return false;
  }

  private number(owner: Owner): number {
    const key = keyOf(owner);
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.owners.length;
      this.numbers.set(key, number);
      this.owners.push(owner);
    }
    return number;
  }

  private mirrorOf(number: number): number {
    this.mirrors[number] ??= this.number(mirrorOwner(this.owners[number]!));
    return this.mirrors[number];
  }

  /** Certified by two honest owners, which with the liar are a Quorum. */
  private finalizableIn(state: readonly number[]): number {
    const [a, b, c] = state.map((number) => this.owners[number]!.votes) as [number, number, number];
    return (a & b) | (a & c) | (b & c);
  }

  private canonicalOf(state: readonly number[]): number[] {
    const sorted = state.toSorted((a, b) => a - b);
    const mirrored = state.map((number) => this.mirrorOf(number)).sort((a, b) => a - b);
    for (const [at, number] of sorted.entries()) {
      if (number !== mirrored[at]) return number < mirrored[at]! ? sorted : mirrored;
    }
    return sorted;
  }

  private isNew(state: readonly number[]): boolean {
    let key = 0;
    for (const number of state) key = key * 2 ** 17 + number;
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    return true;
  }

  private movesOf(number: number, finalizable: number): readonly number[] {
    const key = number * 2 ** (NAMES.length * BALLOTS) + finalizable;
    let moves = this.moves.get(key);
    if (moves === undefined) {
      moves = this.deriveMoves(this.owners[number]!, finalizable);
      this.moves.set(key, moves);
    }
    return moves;
  }

  private deriveMoves(owner: Owner, finalizable: number): number[] {
    const moves: number[] = [];
    const chain = viewOf(owner, finalizable);
    for (let node = 0; node < NAMES.length; node++) {
      if (owner.finalized === null && isFinal(finalizable, node)) {
        moves.push(this.number({ ...owner, finalized: node }));
      }
      for (let ballot = 0; ballot < BALLOTS; ballot++) {
        if ((owner.votes & bitOf(node, ballot)) !== 0) continue;
        const vote = { metablock: idOf(node), ballot: ballot as Ballot };
        if (firstBrokenRule(this.rules, owner.promises, chain, vote) !== null) continue;
        const promises = derivePromises(owner.promises, chain, vote);
        moves.push(this.number({ ...owner, promises, votes: owner.votes | bitOf(node, ballot) }));
      }
    }
    return moves;
  }
}
