import type { Block } from '../model/block.ts';
import type { CausalSequence } from '../model/numbers.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { childrenOf, type ForkedLog, type GroupState } from './group-state.ts';
import type { Node } from './node.ts';

/**
 * Times that an author may show a still earlier fork before nothing of it is prepared any more:
 * each costs whoever had prepared its Blocks a Ballot, so it must come to an end.
 */
const LOWERED_MAX = 2;

/**
 * Children of one head that an owner may have to make for each author that forks: one for each
 * proof that covers Blocks which the child before it carries.
 */
export const REPLACED_MAX = LOWERED_MAX + 1;

/** A fork proof of this author is known: its Blocks above `lastGood` are covered. */
export function convict(
  group: GroupState,
  { issuer, lastGood }: { readonly issuer: AvatarId; readonly lastGood: CausalSequence },
): void {
  const known = group.forked.get(issuer);
  if (known !== undefined && known.lastGood <= lastGood) return;
  const lowered = known === undefined ? 0 : known.lowered + 1;
  group.forked = new Map(group.forked).set(issuer, { lastGood, lowered });
  group.pending = null;
}

/** What was known of a forked log before a restart; who is distrusted stays so. */
export function restoreFork(
  group: GroupState,
  { issuer, lastGood, lowered }: ForkedLog & { readonly issuer: AvatarId },
): void {
  group.forked = new Map(group.forked).set(issuer, { lastGood, lowered });
}

/** Is the Block covered by a fork proof? @source consensus.md 5. */
export function isCovered(group: GroupState, block: Block): boolean {
  const forked = group.forked.get(block.issuer);
  return forked !== undefined && block.sequence > forked.lastGood;
}

/** Does nobody prepare Blocks of this author any more, covered or not? */
export function isDistrusted(group: GroupState, author: AvatarId): boolean {
  return (group.forked.get(author)?.lowered ?? 0) >= LOWERED_MAX;
}

/** Does it carry what a fork proof covers? Nobody votes for it without a Quorum's word. */
export function carriesCovered(group: GroupState, node: Node): boolean {
  return node.blocks.some((block) => isCovered(group, block));
}

/**
 * Did its issuer make another child of the same predecessor without need? A child that carries what
 * a fork proof covers is dead, and its issuer may make one more: that one alone is no equivocation.
 *
 * @source consensus.md 5.
 */
export function isEquivocation(group: GroupState, node: Node): boolean {
  if (!node.isEquivocal) return false;
  return childrenOf(group, node.predecessor).some(
    ({ metablock, ...other }) =>
      metablock.issuer === node.metablock.issuer &&
      metablock.id !== node.metablock.id &&
      !carriesCovered(group, { metablock, ...other }),
  );
}
