import type { Certificate } from '../model/certificate.ts';
import type { Metablock, MetablockId } from '../model/metablock.ts';
import type { Ballot } from '../model/numbers.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { type Dismissed, type GroupState, predecessorIn } from './group-state.ts';
import { nearQuorum } from './node.ts';
import { isRecent } from './recent-chain.ts';
import { isBelowFinalized } from './vote-rules.ts';
import type { Work } from './work.ts';

/**
 * Does this Metablock stand where nothing can become of it? Only what descends from the finalized
 * head has a place in the window; the rest is a rival, or older than what is remembered.
 *
 * @returns null where it may still find its place.
 */
export function deriveDismissal(
  group: GroupState,
  metablock: Metablock,
): 'old' | 'rival' | 'malformed' | null {
  const { finalized } = group;
  if (finalized === null) return dismissalOfPredecessor(group, metablock);
  if (metablock.id === finalized.metablock) return null;
  if (isBelowFinalized(metablock.generation, group.finalizedGeneration)) {
    return oldOrRival(group, metablock);
  }
  const before = predecessorIn(metablock, group.sync.id) ?? null;
  if (before === null) return 'rival';
  if (before !== finalized.metablock && isRecent(group.recentFinal, before)) return 'rival';
  return dismissalOfPredecessor(group, metablock);
}

/**
 * What is final itself, or lies below all that is remembered, is no rival: after a cut the chain
 * that leads up to it may still come.
 */
function oldOrRival(group: GroupState, { id, generation }: Metablock): 'old' | 'rival' {
  if (isRecent(group.recentFinal, id)) return 'old';
  return isBelowFinalized(generation, group.recentFinal.floor) ? 'old' : 'rival';
}

function dismissalOfPredecessor(
  group: GroupState,
  metablock: Metablock,
): 'rival' | 'malformed' | null {
  const before = predecessorIn(metablock, group.sync.id) ?? null;
  const dismissed = before === null ? undefined : group.dismissed.get(before);
  if (dismissed === undefined) return null;
  return dismissed.kind === 'malformed' ? 'malformed' : 'rival';
}

/**
 * Looks at a Metablock no more, nor at what waits for it. A lock on it is spent: it is a rival of a
 * final Metablock whose Quorum above the lock's Ballot released it, by consensus.md 6.
 */
export function dismiss(work: Work, group: GroupState, dismissed: Dismissed): void {
  const queue: Dismissed[] = [dismissed];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { metablock, kind } = next;
    const held = group.heldCertificates.get(metablock.id) ?? [];
    const all = [...next.certificates, ...held];
    const certificates = keepHighest(group, all);
    group.dismissed = group.dismissed.set(metablock.id, { kind, metablock, certificates });
    group.held.delete(metablock.id);
    group.heldCertificates.delete(metablock.id);
    group.asks.delete(metablock.id);
    if (kind !== 'malformed' && group.lock?.metablock === metablock.id) {
      group.lock = null;
      work.promise(group);
    }
    for (const waiting of group.held.values()) {
      if (predecessorIn(waiting.metablock, group.sync.id) !== metablock.id) continue;
      const below = kind === 'malformed' ? 'malformed' : oldOrRival(group, waiting.metablock);
      queue.push({ kind: below, metablock: waiting.metablock, certificates: [] });
    }
    // Whether they are a Quorum's is asked of all that came, not only of what is kept.
    checkFork(work, group, metablock.id, all);
    checkForksAbove(work, group, metablock.id);
  }
}

/** What follows a rival may have come before it, votes and all. */
function checkForksAbove(work: Work, group: GroupState, rival: MetablockId): void {
  for (const { metablock, certificates } of group.dismissed.values()) {
    if (predecessorIn(metablock, group.sync.id) !== rival) continue;
    checkFork(work, group, metablock.id, certificates);
  }
}

/** After the finalized head moved: what was held and can find no place any more goes. */
export function dismissBelowFinalized(work: Work, group: GroupState): void {
  for (const { metablock } of [...group.held.values()]) {
    if (!group.held.has(metablock.id)) continue;
    const kind = isRecent(group.recentFinal, metablock.id)
      ? 'old'
      : deriveDismissal(group, metablock);
    if (kind !== null) dismiss(work, group, { kind, metablock, certificates: [] });
  }
  for (const id of group.heldCertificates.keys()) {
    if (!isRecent(group.recentFinal, id)) continue;
    group.heldCertificates.delete(id);
    group.asks.delete(id);
  }
}

