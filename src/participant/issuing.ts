import { deriveNextHeader } from '../dataflow/block-stack.ts';
import { EntryBuffer } from '../dataflow/entry-buffer.ts';
import { encodeBlockHeader, sealBlock } from '../model/block.ts';
import { invariant } from '../model/invariant.ts';
import type { GroupId, SyncGroup } from '../model/sync-group.ts';
import type { Core } from './core.ts';
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

  constructor(group: SyncGroup, buffer: EntryBuffer) {
    this.group = group;
    this.buffer = buffer;
  }

  /** Everything pushed is final. */
  get isEmpty(): boolean {
    return this.buffer.entryCount === 0 && this.inFlight.size === 0;
  }

  /** Calls back once when room or durability has changed. @returns how not to be called. */
  onChange(act: () => void): () => void {
    this.waiters.add(act);
    return () => this.waiters.delete(act);
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
  private isEnding = false;

  constructor(core: Core, stacking: Stacking, isHalted: () => boolean) {
    this.core = core;
    this.stacking = stacking;
    this.isHalted = isHalted;
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
    if (oldest === null || this.isHalted()) return null;
    if (this.isEnding) return oldest;
    if (outlet.inFlight.size >= this.core.config.pendingBlocksMax) return null;
    if (outlet.buffer.isDrainDue || outlet.inFlight.size === 0) return oldest;
    return oldest + this.core.config.blockAgeMs;
  }

  /** Inside the turn's transaction: one Block for each Entry Buffer that is due. */
  issue(turn: Turn): void {
    for (const outlet of this.outlets.values()) {
      const due = this.dueMs(outlet);
      if (due !== null && due <= turn.nowMs) this.issueBlock(turn, outlet);
    }
  }

  private issueBlock(turn: Turn, outlet: Outlet): void {
    const { core } = this;
    const drain = outlet.buffer.peek();
    invariant(drain !== null, 'a due Entry Buffer is not empty');
    const packed = core.packer.pack(drain.bytes, drain.lengths);
    const own = { issuer: core.self, atMs: turn.wallMs, entryCount: drain.lengths.length };
    const header = deriveNextHeader(turn.tips, outlet.group, own, packed);
    const signature = core.signer.sign(encodeBlockHeader(header));
    const block = sealBlock(core.hash, header, signature);
    core.store.putBlock(block, packed.payload);
    turn.tips.set(block.group, block.issuer, { sequence: block.sequence, block: block.id });
    turn.sends.push({ kind: 'block', block, payload: packed.payload });
    const { oldestAtMs } = drain;
    turn.afterCommit.push(() => {
      outlet.inFlight.set(block.id, oldestAtMs);
      outlet.buffer.take(drain);
      outlet.durable += drain.lengths.length;
      outlet.changed();
    });
    this.stacking.follow(turn, outlet.group, block, true);
  }
}
