import { signedBytesOf } from '../model/block.ts';
import { fromHex } from '../model/bytes.ts';
import type { BallotNote, Certificate, CertificateEntry } from '../model/certificate.ts';
import type { Ballot } from '../model/numbers.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { observeDismissedVote } from './dismissal.ts';
import { noteVote } from './evidence.ts';
import type { GroupState } from './group-state.ts';
import { holdCertificate } from './held.ts';
import { hasVoted, isOutvoted } from './node.ts';
import { addVote } from './progress.ts';
import { isRecent } from './recent-chain.ts';
import { CONSENSUS_LIMITS } from './settings.ts';
import type { Work } from './work.ts';

/** A Certificate came from a peer. Only what it says of groups known here is looked at. */
export function observeCertificate(work: Work, certificate: Certificate): void {
  const news = certificate.entries.filter((entry) => isNews(work, certificate, entry));
  if (news.length === 0) return;
  const { certifier } = certificate;
  if (!news.every(({ group }) => work.peek(group)!.ownerIndices.has(certifier))) {
    work.refuse('certificate-not-by-owner', certifier);
    return;
  }
  if (!news.every(({ group, ballot }) => isWithinReach(work.peek(group)!, ballot))) {
    work.refuse('certificate-ballot-too-high', certifier);
    return;
  }
  const { verifier } = work.context;
  if (!verifier.verify(fromHex(certifier), signedBytesOf(certificate), certificate.signature)) {
    work.refuse('certificate-forged', null);
    return;
  }
  let isKept = false;
  for (const { group: id, ballot } of news) {
    const group = work.open(id);
    if (group !== undefined && count(work, group, certificate, ballot)) isKept = true;
  }
  if (isKept) work.remark({ kind: 'accepted' });
}

/**
 * Could this entry change anything? Late and repeated votes end here, before any signature is
 * judged.
 */
function isNews(work: Work, certificate: Certificate, entry: CertificateEntry): boolean {
  const group = work.peek(entry.group);
  if (group === undefined || group.alarm !== null) return false;
  const { metablock, certifier } = certificate;
  const node = group.nodes.get(metablock);
  if (node !== undefined) {
    if (hasVoted(node, certifier, entry.ballot)) return false;
    if (isOutvoted(node, { owner: certifier, ballot: entry.ballot }, group)) return false;
    const isDecided = node.finalizableBallots.includes(entry.ballot);
    return !isDecided || seenOf(work, group, certifier) < entry.ballot;
  }
  if (isRecent(group.recentFinal, metablock)) return false;
  const dismissed = group.dismissed.get(metablock);
  if (dismissed !== undefined && dismissed.kind !== 'rival') return false;
  const kept = dismissed?.certificates ?? group.heldCertificates.get(metablock) ?? [];
  return !kept.some(
    (each) => each.certifier === certifier && ballotIn(each, entry.group) === entry.ballot,
  );
}

function ballotIn(certificate: Certificate, group: string): Ballot | undefined {
  return certificate.entries.find((each) => each.group === group)?.ballot;
}

/** @returns whether the vote was kept. */
function count(work: Work, group: GroupState, certificate: Certificate, ballot: Ballot): boolean {
  const { metablock, certifier } = certificate;
  see(work, group, certifier, ballot);
  const node = group.nodes.get(metablock);
  if (node !== undefined) {
    noteVote(work, group, node, { certificate, ballot });
    addVote(work, group, metablock, { owner: certifier, ballot, certificate });
    return true;
  }
  const dismissed = group.dismissed.get(metablock);
  if (dismissed !== undefined) return observeDismissedVote(work, group, dismissed, certificate);
  holdCertificate(work, group, certificate);
  return true;
}

/** An owner says, under its signature, that it moved to a Ballot. */
export function observeNote(work: Work, note: BallotNote): void {
  const group = work.peek(note.group);
  if (group === undefined || group.alarm !== null) return;
  if (!group.ownerIndices.has(note.owner)) {
    work.refuse('ballot-note-not-by-owner', note.owner);
    return;
  }
  if (seenOf(work, group, note.owner) >= note.ballot) return;
  if (!isWithinReach(group, note.ballot)) {
    work.refuse('ballot-note-too-high', note.owner);
    return;
  }
  const { verifier } = work.context;
  if (!verifier.verify(fromHex(note.owner), signedBytesOf(note), note.signature)) {
    work.refuse('ballot-note-forged', null);
    return;
  }
  see(work, work.open(note.group)!, note.owner, note.ballot);
  work.remark({ kind: 'accepted' });
}

/** An owner says so in its own session. */
export function observeBallot(
  work: Work,
  seen: { readonly group: string; readonly owner: AvatarId; readonly ballot: Ballot },
): void {
  const group = work.open(seen.group as GroupState['sync']['id']);
  if (group === undefined || !group.ownerIndices.has(seen.owner)) return;
  if (isWithinReach(group, seen.ballot)) see(work, group, seen.owner, seen.ballot);
}

/**
 * Leaps of Ballots are bounded; that f + 1 owners must be there bounds what a leap can do. Of two
 * or three owners one is enough, so leaps come to an end as well.
 */
function isWithinReach(group: Readonly<GroupState>, ballot: Ballot): boolean {
  const { ballotJumpMax, ballotMax } = CONSENSUS_LIMITS;
  return ballot - group.ballot <= (ballot > ballotMax ? 1 : ballotJumpMax);
}

function seenOf(work: Work, group: Readonly<GroupState>, owner: AvatarId): number {
  if (owner === work.context.self && group.isVoter) return group.ballot;
  return group.seen.get(owner) ?? -1;
}

export function see(work: Work, group: GroupState, owner: AvatarId, ballot: Ballot): void {
  if (seenOf(work, group, owner) < ballot) group.seen.set(owner, ballot);
}