/** A vote for a Metablock that was dismissed. @returns whether it was new and is kept. */
export function observeDismissedVote(
  work: Work,
  group: GroupState,
  dismissed: Dismissed,
  certificate: Certificate,
): boolean {
  if (dismissed.kind !== 'rival') return false;
  const all = [...dismissed.certificates, certificate];
  checkFork(work, group, dismissed.metablock.id, all);
  const certificates = keepHighest(group, all);
  if (!certificates.includes(certificate)) return false;
  group.dismissed = group.dismissed.set(dismissed.metablock.id, { ...dismissed, certificates });
  return true;
}

/** Votes of one owner that are kept for one rival, and Ballots whose votes are kept besides. */
const RIVAL_VOTES_MAX = 2;
const RIVAL_BALLOTS_MAX = 4;

/**
 * Each owner's votes for a rival at its highest Ballots: nobody's votes push out another's, and
 * what was pushed out once never comes in again. Where an honest owner is among those that vote at
 * a Ballot and liars could be what a Quorum lacks there, all of its votes stay.
 */
function keepHighest(group: GroupState, certificates: readonly Certificate[]): Certificate[] {
  const near = nearBallots(group, certificates);
  const counts = new Map<AvatarId, number>();
  return certificates
    .toSorted((a, b) => ballotOf(group, b) - ballotOf(group, a))
    .filter((certificate) => {
      if (near.has(ballotOf(group, certificate))) return true;
      const { certifier } = certificate;
      const count = (counts.get(certifier) ?? 0) + 1;
      counts.set(certifier, count);
      return count <= RIVAL_VOTES_MAX;
    });
}

/** The highest Ballots at which a Quorum is near. */
function nearBallots(group: GroupState, certificates: readonly Certificate[]): Set<number> {
  const counts = new Map<number, number>();
  for (const certificate of certificates) {
    const ballot = ballotOf(group, certificate);
    counts.set(ballot, (counts.get(ballot) ?? 0) + 1);
  }
  const least = nearQuorum(group);
  const near = [...counts].filter(([, count]) => count >= least).map(([ballot]) => ballot);
  return new Set(near.sort((a, b) => b - a).slice(0, RIVAL_BALLOTS_MAX));
}

function ballotOf(group: GroupState, { entries }: Certificate): number {
  return entries.find((each) => each.group === group.sync.id)?.ballot ?? -1;
}

/**
 * A rival of the finalized head that is Finalizable is none of our concern: it may have been so
 * below the Ballot that decided. But where its predecessor is a rival too, that predecessor is
 * final, and no walk back from there meets the finalized head: a fork.
 *
 * @source consensus.md 4, 6.
 */
function checkFork(
  work: Work,
  group: GroupState,
  id: MetablockId,
  certificates: readonly Certificate[],
): void {
  const child = group.dismissed.get(id);
  if (child?.kind !== 'rival' || group.alarm !== null || group.finalized === null) return;
  const before = predecessorIn(child.metablock, group.sync.id) ?? null;
  const parent = before === null ? undefined : group.dismissed.get(before);
  if (parent?.kind !== 'rival' || !hasQuorum(group, certificates)) return;
  const { metablock } = group.finalized;
  group.alarm = [metablock, parent.metablock.id];
  work.store({ kind: 'store-metablock', metablock: parent.metablock });
  work.store({ kind: 'store-metablock', metablock: child.metablock });
  for (const certificate of certificates) work.store({ kind: 'store-certificate', certificate });
  work.store({ kind: 'alarm', group: group.sync.id, metablocks: group.alarm });
}

function hasQuorum(group: GroupState, certificates: readonly Certificate[]): boolean {
  const voters = new Map<Ballot, Set<AvatarId>>();
  for (const { certifier, entries } of certificates) {
    const entry = entries.find((each) => each.group === group.sync.id);
    if (entry === undefined) continue;
    voters.set(entry.ballot, (voters.get(entry.ballot) ?? new Set()).add(certifier));
  }
  return [...voters.values()].some((each) => each.size >= group.quorum);
}
