import type { Block, BlockId } from '../model/block.ts';
import { signedBytesOf } from '../model/block.ts';
import { fromHex } from '../model/bytes.ts';
import { type Metablock, type MetablockId, PREDECESSORS_MAX } from '../model/metablock.ts';
import type { GroupId } from '../model/sync-group.ts';
import { isAvailable } from './chain.ts';
import { deriveDismissal, dismiss } from './dismissal.ts';
import { noteEquivocation, noteVote } from './evidence.ts';
import { carriesCovered, REPLACED_MAX } from './forked-logs.ts';
import { childrenOf, type GroupState, predecessorIn } from './group-state.ts';
import { askFor, hold, isVouchedFor, shareOf } from './held.ts';
import { hasVoted, highestFinalizable, type Node } from './node.ts';
import { addVote } from './progress.ts';
import { isRecent } from './recent-chain.ts';
import { hasGoodShape, isWellFormed, makeNode } from './well-formed.ts';
import type { Work } from './work.ts';

/** A Metablock came from a peer, in whatever order. @source consensus.md 2; FIG. 6A. */
export function observeMetablock(work: Work, metablock: Metablock): void {
  const { issuer } = metablock;
  const known = metablock.predecessors.flatMap(({ group }) => work.peek(group) ?? []);
  const owned = known.filter((group) => group.ownerIndices.has(issuer));
  const news = owned.filter((group) => isNewsFor(group, metablock.id));
  if (known.length === 0 || (owned.length > 0 && news.length === 0)) return;
  if (metablock.predecessors.length > PREDECESSORS_MAX) {
    work.refuse('metablock-too-many-predecessors', issuer);
    return;
  }
  if (!hasGoodShape(work.context.conflicts, metablock)) {
    work.refuse('metablock-malformed', issuer);
    return;
  }
  if (owned.length === 0) {
    work.refuse('metablock-not-by-owner', issuer);
    return;
  }
  const { verifier } = work.context;
  if (!verifier.verify(fromHex(issuer), signedBytesOf(metablock), metablock.signature)) {
    work.refuse('metablock-forged', null);
    return;
  }
  const kept = news.filter(({ sync }) => receive(work, work.open(sync.id)!, metablock));
  if (kept.length > 0) work.remark({ kind: 'accepted' });
}

function isNewsFor(group: Readonly<GroupState>, metablock: MetablockId): boolean {
  return !(
    group.alarm !== null ||
    group.nodes.has(metablock) ||
    group.held.has(metablock) ||
    isRecent(group.recentFinal, metablock) ||
    group.dismissed.has(metablock)
  );
}

/** @returns whether it is kept for this group. */
function receive(work: Work, group: GroupState, metablock: Metablock): boolean {
  const kind = deriveDismissal(group, metablock);
  if (kind !== null) {
    dismiss(work, group, { kind, metablock, certificates: [] });
    return false;
  }
  if (!hasRoom(work, group, metablock)) {
    work.refuse('held-too-many', metablock.issuer);
    return false;
  }
  return place(work, group, metablock);
}

/**
 * Is there room for one more undecided Metablock of this issuer? What an honest owner voted for
 * always finds room.
 */
function hasRoom(work: Work, group: GroupState, metablock: Metablock): boolean {
  const { issuer } = metablock;
  const before = predecessorIn(metablock, group.sync.id) ?? null;
  let siblings = 0;
  let undecided = 0;
  for (const node of group.nodes.values()) {
    if (node.metablock.issuer !== issuer || node.finalizableBallots.length > 0) continue;
    undecided++;
    if (node.predecessor === before) siblings++;
  }
  for (const held of group.held.values()) {
    if (held.metablock.issuer !== issuer) continue;
    undecided++;
    if (predecessorIn(held.metablock, group.sync.id) === before) siblings++;
  }
  const { candidatesPerIssuerMax } = work.context.settings;
  const siblingsMax = candidatesPerIssuerMax + REPLACED_MAX * group.forked.size;
  if (undecided < shareOf(work, group) && siblings < siblingsMax) return true;
  return isVouchedFor(group, metablock.id);
}

/**
 * Gives a Metablock its place in the tree, or holds it until its parts are here; then all that
 * waited for it.
 *
 * @returns whether it is kept.
 */
export function place(work: Work, group: GroupState, metablock: Metablock): boolean {
  const queue: Metablock[] = [metablock];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (group.alarm !== null) break;
    // What came before it in this queue may have made it a rival of what is final.
    if (next !== metablock && !group.held.has(next.id)) continue;
    if (!placeOne(work, group, next)) continue;
    for (const held of group.held.values()) {
      if (predecessorIn(held.metablock, group.sync.id) === next.id) queue.push(held.metablock);
    }
  }
  return !group.dismissed.has(metablock.id);
}

