import { deriveNextHeader } from '../dataflow/block-stack.ts';
import { EntryBuffer } from '../dataflow/entry-buffer.ts';
import { deriveDependencies } from '../log/frontier.ts';
import { type Block, type BlockId, encodeBlockHeader, sealBlock } from '../model/block.ts';
import { encodeHandOver, type HandOver } from '../model/hand-over.ts';
import { invariant } from '../model/invariant.ts';
import type { GroupId, SyncGroup } from '../model/sync-group.ts';
import type { PackedEntries } from '../ports/packer.ts';
import type { Core } from './core.ts';
import { rootOfHandOver } from './hand-over-payload.ts';
import { frontierOf } from './log-states.ts';
import type { Stacking } from './stacking.ts';
import type { Turn } from './turn.ts';

/** The Entry Buffer of one own Sync Group, and how much of it has become durable. */
export class Outlet {
  readonly group: SyncGroup;
  readonly buffer: EntryBuffer;
  /** Entries offered, and Entries in Blocks that survive a power cut, since the start. */
  pushed = 0;
  durable = 0;
  /** Own Blocks that are not final yet, and when their oldest Entry came. */
  readonly inFlight = new Map<string, number>();
  private readonly waiters = new Set<() => void>();
  /** What its Blocks that did not make it became in the group that went on. */
  private moved: ReadonlyMap<string, string> = new Map();
  private next: Outlet | null = null;
  private readonly lost = new Set<string>();
  private isOver = false;

  constructor(group: SyncGroup, buffer: EntryBuffer) {
    this.group = group;
    this.buffer = buffer;
  }

  /** Everything pushed is final. */
  get isEmpty(): boolean {
    if (this.isOver) return this.next === null || this.next.isEmpty;
    return this.buffer.entryCount === 0 && this.inFlight.size === 0;
  }

  /** Calls back once when room or durability has changed. @returns how not to be called. */
  onChange(act: () => void): () => void {
    if (this.next !== null) return this.next.onChange(act);
    this.waiters.add(act);
    return () => this.waiters.delete(act);
  }

  /** Where what was pushed here is now: here, or where the group went on. */
  get latest(): Outlet {
    return this.next?.latest ?? this;
  }

  /** Were Entries left behind, as the group ended and went on without this Participant? */
  get hasLost(): boolean {
    return this.isOver && this.next === null;
  }

  isInFlight(block: string): boolean {
    const moved = this.moved.get(block);
    if (moved !== undefined && this.next !== null) return this.next.isInFlight(moved);
    return !this.isOver && this.inFlight.has(block);
  }

  isLost(block: string): boolean {
    const moved = this.moved.get(block);
    if (moved !== undefined && this.next !== null) return this.next.isLost(moved);
    return this.lost.has(block);
  }

  /**
   * The group ended. @param next Takes over the Entry Buffer; null where this Participant is no
   * owner of the group that went on.
   * @param left Own Blocks that did not become final, by what became of them there; null for none.
   */
  end(next: Outlet | null, left: ReadonlyMap<string, string | null>): void {
    this.isOver = true;
    this.next = next;
    const moved = new Map<string, string>();
    for (const [block, became] of left) {
      if (became === null || next === null) this.lost.add(block);
      else moved.set(block, became);
    }
    this.moved = moved;
    if (next !== null) {
      next.pushed = this.pushed;
      next.durable = this.durable;
      for (const [block, became] of moved) {
        const oldestAtMs = this.inFlight.get(block);
        if (oldestAtMs !== undefined) next.inFlight.set(became, oldestAtMs);
      }
    }
    this.changed();
  }

  changed(): void {
    const acts = [...this.waiters];
    this.waiters.clear();
    for (const act of acts) act();
  }
}

/** Drains Entry Buffers into signed Blocks. */
export class Issuing {
  private readonly core: Core;
  private readonly stacking: Stacking;
  private readonly outlets = new Map<GroupId, Outlet>();
  private readonly isHalted: () => boolean;
  private readonly isOver: (group: GroupId) => boolean;
  private isEnding = false;

  constructor(
    core: Core,
    stacking: Stacking,
    may: { readonly isHalted: () => boolean; readonly isOver: (group: GroupId) => boolean },
  ) {
    this.core = core;
    this.stacking = stacking;
    this.isHalted = may.isHalted;
    this.isOver = may.isOver;
  }

  outlet(group: SyncGroup): Outlet {
    let outlet = this.outlets.get(group.id);
    if (outlet === undefined) {
      const { config } = this.core;
      outlet = new Outlet(
        group,
        new EntryBuffer({
          bytesMax: config.entryBufferBytesMax,
          entriesMax: config.entryBufferEntriesMax,
          drainRatio: config.entryBufferDrainRatio,
          blockBytesMax: config.blockBytesMax,
          blockEntriesMax: config.blockEntriesMax,
        }),
      );
      this.outlets.set(group.id, outlet);
    }
    return outlet;
  }

  outletOf(group: GroupId): Outlet | undefined {
    return this.outlets.get(group);
  }

  allOutlets(): Iterable<Outlet> {
    return this.outlets.values();
  }

  /** From now on nothing waits for company: what was taken becomes durable before the end. */
  end(): void {
    this.isEnding = true;
  }

