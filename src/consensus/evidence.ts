import type { Certificate } from '../model/certificate.ts';
import type { Ballot } from '../model/numbers.ts';
import { placeOf as windowPlaceOf } from './block-window.ts';
import { carriesCovered } from './forked-logs.ts';
import type { GroupState } from './group-state.ts';
import { childrenOf } from './group-state.ts';
import type { Node } from './node.ts';
import { storePath } from './progress.ts';
import type { Work } from './work.ts';

/**
 * Marks an issuer's children of one predecessor where there are several, and keeps them as
 * evidence.
 *
 * @source consensus.md 5: vote for neither unless Finalizable.
 */
export function noteEquivocation(work: Work, group: GroupState, node: Node): void {
  const { issuer } = node.metablock;
  const others = childrenOf(group, node.predecessor).filter(
    (each) => each.metablock.issuer === issuer && each.metablock.id !== node.metablock.id,
  );
  if (others.length === 0) return;
  for (const each of [...others, node]) {
    group.nodes.set(each.metablock.id, {
      ...group.nodes.get(each.metablock.id)!,
      isEquivocal: true,
    });
  }
  if (others.length > 1) return;
  // Whoever knows one of the two alone would vote for it for ever: stored, both of them spread.
  for (const each of [...others, node]) storePath(work, group, each.metablock.id);
  if (isExcused(group, others[0]!) || isExcused(group, node)) return;
  work.store({
    kind: 'evidence',
    group: group.sync.id,
    offender: issuer,
    items: [others[0]!.metablock.bytes, node.metablock.bytes],
  });
}

/** Does it carry a Block of a log that forks, as far as is known here? Then there may be two. */
function isExcused(group: GroupState, node: Node): boolean {
  if (carriesCovered(group, node)) return true;
  return node.blocks.some(
    (block) => (group.blocks.following.get(windowPlaceOf(block))?.length ?? 0) > 1,
  );
}

/** Keeps two Certificates of one owner and Ballot whose Metablocks are rivals: that breaks V1. */
export function noteVote(
  work: Work,
  group: GroupState,
  node: Node,
  vote: { readonly certificate: Certificate; readonly ballot: Ballot },
): void {
  const owner = vote.certificate.certifier;
  const tip = group.voteTips.get(owner);
  const { id } = node.metablock;
  if (tip !== undefined && tip.ballot > vote.ballot) return;
  const tipNode = tip?.ballot === vote.ballot ? group.nodes.get(tip.metablock) : undefined;
  if (tipNode === undefined || tip!.metablock === node.predecessor) {
    group.voteTips.set(owner, { ballot: vote.ballot, metablock: id });
    return;
  }
  if (id === tip!.metablock) return;
  const chain = work.chainOf(group);
  if (!chain.areRivals(id, tip!.metablock)) {
    if (node.level > tipNode.level) {
      group.voteTips.set(owner, { ballot: vote.ballot, metablock: id });
    }
    return;
  }
  const other = tipNode.tallies.get(vote.ballot)?.certificates.get(owner);
  if (other === undefined || other === null) return;
  work.store({
    kind: 'evidence',
    group: group.sync.id,
    offender: owner,
    items: [other.bytes, vote.certificate.bytes],
  });
}
