import type { MetablockId } from '../model/metablock.ts';
import type { Ballot, Generation } from '../model/numbers.ts';

/**
 * The rules of voting, and every comparison of Ballots and Generations that a decision rests on,
 * side by side. The numbers are those of consensus.md 3.
 */

/**
 * The Metablock that an owner does not leave without a Quorum's leave, and the Ballot it is held
 * at.
 */
export interface Lock {
  readonly metablock: MetablockId;
  readonly ballot: Ballot;
}

/** What one owner promised for one Sync Group. */
export interface Promises {
  /** R. */
  readonly ballot: Ballot;
  readonly votedBallot: Ballot;
  readonly votes: readonly MetablockId[];
  readonly lock: Lock | null;
}

/** What an owner knows of the tree of one Sync Group. */
export interface ChainView {
  /** Does it stand in the tree that is known here? */
  isKnown(metablock: MetablockId): boolean;
  /** `undefined` for what is not known. */
  predecessorOf(metablock: MetablockId): MetablockId | null | undefined;
  isAncestor(ancestor: MetablockId, descendant: MetablockId): boolean;
  isFinalized(metablock: MetablockId): boolean;
  /** Is it on one chain with all that is known to be Finalized? */
  isWithFinalized(metablock: MetablockId): boolean;
  /** Ballots at which it is Finalizable. */
  finalizableBallots(metablock: MetablockId): readonly Ballot[];
  /** Are the Entries of its Blocks here and right, or does the Pact ask for headers alone? */
  isAvailable(metablock: MetablockId): boolean;
}

export type VoteRule = 'V1' | 'V2' | 'V3a' | 'V3b' | 'V4';

export type RuleCheck = (
  promises: Promises,
  chain: ChainView,
  vote: { readonly metablock: MetablockId; readonly ballot: Ballot },
) => boolean;

export type VoteRules = Readonly<Record<VoteRule, RuleCheck>>;

/** On one chain: the same, or one an ancestor of the other. @source consensus.md 1. */
function onOneChain(chain: ChainView, a: MetablockId, b: MetablockId): boolean {
  return a === b || chain.isAncestor(a, b) || chain.isAncestor(b, a);
}

/**
 * Is `from`, or what is below it, Finalizable above the lock's Ballot and at most at `max`? What
 * lies below the lock itself does not count.
 */
function isReleased(
  lock: Lock,
  chain: ChainView,
  { from, max }: { readonly from: MetablockId | null | undefined; readonly max: Ballot },
): boolean {
  let at = from;
  while (at !== null && at !== undefined && !chain.isAncestor(at, lock.metablock)) {
    if (chain.finalizableBallots(at).some((b) => b > lock.ballot && b <= max)) return true;
    at = chain.predecessorOf(at);
  }
  return false;
}

export const VOTE_RULES: VoteRules = {
  /** All that is certified at one Ballot lies on one chain. What is not known lies on none. */
  V1: (promises, chain, { metablock, ballot }) =>
    promises.votedBallot !== ballot ||
    promises.votes.every((vote) => chain.isKnown(vote) && onOneChain(chain, vote, metablock)),

  /** Never below R; never against what is known to be Finalized. */
  V2: (promises, chain, { metablock, ballot }) =>
    ballot >= promises.ballot && chain.isWithFinalized(metablock),

  /** Base: the predecessor is none, or Finalizable at this same Ballot, or Finalized. */
  V3a: (_promises, chain, { metablock, ballot }) => {
    const before = chain.predecessorOf(metablock);
    if (before === undefined) return false;
    if (before === null || chain.isFinalized(before)) return true;
    return chain.finalizableBallots(before).includes(ballot);
  },

  /** Lock: on one chain with it, or a Quorum above its Ballot on this chain released it. */
  V3b: ({ lock }, chain, { metablock, ballot }) => {
    if (lock === null) return true;
    if (!chain.isKnown(lock.metablock)) return false;
    if (onOneChain(chain, metablock, lock.metablock)) return true;
    const isOwn = chain.finalizableBallots(metablock).some((b) => b > lock.ballot && b < ballot);
    return isOwn || isReleased(lock, chain, { from: chain.predecessorOf(metablock), max: ballot });
  },

  /** Availability; a Quorum's word does as well. */
  V4: (_promises, chain, { metablock }) =>
    chain.finalizableBallots(metablock).length > 0 || chain.isAvailable(metablock),
};

