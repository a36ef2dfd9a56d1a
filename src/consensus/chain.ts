import { type Block, isHandOver } from '../model/block.ts';
import { invariant } from '../model/invariant.ts';
import type { MetablockId } from '../model/metablock.ts';
import type { Ballot } from '../model/numbers.ts';
import type { Conflicts } from '../ports/conflicts.ts';
import type { GroupState, PackedWindow } from './group-state.ts';
import type { Node } from './node.ts';
import type { ChainView } from './vote-rules.ts';

function pack(group: GroupState): PackedWindow {
  const indices = new Map<MetablockId, number>();
  const predecessors = new Int32Array(group.nodes.size);
  for (const [id, node] of group.nodes) {
    const before = node.predecessor === null ? undefined : indices.get(node.predecessor);
    predecessors[indices.size] = before ?? -1;
    indices.set(id, indices.size);
  }
  return { indices, predecessors };
}

function packedOf(group: GroupState): PackedWindow {
  group.packed ??= pack(group);
  return group.packed;
}

/**
 * Is of a Block here what a vote for it asks for (V4)? A hand-over is judged by its payload, and so
 * needed whatever the group's rules say.
 */
export function isAvailable(group: GroupState, block: Block): boolean {
  if (group.sync.availability === 'headers' && !isHandOver(block)) return true;
  return group.blocks.byId.get(block.id)?.held === true;
}

/**
 * The tree of one Sync Group as the vote rules see it. What stands in it descends from the
 * finalized head, or is that head, so all of it is with the Finalized.
 */
export class GroupChain implements ChainView {
  private readonly group: GroupState;
  private readonly conflicts: Conflicts;

  constructor(group: GroupState, conflicts: Conflicts) {
    this.group = group;
    this.conflicts = conflicts;
  }

  isKnown(metablock: MetablockId): boolean {
    return this.group.nodes.has(metablock);
  }

  predecessorOf(metablock: MetablockId): MetablockId | null | undefined {
    return this.group.nodes.get(metablock)?.predecessor;
  }

  isAncestor(ancestor: MetablockId, descendant: MetablockId): boolean {
    const below = this.group.nodes.get(ancestor);
    const above = this.group.nodes.get(descendant);
    if (below === undefined || above === undefined || below.level >= above.level) return false;
    if (above.predecessor === ancestor) return true;
    const { indices, predecessors } = packedOf(this.group);
    return this.conflicts.isAncestor(
      predecessors,
      indices.get(ancestor)!,
      indices.get(descendant)!,
    );
  }

  /** Rivals: neither the same, nor one an ancestor of the other. Both must be known. */
  areRivals(a: MetablockId, b: MetablockId): boolean {
    const { indices, predecessors } = packedOf(this.group);
    const [one, other] = [indices.get(a), indices.get(b)];
    invariant(one !== undefined && other !== undefined, 'rivals stand in one window');
    return this.conflicts.areRivals(predecessors, one, other);
  }

  /** Everything in the window that is a rival of `metablock`, in window order. */
  rivalsOf(metablock: MetablockId): Node[] {
    const { indices, predecessors } = packedOf(this.group);
    const of = indices.get(metablock);
    invariant(of !== undefined, 'it stands in the window');
    const first = this.conflicts.firstRival(predecessors, of);
    if (first < 0) return [];
    return [...this.group.nodes.values()].filter(
      (_node, index) => index >= first && this.conflicts.areRivals(predecessors, index, of),
    );
  }

  /** The finalized head and all that lies below it; of the latter nothing stands in the window. */
  isFinalized(metablock: MetablockId): boolean {
    return metablock === this.group.finalized?.metablock || !this.group.nodes.has(metablock);
  }

  isWithFinalized(metablock: MetablockId): boolean {
    return this.group.nodes.has(metablock);
  }

  finalizableBallots(metablock: MetablockId): readonly Ballot[] {
    return this.group.nodes.get(metablock)?.finalizableBallots ?? [];
  }

  isAvailable(metablock: MetablockId): boolean {
    const { group } = this;
    if (this.isFinalized(metablock)) return true;
    const node = group.nodes.get(metablock);
    return node?.blocks.every((block) => isAvailable(group, block)) ?? false;
  }
}
