/**
 * The Metablockchain: what every Participant of a World decides alike.
 *
 * Words of the patent that it leaves open are read so: HFCS is the highest finalized causal
 * sequence, per Causal Group; HCG and HFG are -1 before the first Metablock (`NO_GENERATION`), so
 * that Generation 0 can be certified; both are kept per Sync Group.
 *
 * @source consensus.md; seed 000, FIG. 6A to 6D.
 */
import type { Block } from '../model/block.ts';
import type { SyncGroup } from '../model/sync-group.ts';
import { withBlock } from './block-window.ts';
import { observeBallot, observeCertificate, observeNote } from './certificate-intake.ts';
import type { ConsensusContext } from './context.ts';
import type { ConsensusEffect, ConsensusEvent } from './events.ts';
import { convict } from './forked-logs.ts';
import { makeGroupState } from './group-state.ts';
import { observeCut } from './installation.ts';
import { observeMetablock, placeWaitingFor } from './metablock-intake.ts';
import { CONSENSUS_LIMITS } from './settings.ts';
import { settleAll } from './settling.ts';
import { type ConsensusState, Work } from './work.ts';

export type { ConsensusContext } from './context.ts';
export { describe, type GroupDescription } from './description.ts';
export { type Naming, namingOf } from './naming.ts';
export { restore } from './restoration.ts';
export { DEFAULT_SETTINGS } from './settings.ts';
export type { ConsensusState } from './work.ts';

/**
 * Takes one event. Pure: the given state is not changed, and the same arguments give the same
 * result.
 *
 * @param nowMs Milliseconds of a clock that does not go back.
 * @returns the next state, and what to do in this order: stores, one commit, then the rest.
 */
export function step(
  context: ConsensusContext,
  state: ConsensusState,
  event: ConsensusEvent,
  nowMs: number,
): { state: ConsensusState; effects: ConsensusEffect[] } {
  const work = new Work(context, state, nowMs);
  observe(work, event);
  settleAll(work);
  return work.finish();
}

/** When a `tick` is due by the clock of `step`; null when nothing is open: nobody need be woken. */
export function nextDeadline(state: ConsensusState): number | null {
  return state.deadlineMs;
}

function observe(work: Work, event: ConsensusEvent): void {
  switch (event.kind) {
    case 'group':
      observeGroup(work, event.group);
      return;
    case 'block':
      observeBlock(work, event.block, event.held);
      return;
    case 'metablock':
      observeMetablock(work, event.metablock);
      return;
    case 'certificate':
      observeCertificate(work, event.certificate);
      return;
    case 'ballot-note':
      observeNote(work, event.note);
      return;
    case 'ballot-seen':
      observeBallot(work, event);
      return;
    case 'fork-proof': {
      const group = work.open(event.group);
      if (group !== undefined) convict(group, event);
      return;
    }
    case 'retire': {
      const group = work.open(event.group);
      if (group !== undefined) group.isVoter = false;
      return;
    }
    case 'cut':
      observeCut(work, event.head, event.metablock);
      return;
    case 'round-trip':
      work.linkRoundTripMs = event.ms;
      return;
    case 'tick':
      for (const group of work.activeGroups()) {
        if (group.deadlineMs !== null && group.deadlineMs <= work.nowMs) work.open(group.sync.id);
      }
      return;
    default:
      event satisfies never;
  }
}

function observeGroup(work: Work, sync: SyncGroup): void {
  if (work.peek(sync.id) !== undefined || sync.owners.length < 2) return;
  const { self, passive } = work.context;
  const isVoter = sync.owners.includes(self) && passive !== true;
  work.add(makeGroupState(sync, isVoter, work.nowMs));
}

function observeBlock(work: Work, block: Block, held: boolean): void {
  const group = work.open(block.group);
  if (group === undefined) {
    observeForeignBlock(work, block);
    return;
  }
  if (!group.ownerIndices.has(block.issuer)) return;
  const known = group.blocks.byId.get(block.id);
  if (known?.held === true || (known !== undefined && !held)) {
    // It was asked for by a group whose Metablock carries it and does not name its own.
    observeForeignBlock(work, block);
    return;
  }
  if (group.finalized !== null && group.finalized.handOver !== null) {
    observeForeignBlock(work, block);
    return;
  }
  const hfcs = group.finalized?.issuers.get(block.issuer)?.sequence ?? 0;
  if (block.sequence <= hfcs) {
    observeForeignBlock(work, block);
    return;
  }
  const count = group.blocks.counts.get(block.issuer) ?? 0;
  if (known === undefined && count >= CONSENSUS_LIMITS.pendingBlocksMax) {
    work.refuse('held-too-many', block.issuer);
    return;
  }
  group.blocks = withBlock(group.blocks, { block, held, atMs: work.nowMs });
  group.pending = null;
  placeWaitingFor(work, group, block.id);
  // A Metablock of several groups may wait elsewhere for knowing whose Block this is.
  placeElsewhere(work, block);
}

/** A Block of a group that is not known, or one that is final: only whose it is can matter. */
function observeForeignBlock(work: Work, block: Block): void {
  if (work.foreignBlock(block.id) !== undefined) return;
  work.rememberForeign(block);
  placeElsewhere(work, block);
  const own = work.open(block.group);
  if (own !== undefined) placeWaitingFor(work, own, block.id);
}

function placeElsewhere(work: Work, block: Block): void {
  for (const { sync, held } of work.activeGroups()) {
    if (sync.id === block.group || held.size === 0) continue;
    const group = work.open(sync.id);
    if (group !== undefined) placeWaitingFor(work, group, block.id);
  }
}
