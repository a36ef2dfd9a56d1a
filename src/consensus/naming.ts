import type { Block, BlockId } from '../model/block.ts';
import type { MetablockId } from '../model/metablock.ts';
import { type GroupState, predecessorIn } from './group-state.ts';
import { isVouchedFor } from './held.ts';
import type { Node } from './node.ts';
import type { ConsensusState } from './work.ts';

/**
 * What the Metablockchain makes of a Block: `none` of its Metablocks names it; one is a candidate
 * that does (`named`); or one by another owner than issued the Block (`seconded`); or an honest
 * owner has voted for one that does, or for what follows it (`vouched`), so that it may be final
 * without us.
 */
export type Naming = 'none' | 'named' | 'seconded' | 'vouched';

/**
 * Says whether a decision may hang on a Block that stands on no branch, or on another one than that
 * which is kept in order.
 *
 * @source features E12.
 */
export function namingOf(
  state: ConsensusState,
  { group: id, id: block, issuer }: Pick<Block, 'group' | 'id' | 'issuer'>,
): Naming {
  const group = state.groups.get(id);
  if (group === undefined || group.alarm !== null) return 'none';
  const held = [...group.held.values()].filter(({ missingBlocks }) => missingBlocks.has(block));
  const nodes = [...group.nodes.values()].filter((node) =>
    node.blocks.some((each) => each.id === block),
  );
  if (held.length + nodes.length === 0) return 'none';
  if (nodes.some((node) => hasHonestVote(group, node))) return 'vouched';
  if (isBelowVouched(group, block)) return 'vouched';
  const isByAnother = [...held, ...nodes].some(({ metablock }) => metablock.issuer !== issuer);
  return isByAnother ? 'seconded' : 'named';
}

/** Have more owners voted for it at some Ballot than may lie? */
function hasHonestVote(group: Readonly<GroupState>, node: Node): boolean {
  if (node.finalizableBallots.length > 0) return true;
  return [...node.tallies.values()].some((tally) => tally.certificates.size > group.faults);
}

/** Does a held Metablock that is vouched for, or one below it, name the Block? */
function isBelowVouched(group: Readonly<GroupState>, block: BlockId): boolean {
  const seen = new Set<MetablockId>();
  for (const vouched of group.heldCertificates.keys()) {
    if (!isVouchedFor(group, vouched)) continue;
    let at: MetablockId | null = vouched;
    while (at !== null && !seen.has(at)) {
      seen.add(at);
      const held = group.held.get(at);
      if (held === undefined) break;
      if (held.metablock.blocks.includes(block)) return true;
      at = predecessorIn(held.metablock, group.sync.id) ?? null;
    }
  }
  return false;
}
