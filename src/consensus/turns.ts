import type { MetablockId } from '../model/metablock.ts';
import type { Level } from '../model/numbers.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { childrenOf, type GroupState } from './group-state.ts';
import type { Node } from './node.ts';
import { roundTripMs, timeoutMs } from './timeout.ts';
import type { Work } from './work.ts';

/**
 * The turn of an owner at a Level: 0 the first, n - 1 the last. It comes from the owner's place
 * among the sorted owners and never from an id that could be ground.
 *
 * @source consensus.md 5.
 */
export function deriveTurn(group: GroupState, owner: AvatarId, level: Level): number {
  const count = group.sync.owners.length;
  const index = group.ownerIndices.get(owner) ?? 0;
  return (((index - level) % count) + count) % count;
}

/**
 * How long one turn lasts, in milliseconds: as configured, on slow links a round trip, but never so
 * long that the absence of as many owners as a Quorum stands uses up half a Ballot.
 */
export function turnWidthMs(work: Work, group: GroupState): number {
  const absent = group.sync.owners.length - group.quorum;
  const widestMs = timeoutMs(work, group) / (2 * (absent + 1));
  return Math.max(work.context.settings.turnMs, Math.min(roundTripMs(work, group), widestMs));
}

/** Did several owners make a child of the head? Then turns are too narrow for the links. */
export function isCrowded(group: GroupState): boolean {
  const issuers = childrenOf(group, group.head).map((node) => node.metablock.issuer);
  return new Set(issuers).size > 1;
}

/** Since when the head is Finalizable at R, from where turns count; null where it is not. */
export function headSinceMs(group: GroupState): number | null {
  if (group.head === null) return group.ballotAtMs;
  return group.nodes.get(group.head)!.tallies.get(group.ballot)?.finalizableAtMs ?? null;
}

/**
 * When a child of the head becomes votable. A Quorum's word, and the empty child that the head's
 * own issuer made to close it, are at once.
 */
export function votableAtMs(work: Work, group: GroupState, child: Node): number {
  const sinceMs = headSinceMs(group) ?? Number.POSITIVE_INFINITY;
  if (child.finalizableBallots.length > 0) return sinceMs;
  if (isClosingByIssuer(group, child, group.head)) return sinceMs;
  if (work.context.withoutTurns === true) return sinceMs;
  return sinceMs + child.turn * turnWidthMs(work, group);
}

/** Is it the empty child of the head by the head's own issuer («fast close»)? */
function isClosingByIssuer(group: GroupState, child: Node, head: MetablockId | null): boolean {
  if (head === null || child.carries) return false;
  return group.nodes.get(head)!.metablock.issuer === child.metablock.issuer;
}
