import type {
  ConsensusEffect,
  DurableState,
  FinalizedHead,
  VoteRecord,
} from '../../src/consensus/events.ts';
import type { Block, BlockId } from '../../src/model/block.ts';
import type { Certificate } from '../../src/model/certificate.ts';
import { type Cut, type CutBody, type CutSignature, sealCut } from '../../src/model/cut.ts';
import type { HandOver } from '../../src/model/hand-over.ts';
import type { Metablock, MetablockId } from '../../src/model/metablock.ts';
import type { CausalSequence, EntrySequence } from '../../src/model/numbers.ts';
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
  /** How often a still lower pair came. */
  readonly lowered: number;
}

/** What a Participant of the simulation finds again after a crash. */
export class DurableStore {
  readonly groups: SyncGroup[];
  readonly votes = new Map<GroupId, VoteRecord>();
  readonly heads = new Map<GroupId, FinalizedHead>();
  /** The finalized chain of each group; the index is the Level. Nothing is there below a cut. */
  readonly chains = new Map<GroupId, MetablockId[]>();
  /** Final Blocks of each group in their order, from its cut on. */
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
  /** Payloads of hand-over Blocks. */
  readonly payloads = new Map<BlockId, Uint8Array>();
  /** Successions that a Quorum approved, as far as that has come here. */
  readonly approved = new Map<GroupId, HandOver>();
  /** Groups that are over, and the one that goes on, where it is known here. */
  readonly ended = new Map<GroupId, SyncGroup | null>();
  /** Groups that were split here: nothing is promised there any more. */
  readonly retired = new Set<GroupId>();
  /** Where each group can be cut, and who signed it, by Level. */
  readonly places = new Map<GroupId, Map<number, CutBody>>();
  readonly signatures = new Map<string, Map<AvatarId, CutSignature>>();
  /** Below these nothing is kept. */
  readonly cuts = new Map<GroupId, Cut>();
  private readonly lastSequences = new Map<GroupId, EntrySequence>();

  constructor(groups: readonly SyncGroup[]) {
    this.groups = [];
    for (const group of groups) this.putGroup(group);
  }

  putGroup(group: SyncGroup): void {
    this.groups.push(group);
    this.chains.set(group.id, []);
    this.finalBlocks.set(group.id, []);
    this.lastSequences.set(group.id, group.origin?.sequence ?? (0 as EntrySequence));
  }

  /** Of the last Finalized Entry. */
  lastSequence(group: GroupId): EntrySequence {
    return this.lastSequences.get(group)!;
  }

  /** Of the last Block of a Causal Group, which may lie below a cut; null where there is none. */
  tip(group: GroupId, issuer: AvatarId): BlockId | null {
    const blocks = this.causalGroup(group, issuer);
    const last = blocks.at(-1);
    if (last !== undefined) return last.id;
    const tip = this.cuts.get(group)?.tips.find((each) => each.issuer === issuer);
    return tip !== undefined && tip.sequence === blocks.length ? tip.block : null;
  }

  /** The last Block of an issuer that lies below the cut; 0 for none. */
  cutSequence(group: GroupId, issuer: AvatarId): number {
    return this.cuts.get(group)?.tips.find((each) => each.issuer === issuer)?.sequence ?? 0;
  }

  sign(cut: Cut): void {
    const key = `${cut.group}${cut.level}`;
    const known = this.signatures.get(key) ?? new Map<AvatarId, CutSignature>();
    this.signatures.set(key, known);
    for (const signature of cut.signatures) known.set(signature.owner, signature);
  }

  /** A place with all that is known to be signed about it. */
  signedAt(group: GroupId, level: number): Cut | null {
    const place = this.places.get(group)?.get(level);
    const signatures = this.signatures.get(`${group}${level}`);
    if (place === undefined || signatures === undefined) return null;
    return sealCut(place, [...signatures.values()]);
  }

  /** Begins at a cut: of what was known below and beside it, and is not above it, nothing stays. */
  installCut(cut: Cut, head: FinalizedHead, metablock: Metablock): void {
    const chain = this.chains.get(cut.group)!;
    this.metablocks.set(metablock.id, metablock);
    this.open.set(metablock.id, metablock);
    chain.length = cut.level;
    chain.push(metablock.id);
    this.finals.add(cut.group + metablock.id);
    this.heads.set(cut.group, head);
    this.lastSequences.set(cut.group, cut.lastSequence);
    for (const { issuer, sequence } of cut.tips) {
      const blocks = this.causalGroup(cut.group, issuer);
      blocks.length = Math.max(blocks.length, sequence);
    }
    const places = this.places.get(cut.group) ?? new Map<number, CutBody>();
    this.places.set(cut.group, places.set(cut.level, cut));
    this.sign(cut);
    this.closeBelow();
    this.cutBelow(cut);
  }

  /** Throws away what is below a cut. */
  cutBelow(cut: Cut): void {
    const chain = this.chains.get(cut.group)!;
    this.cuts.set(cut.group, cut);
    for (let level = cut.level - 1; level >= 0; level--) {
      const id = chain[level];
      if (id === undefined) continue;
      delete chain[level];
      this.finals.delete(cut.group + id);
      this.certificates.delete(id);
      if (!this.open.has(id)) this.metablocks.delete(id);
    }
    for (const { issuer, sequence } of cut.tips) {
      const blocks = this.causalGroup(cut.group, issuer);
      for (let at = sequence - 1; at >= 0; at--) {
        const block = blocks[at];
        if (block === undefined) continue;
        this.blocks.delete(block.id);
        delete blocks[at];
      }
    }
    const kept = this.finalBlocks.get(cut.group)!.filter((id) => this.blocks.has(id));
    this.finalBlocks.set(cut.group, kept);
    for (const level of this.places.get(cut.group)?.keys() ?? []) {
      if (level >= cut.level) continue;
      this.places.get(cut.group)!.delete(level);
      this.signatures.delete(`${cut.group}${level}`);
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
  putFork(fork: Omit<Fork, 'lowered'>): boolean {
    const key = fork.group + fork.issuer;
    const known = this.forks.get(key);
    if (known !== undefined && known.lastGood <= fork.lastGood) return false;
    const lowered = known === undefined ? 0 : known.lowered + 1;
    this.forks.set(key, { ...fork, lowered });
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
    this.closeBelow();
    const entries = blocks.reduce((sum, block) => sum + block.entryCount, 0);
    const last = this.lastSequence(head.group) + entries;
    this.lastSequences.set(head.group, last as EntrySequence);
    for (const block of blocks) {
      this.finalBlocks.get(head.group)!.push(block.id);
      const stacked = this.blocks.get(block.id);
      if (stacked !== undefined) stacked.isFinal = true;
    }
  }

  private closeBelow(): void {
    for (const [id, metablock] of this.open) {
      if (!metablock.predecessors.some(({ group }) => this.isOpen(metablock, group))) {
        this.open.delete(id);
      }
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
      retired: [...this.retired],
      alarms: this.alarms,
      forks: [...this.forks.values()],
      metablocks,
      certificates: metablocks.flatMap((metablock) => this.certificatesOf(metablock.id)),
      blocks: [...[...this.causal.values()].flat(), ...this.branches]
        .filter((block) => !this.isAlone(block.group))
        .map((block) => this.blocks.get(block.id))
        .filter((stacked) => stacked !== undefined)
        .filter((stacked) => !stacked.isFinal),
    };
  }
}
