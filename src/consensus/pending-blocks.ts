import { type Block, type BlockId, isHandOver } from '../model/block.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { OpenBlock } from './block-window.ts';
import { isAvailable } from './chain.ts';
import { isCovered, isDistrusted } from './forked-logs.ts';
import { type GroupState, headNode, type PendingBlocks } from './group-state.ts';
import type { ChainTip } from './node.ts';

function isEligible(group: GroupState, open: OpenBlock): boolean {
  if (isCovered(group, open.block) || isDistrusted(group, open.block.issuer)) return false;
  return isAvailable(group, open.block);
}

const NO_TIPS: ReadonlyMap<AvatarId, ChainTip> = new Map();

/** Of each issuer the eligible Blocks that continue the head's chain, at most `max` of each. */
function collect(group: GroupState, max: number): OpenBlock[][] {
  const head = headNode(group);
  if (head !== null && head.handOver !== null) return [];
  const tips = head?.issuers ?? NO_TIPS;
  return group.sync.owners.map((owner) => {
    const found: OpenBlock[] = [];
    let place = tips.get(owner)?.block ?? owner;
    while (found.length < max) {
      const next = group.blocks.following
        .get(place)
        ?.map((id) => group.blocks.byId.get(id))
        .find((open) => open !== undefined && isEligible(group, open));
      if (next === undefined) break;
      found.push(next);
      if (isHandOver(next.block)) break;
      place = next.block.id;
    }
    return found;
  });
}

/** How much is pending on the head; remembered until Blocks or head change. */
export function pendingOf(group: GroupState, countMax: number): PendingBlocks {
  if (group.pending !== null) return group.pending;
  let count = 0;
  let sinceMs = Number.POSITIVE_INFINITY;
  let firstIssuer: AvatarId | null = null;
  if (group.blocks.byId.size > 0) {
    for (const [first, ...more] of collect(group, countMax)) {
      if (first === undefined) continue;
      count += 1 + more.length;
      if (first.atMs >= sinceMs) continue;
      sinceMs = first.atMs;
      firstIssuer = first.block.issuer;
    }
  }
  group.pending = { count: Math.min(count, countMax), sinceMs, firstIssuer };
  return group.pending;
}

/**
 * Chooses the Blocks of a new child of the head: of all issuers in turn, each Causal Group in its
 * order, and a Block after those that its issuer had seen, where these are pending too.
 *
 * @returns at most `max` Blocks, in the order in which they become final.
 */
export function choosePending(group: GroupState, max: number): Block[] {
  const found = collect(group, max).map((opens) => opens.map((open) => open.block));
  const handOvers = found.flatMap((blocks) => blocks.filter(isHandOver));
  const queues = found.map((blocks) => blocks.filter((block) => !isHandOver(block)));
  if (handOvers.length === 0) return arrange(queues, max);
  // It ends the group, so it stands last; one place is kept for it, lest others crowd it out.
  const chosen = arrange(queues, max - 1);
  const tips = new Map(chosen.map((block) => [block.issuer, block.id]));
  const head = headNode(group)?.issuers ?? NO_TIPS;
  const last = handOvers.find(({ issuer, previous }) => {
    return previous === (tips.get(issuer) ?? head.get(issuer)?.block ?? null);
  });
  return last === undefined ? arrange(queues, max) : [...chosen, last];
}

function arrange(queues: readonly (readonly Block[])[], max: number): Block[] {
  const waiting = new Set<BlockId>(queues.flat().map((block) => block.id));
  const next = queues.map(() => 0);
  const chosen: Block[] = [];
  const take = (queue: number): void => {
    const block = queues[queue]![next[queue]!]!;
    next[queue]!++;
    waiting.delete(block.id);
    chosen.push(block);
  };
  while (chosen.length < max && waiting.size > 0) {
    let moved = false;
    for (let queue = 0; queue < queues.length && chosen.length < max; queue++) {
      const block = queues[queue]![next[queue]!];
      if (block === undefined || block.dependencies.some((id) => waiting.has(id))) continue;
      take(queue);
      moved = true;
    }
    // Only forged dependencies lead in a circle; order among the Blocks then means nothing.
    if (!moved) take(next.findIndex((at, queue) => at < queues[queue]!.length));
  }
  return chosen;
}