  get hasWaiting(): boolean {
    return this.nextDueMs() !== null;
  }

  /** Resolves when no Entry waits and no own Block is on its way, or the time is up. */
  async drained(timeoutMs: number): Promise<boolean> {
    let isLate = false;
    let wake = () => {};
    const cancel = this.core.timers.after(timeoutMs, () => {
      isLate = true;
      wake();
    });
    for (const outlet of this.outlets.values()) {
      while (!isLate && !outlet.isEmpty) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          outlet.onChange(resolve);
        });
      }
    }
    cancel();
    return !isLate;
  }

  /** When the next Block falls due; null when there is nothing to issue. */
  nextDueMs(): number | null {
    let due: number | null = null;
    for (const outlet of this.outlets.values()) {
      const at = this.dueMs(outlet);
      if (at !== null && (due === null || at < due)) due = at;
    }
    return due;
  }

  /**
   * The first Entry after a pause waits for nobody; while own Blocks are on their way, Entries
   * gather for `blockAgeMs`, or until a Block is full.
   */
  private dueMs(outlet: Outlet): number | null {
    const oldest = outlet.buffer.oldestAtMs;
    if (oldest === null || this.isHalted() || this.isOver(outlet.group.id)) return null;
    if (this.isEnding) return oldest;
    if (outlet.inFlight.size >= this.core.config.pendingBlocksMax) return null;
    if (outlet.buffer.isDrainDue || outlet.inFlight.size === 0) return oldest;
    return oldest + this.core.config.blockAgeMs;
  }

  /** Inside the turn's transaction: one Block for each Entry Buffer that is due. */
  issue(turn: Turn): void {
    for (const outlet of this.outlets.values()) {
      const due = this.dueMs(outlet);
      if (turn.registry.closure(outlet.group.id) !== undefined) continue;
      if (due !== null && due <= turn.nowMs) this.issueBlock(turn, outlet);
    }
  }

  /** The Block that ends a group; what is pushed there from now on goes on where it goes on. */
  issueHandOver(turn: Turn, group: SyncGroup, handOver: HandOver): void {
    const payload = encodeHandOver(handOver);
    const packed = { payload, merkleRoot: rootOfHandOver(this.core.packer, payload) };
    const block = this.seal(turn, group, packed, { entryCount: 0, atMs: turn.wallMs });
    this.stacking.follow(turn, group, block, true);
  }

  /** The Entries of an own Block once more, in the group that went on from its own. */
  issueAgain(turn: Turn, group: SyncGroup, block: Block, payload: Uint8Array): Block {
    const again = this.seal(turn, group, { payload, merkleRoot: block.merkleRoot }, block);
    this.stacking.follow(turn, group, again, true);
    return again;
  }

  /**
   * A group ended here, and the commit has succeeded: what waits in memory goes along.
   *
   * @param next Null where this Participant is no owner of the group that goes on.
   * @param moved Own Blocks that did not become final, by what they were issued as again.
   */
  goOn(from: GroupId, next: SyncGroup | null, moved: ReadonlyMap<BlockId, BlockId>): void {
    const outlet = this.outlets.get(from);
    if (outlet === undefined) return;
    this.outlets.delete(from);
    const left = new Map<string, string | null>(moved);
    for (const block of outlet.inFlight.keys()) {
      if (!left.has(block) && this.core.store.block(block as BlockId)?.final === false) {
        left.set(block, null);
      }
    }
    const after = next === null ? null : new Outlet(next, outlet.buffer);
    if (after !== null) this.outlets.set(after.group.id, after);
    outlet.end(after, left);
  }

  private issueBlock(turn: Turn, outlet: Outlet): void {
    const { core } = this;
    const drain = outlet.buffer.peek();
    invariant(drain !== null, 'a due Entry Buffer is not empty');
    const packed = core.packer.pack(drain.bytes, drain.lengths);
    const own = { atMs: turn.wallMs, entryCount: drain.lengths.length };
    const block = this.seal(turn, outlet.group, packed, own);
    const { oldestAtMs } = drain;
    turn.afterCommit.push(() => {
      outlet.inFlight.set(block.id, oldestAtMs);
      outlet.buffer.take(drain);
      outlet.durable += drain.lengths.length;
      outlet.changed();
    });
    this.stacking.follow(turn, outlet.group, block, true);
  }

  /** Signs the next own Block of a group, puts it on the Stack and has it sent. */
  private seal(
    turn: Turn,
    group: SyncGroup,
    packed: PackedEntries,
    own: { readonly atMs: number; readonly entryCount: number },
  ): Block {
    const { core } = this;
    const { atMs, entryCount } = own;
    const name = { group: group.id, author: core.self };
    const dependencies = deriveDependencies(frontierOf(turn, group), name);
    const issued = { issuer: core.self, atMs, entryCount, dependencies };
    const header = deriveNextHeader(turn.tips, group, issued, packed);
    const block = sealBlock(core.hash, header, core.signer.sign(encodeBlockHeader(header)));
    core.store.putBlock(block, packed.payload);
    turn.tips.set(block.group, block.issuer, { sequence: block.sequence, block: block.id });
    turn.sends.push({ kind: 'block', block, payload: packed.payload });
    return block;
  }
}
