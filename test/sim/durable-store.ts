import type {
  ConsensusEffect,
  DurableState,
  FinalizedHead,
  VoteRecord,
} from '../../src/consensus/events.ts';
import type { Block, BlockId } from '../../src/model/block.ts';
import type { Certificate } from '../../src/model/certificate.ts';
import type { Metablock, MetablockId } from '../../src/model/metablock.ts';
import type { CausalSequence } from '../../src/model/numbers.ts';
import type { AvatarId, GroupId, SyncGroup } from '../../src/model/sync-group.ts';

export interface StackedBlock {
  readonly block: Block;
  held: boolean;
  isFinal: boolean;
}

/** Two Blocks that continue the same Block of their issuer; the lowest such pair that is known. */
export interface Fork {
  readonly group: GroupId;
  readonly issuer: AvatarId;
  readonly lastGood: CausalSequence;
  readonly blocks: readonly [Block, Block];
}

/** What a Participant of the simulation finds again after a crash. */
export class DurableStore {
  readonly groups: SyncGroup[];
  readonly votes = new Map<GroupId, VoteRecord>();
  readonly heads = new Map<GroupId, FinalizedHead>();
  /** The finalized chain of each group; the index is the Level. */
  readonly chains = new Map<GroupId, MetablockId[]>();
  /** Final Blocks of each group in their order. */
  readonly finalBlocks = new Map<GroupId, BlockId[]>();
  /** Two final rivals of each group that stopped at a fork. */
  readonly alarms = new Map<GroupId, readonly MetablockId[]>();
  /** Group and Metablock of all these chains. */
  readonly finals = new Set<string>();
  readonly metablocks = new Map<MetablockId, Metablock>();
  private readonly open = new Map<MetablockId, Metablock>();
  readonly certificates = new Map<MetablockId, Map<string, Certificate>>();
  readonly blocks = new Map<BlockId, StackedBlock>();
  /** Blocks beside the own stack, on another branch of a Causal Group that forks. */
  private readonly branches: Block[] = [];
  /** Causal Groups of which a fork proof is known, by group and issuer. */
  readonly forks = new Map<string, Fork>();
  /** Blocks of each Causal Group; the index is the causal sequence less one. */
  readonly causal = new Map<string, Block[]>();

  constructor(groups: readonly SyncGroup[]) {
    this.groups = [...groups];
    for (const group of groups) {
      this.chains.set(group.id, []);
      this.finalBlocks.set(group.id, []);
    }
  }

  causalGroup(group: GroupId, issuer: AvatarId): Block[] {
    const key = group + issuer;
    let blocks = this.causal.get(key);
    if (blocks === undefined) {
      blocks = [];
      this.causal.set(key, blocks);
    }
    return blocks;
  }

  stack(block: Block, held: boolean): void {
    this.blocks.set(block.id, { block, held, isFinal: false });
    this.causalGroup(block.group, block.issuer).push(block);
  }

  stackBranch(block: Block, held: boolean): void {
    this.blocks.set(block.id, { block, held, isFinal: false });
    this.branches.push(block);
  }

  /** A Block of a group of one owner. */
  finalizeAlone(block: Block): void {
    this.blocks.get(block.id)!.isFinal = true;
    this.finalBlocks.get(block.group)!.push(block.id);
  }

  /** @returns whether the proof says more than is known. */
  putFork(fork: Fork): boolean {
    const key = fork.group + fork.issuer;
    const known = this.forks.get(key);
    if (known !== undefined && known.lastGood <= fork.lastGood) return false;
    this.forks.set(key, fork);
    return true;
  }

  isCovered(block: Block): boolean {
    const fork = this.forks.get(block.group + block.issuer);
    return fork !== undefined && block.sequence > fork.lastGood;
  }

  /** Applies what one commit makes durable. */
  apply(effect: ConsensusEffect): void {
    switch (effect.kind) {
      case 'alarm':
        this.alarms.set(effect.group, effect.metablocks);
        return;
      case 'store-vote':
        this.votes.set(effect.record.group, effect.record);
        return;
      case 'store-metablock':
        this.metablocks.set(effect.metablock.id, effect.metablock);
        this.open.set(effect.metablock.id, effect.metablock);
        return;
      case 'store-certificate':
        this.putCertificate(effect.certificate);
        return;
      case 'finalize':
        this.finalize(effect);
        return;
      default:
    }
  }

  private putCertificate(certificate: Certificate): void {
    let of = this.certificates.get(certificate.metablock);
    if (of === undefined) {
      of = new Map();
      this.certificates.set(certificate.metablock, of);
    }
    of.set(Buffer.from(certificate.signature).toString('latin1'), certificate);
  }

  private finalize(effect: Extract<ConsensusEffect, { kind: 'finalize' }>): void {
    const { head, blocks } = effect;
    this.heads.set(head.group, head);
    this.chains.get(head.group)!.push(head.metablock);
    this.finals.add(head.group + head.metablock);
    for (const [id, metablock] of this.open) {
      if (!metablock.predecessors.some(({ group }) => this.isOpen(metablock, group))) {
        this.open.delete(id);
      }
    }
    for (const block of blocks) {
      this.finalBlocks.get(head.group)!.push(block.id);
      const stacked = this.blocks.get(block.id);
      if (stacked !== undefined) stacked.isFinal = true;
    }
  }

  certificatesOf(metablock: MetablockId): Certificate[] {
    return [...(this.certificates.get(metablock)?.values() ?? [])];
  }

  /**
   * Metablocks that are undecided in some group, or are the last of its finalized chain, and those
   * that votes and locks name.
   */
  openMetablocks(): Metablock[] {
    const open = new Map(this.open);
    for (const { votes, lock } of this.votes.values()) {
      for (const id of lock === null ? votes : [...votes, lock.metablock]) {
        const metablock = this.metablocks.get(id);
        if (metablock !== undefined) open.set(id, metablock);
      }
    }
    return [...open.values()].sort((a, b) => a.generation - b.generation);
  }

  /** A Metablock that is lost, as where somebody else emptied a table. */
  forget(id: MetablockId): void {
    this.metablocks.delete(id);
    this.open.delete(id);
  }

  private isOpen(metablock: Metablock, group: GroupId): boolean {
    const last = this.chains.get(group)?.at(-1);
    if (last === undefined || last === metablock.id) return true;
    return metablock.generation > this.metablocks.get(last)!.generation;
  }

  isAlone(group: GroupId): boolean {
    return this.groups.some((each) => each.id === group && each.owners.length === 1);
  }

  read(): DurableState {
    const metablocks = this.openMetablocks();
    return {
      groups: this.groups.filter((group) => group.owners.length > 1),
      votes: [...this.votes.values()],
      heads: [...this.heads.values()],
      alarms: this.alarms,
      forks: [...this.forks.values()],
      metablocks,
      certificates: metablocks.flatMap((metablock) => this.certificatesOf(metablock.id)),
      blocks: [...[...this.causal.values()].flat(), ...this.branches]
        .filter((block) => !this.isAlone(block.group))
        .map((block) => this.blocks.get(block.id)!)
        .filter((stacked) => !stacked.isFinal),
    };
  }
}
