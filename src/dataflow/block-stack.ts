import type { Block, BlockHeader, BlockId } from '../model/block.ts';
import { type CausalSequence, NO_SEQUENCE } from '../model/numbers.ts';
import type { AvatarId, GroupId, SyncGroup } from '../model/sync-group.ts';
import type { PackedEntries } from '../ports/packer.ts';

/** The last Block of a Causal Group that stands here without a gap before it. */
export interface CausalTip {
  readonly sequence: CausalSequence;
  readonly block: BlockId;
}

/**
 * How a Block meets its Causal Group: `next` continues it; `known` stands there already; `early`
 * leaves a gap, so what is between must come first; `fork` stands beside another Block.
 */
export type Standing = 'next' | 'known' | 'early' | 'fork';

/**
 * Where each Causal Group of the Block Stack ends. Reads through to its base, writes stay aside
 * until `merge`: a turn whose commit failed leaves no trace.
 *
 * @source features A8, A12; E1 (the causal sequence is the index).
 */
export class CausalTips {
  private readonly base: CausalTips | null;
  private readonly tips = new Map<GroupId, Map<AvatarId, CausalTip>>();

  constructor(base: CausalTips | null = null) {
    this.base = base;
  }

  tip(group: GroupId, issuer: AvatarId): CausalTip | null {
    return this.tips.get(group)?.get(issuer) ?? this.base?.tip(group, issuer) ?? null;
  }

  set(group: GroupId, issuer: AvatarId, tip: CausalTip): void {
    let ofGroup = this.tips.get(group);
    if (ofGroup === undefined) {
      ofGroup = new Map();
      this.tips.set(group, ofGroup);
    }
    ofGroup.set(issuer, tip);
  }

  /** Writes what stands aside into the base. */
  merge(): void {
    if (this.base === null) return;
    for (const [group, ofGroup] of this.tips) {
      for (const [issuer, tip] of ofGroup) this.base.set(group, issuer, tip);
    }
    this.tips.clear();
  }
}

/**
 * Says how a Block meets its Causal Group.
 *
 * @param idAt The Block that stands at a causal sequence at or below the tip.
 * @source «Is Causally Consistent», features A12.
 */
export function deriveStanding(
  tips: CausalTips,
  block: Block,
  idAt: (sequence: CausalSequence) => BlockId | null,
): Standing {
  const tip = tips.tip(block.group, block.issuer);
  const height = tip?.sequence ?? NO_SEQUENCE;
  if (block.sequence <= height) return idAt(block.sequence) === block.id ? 'known' : 'fork';
  if (block.sequence > height + 1) return 'early';
  return block.previous === (tip?.block ?? null) ? 'next' : 'fork';
}

/** The header of the next own Block of a Sync Group, ready to sign. */
export function deriveNextHeader(
  tips: CausalTips,
  group: SyncGroup,
  own: {
    readonly issuer: AvatarId;
    readonly atMs: number;
    readonly entryCount: number;
    /** Last Blocks of other owners; a sorted set. */
    readonly dependencies: readonly BlockId[];
  },
  packed: PackedEntries,
): BlockHeader {
  const tip = tips.tip(group.id, own.issuer);
  return {
    group: group.id,
    issuer: own.issuer,
    sequence: ((tip?.sequence ?? NO_SEQUENCE) + 1) as CausalSequence,
    previous: tip?.block ?? null,
    dependencies: own.dependencies,
    entryCount: own.entryCount,
    byteLength: packed.payload.length,
    merkleRoot: packed.merkleRoot,
    atMs: own.atMs,
  };
}