/** @returns whether it stands in the tree now. */
function placeOne(work: Work, group: GroupState, metablock: Metablock): boolean {
  const named = predecessorIn(metablock, group.sync.id) ?? null;
  const before = named === null ? null : (group.nodes.get(named) ?? null);
  const lacksPredecessor = named !== null && before === null;
  const { blocks, missing, isSound } = gatherBlocks(work, group, metablock);
  if (isSound && (lacksPredecessor || missing.size > 0)) {
    hold(work, group, { metablock, lacksPredecessor, missingBlocks: missing });
    return false;
  }
  const candidate = { metablock, before, blocks };
  if (!isSound || !isWellFormed(work.context.conflicts, group, candidate)) {
    work.refuse('metablock-malformed', metablock.issuer);
    dismiss(work, group, { kind: 'malformed', metablock, certificates: [] });
    return false;
  }
  addNode(work, group, makeNode(group, candidate, work.nowMs));
  return true;
}

/** The Blocks of a Metablock that belong to one group, and those of which no header is here. */
function gatherBlocks(
  work: Work,
  group: GroupState,
  metablock: Metablock,
): { readonly blocks: Block[]; readonly missing: Set<BlockId>; readonly isSound: boolean } {
  const blocks: Block[] = [];
  const missing = new Set<BlockId>();
  let isSound = true;
  for (const id of metablock.blocks) {
    const own = group.blocks.byId.get(id);
    if (own !== undefined) {
      blocks.push(own.block);
      continue;
    }
    const owner = groupOfBlock(work, metablock, id);
    if (owner === undefined || isYetToCome(work, group, id)) missing.add(id);
    // A Block of this group that is final cannot be so twice; and every Block's group is named.
    else if (owner === group.sync.id) isSound = false;
    else if (predecessorIn(metablock, owner) === undefined) isSound = false;
  }
  return { blocks, missing, isSound };
}

function groupOfBlock(work: Work, metablock: Metablock, block: BlockId): GroupId | undefined {
  for (const { group } of metablock.predecessors) {
    if (work.peek(group)?.blocks.byId.has(block) === true) return group;
  }
  return work.foreignBlock(block)?.group;
}

/** Did a Block of this group come before the group was known, and has to come again? */
function isYetToCome(work: Work, group: GroupState, id: BlockId): boolean {
  const block = work.foreignBlock(id);
  if (block?.group !== group.sync.id || group.finalized?.handOver != null) return false;
  return block.sequence > (group.finalized?.issuers.get(block.issuer)?.sequence ?? 0);
}

/** Lets a well-formed Metablock into the tree, with the votes that were held for it. */
export function addNode(work: Work, group: GroupState, node: Node): void {
  const { id } = node.metablock;
  group.nodes.set(id, node);
  group.packed = null;
  group.held.delete(id);
  group.asks.delete(id);
  noteEquivocation(work, group, node);
  const certificates = group.heldCertificates.get(id) ?? [];
  group.heldCertificates.delete(id);
  for (const certificate of certificates) {
    const entry = certificate.entries.find((each) => each.group === group.sync.id);
    const at = group.nodes.get(id);
    if (entry === undefined || at === undefined || group.alarm !== null) continue;
    const { certifier: owner } = certificate;
    if (hasVoted(at, owner, entry.ballot)) continue;
    noteVote(work, group, at, { certificate, ballot: entry.ballot });
    addVote(work, group, id, { owner, ballot: entry.ballot, certificate });
  }
  const placed = group.nodes.get(id);
  if (placed === undefined || !group.isVoter || placed.finalizableBallots.length > 0) return;
  if (placed.blocks.some((block) => !isAvailable(group, block))) askFor(work, group, id);
}

/** A Block Header came: what waited for it may find its place. */
export function placeWaitingFor(work: Work, group: GroupState, block: BlockId): void {
  const waiting = [...group.held.values()].filter((held) => held.missingBlocks.has(block));
  for (const held of waiting) {
    if (group.held.has(held.metablock.id)) place(work, group, held.metablock);
  }
}

/**
 * Did this owner make a child of a head? It makes no second, ever, but where a fork proof covers
 * what the first carries: nobody votes for that one any more.
 */
export function hasOwnChild(work: Work, group: GroupState, head: MetablockId | null): boolean {
  const { self } = work.context;
  const own = childrenOf(group, head).filter((node) => node.metablock.issuer === self);
  if (own.some((node) => !carriesCovered(group, node) || highestFinalizable(node) >= 0))
    return true;
  for (const { metablock } of group.held.values()) {
    if (metablock.issuer === self && predecessorIn(metablock, group.sync.id) === head) return true;
  }
  return false;
}
