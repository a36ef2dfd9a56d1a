import type { Certificate } from '../model/certificate.ts';
import { invariant } from '../model/invariant.ts';
import type { Metablock, MetablockId } from '../model/metablock.ts';
import type { Level } from '../model/numbers.ts';
import { withBlock } from './block-window.ts';
import { see } from './certificate-intake.ts';
import type { ConsensusContext } from './context.ts';
import { deriveDismissal } from './dismissal.ts';
import type { DurableState, FinalizedHead, VoteRecord } from './events.ts';
import { restoreFork } from './forked-logs.ts';
import { type GroupState, makeGroupState } from './group-state.ts';
import { askFor } from './held.ts';
import { placeHead } from './installation.ts';
import { place } from './metablock-intake.ts';
import { hasVoted } from './node.ts';
import { addVote } from './progress.ts';
import { type ConsensusState, EMPTY_STATE, Work } from './work.ts';

/**
 * What an agent knows again at its start. Nothing is judged a second time: what is durable was
 * judged before it was stored. The state is due at once: a `tick` comes first.
 *
 * @throws InvariantError if the Metablock of a finalized head is missing.
 */
export function restore(
  context: ConsensusContext,
  durable: DurableState,
  nowMs: number,
): ConsensusState {
  const work = new Work(context, EMPTY_STATE, nowMs);
  const metablocks = durable.metablocks.toSorted((a, b) => a.generation - b.generation);
  for (const sync of durable.groups) {
    const isRetired = context.passive === true || durable.retired?.includes(sync.id) === true;
    const isVoter = sync.owners.includes(context.self) && !isRetired;
    const group = makeGroupState(sync, isVoter, nowMs);
    work.add(group);
    const record = durable.votes.find((each) => each.group === sync.id);
    if (record !== undefined) restorePromises(group, record);
    const head = durable.heads.find((each) => each.group === sync.id);
    if (head !== undefined) restoreHead(group, head, metablocks, nowMs);
  }
  for (const fork of durable.forks) {
    const group = work.open(fork.group);
    if (group !== undefined) restoreFork(group, fork);
  }
  restoreBlocks(work, durable);
  for (const metablock of metablocks) restoreMetablock(work, metablock);
  // Quorums come before later votes for the same, of which only the highest are kept.
  const byBallot = durable.certificates.toSorted((a, b) => lowestBallot(a) - lowestBallot(b));
  for (const certificate of byBallot) restoreCertificate(work, certificate);
  for (const group of work.touched()) {
    group.alarm = durable.alarms.get(group.sync.id) ?? null;
    if (group.alarm === null) restorePace(work, group);
  }
  return work.pause();
}

function restorePromises(group: GroupState, record: VoteRecord): void {
  group.ballot = record.ballot;
  group.votedBallot = record.votedBallot;
  group.votes = record.votes;
  group.lock = record.lock;
  group.highestCertified = record.highestCertified;
  group.highestFinalizable = record.highestFinalizable;
}

function restoreHead(
  group: GroupState,
  head: FinalizedHead,
  metablocks: readonly Metablock[],
  nowMs: number,
): void {
  const metablock = metablocks.find((each) => each.id === head.metablock);
  invariant(metablock !== undefined, 'the Metablock of a finalized head is kept');
  placeHead(group, head, metablock, nowMs);
}

function restoreBlocks(work: Work, durable: DurableState): void {
  for (const { block, held } of durable.blocks) {
    const group = work.open(block.group);
    if (group === undefined) work.rememberForeign(block);
    else if (group.finalized?.handOver == null)
      group.blocks = withBlock(group.blocks, { block, held, atMs: work.nowMs });
  }
}

function restoreMetablock(work: Work, metablock: Metablock): void {
  for (const each of metablock.predecessors) {
    const group = work.open(each.group);
    if (group === undefined || group.nodes.has(metablock.id)) continue;
    // Voted for, or open in another group, and a rival of what is final in this one.
    if (deriveDismissal(group, metablock) !== null) continue;
    if (!group.ownerIndices.has(metablock.issuer)) continue;
    place(work, group, metablock);
    markStored(group, metablock.id);
  }
}

function markStored(group: GroupState, id: MetablockId): void {
  const node = group.nodes.get(id);
  if (node !== undefined) group.nodes.set(id, { ...node, isStored: true });
}

function lowestBallot({ entries }: Certificate): number {
  return Math.min(...entries.map((each) => each.ballot));
}

function restoreCertificate(work: Work, certificate: Certificate): void {
  const { certifier, metablock } = certificate;
  for (const { group: id, ballot } of certificate.entries) {
    const group = work.open(id);
    if (group === undefined || !group.ownerIndices.has(certifier)) continue;
    see(work, group, certifier, ballot);
    const node = group.nodes.get(metablock);
    if (node === undefined) restoreHeldCertificate(group, certificate);
    else if (!hasVoted(node, certifier, ballot)) {
      addVote(work, group, metablock, { owner: certifier, ballot, certificate });
    }
  }
}

/** Of a Metablock that still waits for its Blocks. */
function restoreHeldCertificate(group: GroupState, certificate: Certificate): void {
  const { metablock } = certificate;
  if (!group.held.has(metablock)) return;
  const held = group.heldCertificates.get(metablock) ?? [];
  group.heldCertificates.set(metablock, [...held, certificate]);
}

/** Levels count on from what is known; a lock that is not at hand is asked for. */
function restorePace(work: Work, group: GroupState): void {
  for (const node of group.nodes.values()) {
    if (node.finalizableBallots.length === 0 && node.metablock.id !== group.finalized?.metablock) {
      continue;
    }
    group.highestLevel = Math.max(group.highestLevel, node.level) as Level;
  }
  group.newLevelBallot = group.ballot;
  group.deadlineMs = work.nowMs;
  if (group.lock === null || group.nodes.has(group.lock.metablock)) return;
  if (!group.held.has(group.lock.metablock)) askFor(work, group, group.lock.metablock);
}
