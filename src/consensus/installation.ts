import type { Metablock } from '../model/metablock.ts';
import { type Generation, type Level, NO_GENERATION } from '../model/numbers.ts';
import { NO_BLOCKS, withBlock } from './block-window.ts';
import { dismissBelowFinalized } from './dismissal.ts';
import type { FinalizedHead } from './events.ts';
import { type GroupState, predecessorIn } from './group-state.ts';
import { askFor } from './held.ts';
import { place } from './metablock-intake.ts';
import type { Node } from './node.ts';
import { makeRecentChain, withRecent } from './recent-chain.ts';
import { deriveTurn } from './turns.ts';
import type { Work } from './work.ts';

/** Makes a Metablock of which only this is known the finalized head of a group. */
export function placeHead(
  group: GroupState,
  head: FinalizedHead,
  metablock: Metablock,
  nowMs: number,
): void {
  const own = new Set<string>([...head.issuers.values()].map((tip) => tip.block));
  const node: Node = {
    metablock,
    predecessor: predecessorIn(metablock, group.sync.id) ?? null,
    level: head.level,
    turn: deriveTurn(group, metablock.issuer, head.level),
    blocks: [],
    // The last final Block of some issuer stands in it, or no Block of the group does.
    carries: metablock.blocks.some((id) => own.has(id)),
    issuers: head.issuers,
    handOver: head.handOver,
    observedAtMs: nowMs,
    preparedBallot: null,
    tallies: new Map(),
    finalizableBallots: [],
    voteFloor: -1,
    isStored: true,
    isEquivocal: false,
  };
  const { id, generation } = metablock;
  group.nodes = new Map([[id, node]]);
  group.packed = null;
  group.head = id;
  group.finalized = head;
  group.finalizedGeneration = generation;
  const floor = Math.max(generation - 1, NO_GENERATION) as Generation;
  group.recentFinal = withRecent(makeRecentChain(floor), id, { generation, max: 1 });
}

/** May this head be taken over: is it beyond all that stands in the window here? */
export function isBeyond(group: Readonly<GroupState>, head: FinalizedHead): boolean {
  if (group.alarm !== null || group.nodes.has(head.metablock)) return false;
  return head.level > (group.finalized?.level ?? -1);
}

/**
 * A certified cut says where the group stands: what was known below and beside it is let go.
 *
 * R and the votes stay as they are. A vote at R for something that is let go forbids all else at R
 * (V1), since nobody can tell any more whether it lay on this chain; from the next Ballot on this
 * owner votes again. The lock goes where it surely lies below the new head, or beside it: that head
 * is Finalized, so V2 forbids whatever such a lock could.
 *
 * @source consensus.md 3, 6; 7 for what a newcomer needs.
 */
export function observeCut(work: Work, head: FinalizedHead, metablock: Metablock): void {
  const group = work.open(head.group);
  if (group === undefined || !isBeyond(group, head)) return;
  const isLockSpent = isSpent(group, metablock);
  for (const id of group.nodes.keys()) group.asks.delete(id);
  placeHead(group, head, metablock, work.nowMs);
  group.highestLevel = Math.max(group.highestLevel, head.level) as Level;
  if (metablock.generation > group.highestFinalizable) {
    group.highestFinalizable = metablock.generation;
  }
  if (isLockSpent) group.lock = null;
  work.promise(group);
  keepBlocksAbove(group, head);
  group.held.delete(metablock.id);
  group.heldCertificates.delete(metablock.id);
  group.asks.delete(metablock.id);
  dismissBelowFinalized(work, group);
  for (const held of [...group.held.values()]) {
    if (predecessorIn(held.metablock, group.sync.id) !== metablock.id) continue;
    if (group.held.has(held.metablock.id)) place(work, group, held.metablock);
  }
  const lock = group.lock?.metablock;
  if (lock !== undefined && !group.nodes.has(lock) && !group.held.has(lock)) {
    askFor(work, group, lock);
  }
}

/**
 * Does the lock surely not lie above the new head? All before a Metablock of the window stands in
 * it, down to the old head; so nothing there descends from one that does not. And Generations rise
 * along a chain.
 */
function isSpent(group: GroupState, head: Metablock): boolean {
  if (group.lock === null || group.lock.metablock === head.id) return false;
  const { metablock } = group.lock;
  if (group.nodes.has(metablock)) return true;
  const held = group.held.get(metablock);
  return held !== undefined && held.metablock.generation <= head.generation;
}

function keepBlocksAbove(group: GroupState, head: FinalizedHead): void {
  let kept = NO_BLOCKS;
  for (const [, open] of group.blocks.byId) {
    const { issuer, sequence } = open.block;
    if (sequence > (head.issuers.get(issuer)?.sequence ?? 0)) kept = withBlock(kept, open);
  }
  group.blocks = kept;
  group.pending = null;
  group.pendingFullAtMs = null;
}