const ORDER: readonly VoteRule[] = ['V1', 'V2', 'V3a', 'V3b', 'V4'];

/**
 * Says whether an owner may certify `vote.metablock` at `vote.ballot`; changes nothing.
 *
 * @returns null where it may, else the first rule that forbids it, V1 to V4.
 * @source consensus.md 3; «Is Certifiable», FIG. 6B.
 */
export function firstBrokenRule(
  rules: VoteRules,
  promises: Promises,
  chain: ChainView,
  vote: { readonly metablock: MetablockId; readonly ballot: Ballot },
): VoteRule | null {
  for (const rule of ORDER) if (!rules[rule](promises, chain, vote)) return rule;
  return null;
}

/**
 * May a new child of `head` (null: a first Metablock) be certified at R? The answer of V1 and V3b
 * for a Metablock that does not exist yet and is in nobody's way but by its predecessor.
 */
export function permitsNewChild(
  promises: Promises,
  chain: ChainView,
  head: MetablockId | null,
): boolean {
  const isBelow = (id: MetablockId) =>
    head !== null && (id === head || (chain.isKnown(id) && chain.isAncestor(id, head)));
  const { ballot, votedBallot, votes, lock } = promises;
  if (votedBallot === ballot && !votes.every(isBelow)) return false;
  if (lock === null || isBelow(lock.metablock)) return true;
  return chain.isKnown(lock.metablock) && isReleased(lock, chain, { from: head, max: ballot });
}

/**
 * What an owner promised, once it has certified the vote.
 *
 * The lock follows the predecessor `p` of what was certified: it moves to `p` unless `p` is the
 * locked Metablock itself, whose Ballot then rises, or an ancestor of it, where nothing changes.
 *
 * @source consensus.md 3, after V4.
 */
export function derivePromises(
  promises: Promises,
  chain: ChainView,
  { metablock, ballot }: { readonly metablock: MetablockId; readonly ballot: Ballot },
): Promises {
  const earlier = promises.votedBallot === ballot ? promises.votes : [];
  return {
    ballot: Math.max(promises.ballot, ballot) as Ballot,
    votedBallot: ballot,
    votes: earlier.includes(metablock) ? earlier : [...earlier, metablock],
    lock: deriveLock(promises.lock, chain, { metablock, ballot }),
  };
}

function deriveLock(
  lock: Lock | null,
  chain: ChainView,
  { metablock, ballot }: { readonly metablock: MetablockId; readonly ballot: Ballot },
): Lock | null {
  const before = chain.predecessorOf(metablock) ?? null;
  // A predecessor that is not kept lies below the finalized head: V2 holds there what a lock would.
  if (before === null || !chain.isKnown(before)) return lock;
  if (lock === null) return { metablock: before, ballot };
  if (before === lock.metablock) {
    return { metablock: before, ballot: Math.max(lock.ballot, ballot) as Ballot };
  }
  return chain.isAncestor(before, lock.metablock) ? lock : { metablock: before, ballot };
}

/** Head of g: the Finalizable one with the highest (Ballot, Level). @source consensus.md 4. */
export function isHigherHead(
  a: { readonly ballot: number; readonly level: number },
  b: { readonly ballot: number; readonly level: number },
): boolean {
  return a.ballot !== b.ballot ? a.ballot > b.ballot : a.level > b.level;
}

/**
 * The Ballot to follow: f + 1 owners are at it or higher, so an honest one is.
 *
 * @param others Highest Ballot seen of each other owner.
 * @param faults f = ceil(n / 3) - 1.
 * @returns R where there is nothing to follow.
 * @source consensus.md 5.
 */
export function deriveFollowed(others: Iterable<Ballot>, faults: number, own: Ballot): Ballot {
  const higher = [...others].filter((ballot) => ballot > own).sort((a, b) => b - a);
  return higher[faults] ?? own;
}

/** A Generation may leap, but by no more than this. @source consensus.md 2, rule 1. */
const GENERATION_LEAP_MAX = 2 ** 32;

/** @param before Of the predecessor in the group; -1 where there is none. */
export function isNextGeneration(before: Generation, generation: Generation): boolean {
  const leap = generation - before;
  return leap >= 1 && leap <= GENERATION_LEAP_MAX && Number.isSafeInteger(generation);
}

/** Generations rise along a chain, so one as low as the finalized head's cannot descend from it. */
export function isBelowFinalized(generation: Generation, finalized: Generation): boolean {
  return generation <= finalized;
}
