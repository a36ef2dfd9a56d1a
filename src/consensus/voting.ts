import type { MetablockId } from '../model/metablock.ts';
import type { Ballot } from '../model/numbers.ts';
import { carriesCovered, isEquivocation } from './forked-logs.ts';
import { childrenOf, type GroupState } from './group-state.ts';
import { hasVoted, highestFinalizable, isFinalizableAt, type Node } from './node.ts';
import { addVote, storePath } from './progress.ts';
import { headSinceMs, votableAtMs } from './turns.ts';
import { derivePromises, firstBrokenRule, VOTE_RULES, type VoteRule } from './vote-rules.ts';
import type { Work } from './work.ts';

/** The first rule that forbids this owner to certify the Metablock at the Ballot, or null. */
export function whatForbids(
  work: Work,
  group: GroupState,
  vote: { readonly metablock: MetablockId; readonly ballot: Ballot },
): VoteRule | null {
  const rules = work.context.rules ?? VOTE_RULES;
  return firstBrokenRule(rules, group, work.chainOf(group), vote);
}

/** Certifies: vote, R and lock are stored with the Certificate, and only then is it sent. */
export function castVote(work: Work, group: GroupState, node: Node, ballot: Ballot): void {
  const { metablock } = node;
  const vote = { metablock: metablock.id, ballot };
  Object.assign(group, derivePromises(group, work.chainOf(group), vote));
  if (metablock.generation > group.highestCertified) {
    group.highestCertified = metablock.generation;
  }
  work.promise(group);
  work.vote(metablock, { group: group.sync.id, ballot });
  storePath(work, group, metablock.id);
  addVote(work, group, metablock.id, { owner: work.context.self, ballot, certificate: null });
}

/**
 * Casts the next vote that policy and rules ask for at R: the head until it is Finalizable at R,
 * then one of its children.
 *
 * @returns whether there was one.
 * @source consensus.md 5.
 */
export function voteNext(work: Work, group: GroupState): boolean {
  if (!group.isVoter) return false;
  const head = group.head === null ? null : group.nodes.get(group.head)!;
  if (head !== null && !isFinalizableAt(head, group.ballot)) {
    return voteFor(work, group, head);
  }
  const child = chooseChild(work, group);
  return child !== null && voteFor(work, group, child);
}

function voteFor(work: Work, group: GroupState, node: Node): boolean {
  const { ballot } = group;
  if (hasVoted(node, work.context.self, ballot) || ballot <= node.voteFloor) return false;
  if (whatForbids(work, group, { metablock: node.metablock.id, ballot }) !== null) return false;
  castVote(work, group, node, ballot);
  return true;
}

/** The votable child that is to be voted for now; null where there is none yet. */
function chooseChild(work: Work, group: GroupState): Node | null {
  let chosen: Node | null = null;
  for (const child of permittedChildren(work, group)) {
    if (votableAtMs(work, group, child) > work.nowMs) continue;
    if (chosen === null || isPreferred(work, child, chosen)) chosen = child;
  }
  return chosen;
}

/** Highest Finalizable Ballot, then lowest turn, then lowest Issuing Hash. */
function isPreferred(work: Work, a: Node, b: Node): boolean {
  const [ballotA, ballotB] = [highestFinalizable(a), highestFinalizable(b)];
  if (ballotA !== ballotB) return ballotA > ballotB;
  const hasTurns = work.context.withoutTurns !== true;
  if (hasTurns && a.turn !== b.turn) return a.turn < b.turn;
  return a.metablock.issuingHash < b.metablock.issuingHash;
}

/** The children of the head that this owner may and would certify at R, now or at their turn. */
export function permittedChildren(work: Work, group: GroupState): Node[] {
  if (headSinceMs(group) === null) return [];
  const { self } = work.context;
  const { ballot } = group;
  return childrenOf(group, group.head).filter((child) => {
    if (hasVoted(child, self, ballot) || ballot <= child.voteFloor) return false;
    if (child.finalizableBallots.length === 0 && isShunned(group, child)) return false;
    return whatForbids(work, group, { metablock: child.metablock.id, ballot }) === null;
  });
}

/**
 * Nobody votes for what an equivocator made, or what a fork proof covers, without a Quorum's word.
 */
function isShunned(group: GroupState, node: Node): boolean {
  return carriesCovered(group, node) || isEquivocation(group, node);
}

/** When the next child becomes votable that is not yet, or null. */
export function nextVotableMs(work: Work, group: GroupState): number | null {
  if (!group.isVoter) return null;
  let next: number | null = null;
  for (const child of permittedChildren(work, group)) {
    const atMs = votableAtMs(work, group, child);
    if (atMs > work.nowMs && (next === null || atMs < next)) next = atMs;
  }
  return next;
}
