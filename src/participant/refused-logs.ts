import type { CausalTips } from '../dataflow/block-stack.ts';
import type { Block } from '../model/block.ts';
import type { CausalSequence } from '../model/numbers.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';

/**
 * Causal Groups that go on elsewhere with a Block that is invalid here. At most one place for each
 * owner of a known Sync Group; in memory alone, since after a start the Block is judged again.
 */
export class RefusedLogs {
  private readonly places = new Map<string, CausalSequence>();

  add({ group, issuer, sequence }: Pick<Block, 'group' | 'issuer' | 'sequence'>): void {
    this.places.set(group + issuer, sequence);
  }

  /** Is the Block that would come next one that was refused? Then nobody is asked for the rest. */
  isStuck(tips: CausalTips, group: GroupId, issuer: AvatarId): boolean {
    const place = this.places.get(group + issuer);
    return place !== undefined && place === (tips.tip(group, issuer)?.sequence ?? 0) + 1;
  }
}
