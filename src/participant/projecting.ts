import { type Block, type BlockId, isHandOver } from '../model/block.ts';
import { invariant } from '../model/invariant.ts';
import type { MetablockId } from '../model/metablock.ts';
import type { Level } from '../model/numbers.ts';
import type { AvatarId, SyncGroup } from '../model/sync-group.ts';
import type { DecodedEntries } from '../ports/store.ts';
import type { Core } from './core.ts';
import { decodeEntries } from './entries.ts';
import type { Turn } from './turn.ts';

/** Where rows of Blocks that were judged and are not final yet wait, within a bound. */
export class DecodedBlocks {
  private readonly entriesMax: number;
  private readonly blocks = new Map<BlockId, DecodedEntries>();
  private entryCount = 0;

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax;
  }

  put(block: BlockId, entries: DecodedEntries): void {
    if (this.blocks.has(block)) return;
    this.blocks.set(block, entries);
    this.entryCount += entries.rows.length;
    for (const [oldest, rows] of this.blocks) {
      if (this.entryCount <= this.entriesMax || oldest === block) break;
      this.blocks.delete(oldest);
      this.entryCount -= rows.rows.length;
    }
  }

  take(block: BlockId): DecodedEntries | null {
    const entries = this.blocks.get(block);
    if (entries === undefined) return null;
    this.blocks.delete(block);
    this.entryCount -= entries.rows.length;
    return entries;
  }
}

/** A Metablock and its Level; null for a single owner's group. */
export type Chain = { readonly metablock: MetablockId; readonly level: Level } | null;

/** What follows from finality; inside the turn's transaction. */
export interface ProjectingEvents {
  readonly builtIn: (turn: Turn, entries: DecodedEntries, issuer: AvatarId) => void;
  /** A hand-over Block is final, or is so already and its payload came. */
  readonly handOver: (turn: Turn, group: SyncGroup, block: Block) => void;
  /** A group's finality moved on, by this Metablock. */
  readonly moved: (turn: Turn, group: SyncGroup, chain: Chain) => void;
}

/** Makes Blocks final: sequence numbers, rows, and what follows from Entries of built-in Pacts. */
export class Projecting {
  private readonly core: Core;
  private readonly decoded: DecodedBlocks;
  private readonly on: ProjectingEvents;

  constructor(core: Core, decoded: DecodedBlocks, on: ProjectingEvents) {
    this.core = core;
    this.decoded = decoded;
    this.on = on;
  }

  /** Inside the turn's transaction. `chain` is null for a single owner's group. */
  finalize(turn: Turn, group: SyncGroup, chain: Chain, blocks: readonly Block[]): void {
    const decoded = blocks.map((block) => ({ block, entries: this.entriesOf(turn, group, block) }));
    this.core.store.finalize({ group: group.id, chain, blocks: decoded });
    turn.settled.add(group.id);
    this.on.moved(turn, group, chain);
    for (const { block, entries } of decoded) {
      const { id, issuer, entryCount } = block;
      turn.finalized.push({ group: group.id, block: id, issuer, entryCount });
      if (isHandOver(block)) this.on.handOver(turn, group, block);
      if (entries !== null) this.settle(turn, entries, issuer);
    }
  }

  /** The payload of a Block that is final came later. */
  projectLate(turn: Turn, group: SyncGroup, block: Block, entries: DecodedEntries | null): void {
    if (entries === null) {
      this.on.handOver(turn, group, block);
      return;
    }
    this.core.store.projectLate(block.id, entries);
    this.settle(turn, entries, block.issuer);
  }

  private settle(turn: Turn, entries: DecodedEntries, issuer: AvatarId): void {
    const isBuiltIn = Object.values(this.core.builtIn).some(({ id }) => id === entries.pact);
    if (isBuiltIn) this.on.builtIn(turn, entries, issuer);
  }

  private entriesOf(turn: Turn, group: SyncGroup, block: Block): DecodedEntries | null {
    if (isHandOver(block)) return null;
    const waiting = this.decoded.take(block.id);
    if (waiting !== null) return waiting;
    const payload = this.core.store.payload(block.id);
    if (payload === null) return null;
    const pact = turn.registry.pact(group.pact);
    invariant(pact !== undefined, 'a known Sync Group has a known Pact');
    const entries = decodeEntries(this.core.reader, pact, payload, this.core.limits);
    invariant(entries.ok, 'a stacked payload was judged before it was stacked');
    return entries.value;
  }
}
