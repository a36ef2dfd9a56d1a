import type { GroupId } from '../model/sync-group.ts';
import type { Core } from './core.ts';
import { Retaining } from './retaining.ts';
import type { Memory, Turn } from './turn.ts';

/** Levels, rivals or rows that one turn looks at: a few milliseconds on a small machine. */
const ROWS_PER_TURN = 48;
/** While more is left, the next turn comes after so long, in milliseconds: work goes first. */
const PAUSE_MS = 50;
/** Where age counts, all groups are looked at so often, in milliseconds. */
const AGE_CHECK_MS = 3_600_000;

/**
 * Throws away, some at a time and inside turns, what no rule needs any more. Nothing is remembered
 * of it that a restart could forget: whatever is left is found again.
 *
 * @source consensus.md 7.
 */
export class Sweeping {
  private readonly core: Core;
  private readonly retaining: Retaining;
  /** Groups of which something may be left. */
  private readonly dirty: Set<GroupId>;
  private dueMs: number | null;

  constructor(core: Core, memory: Memory) {
    this.core = core;
    this.retaining = new Retaining(core);
    this.dirty = new Set(memory.registry.allGroups().map(({ id }) => id));
    this.dueMs = this.dirty.size === 0 ? null : core.timers.monotonicMs();
  }

  /** When the next turn should come for what is left; null for nothing. */
  nextDueMs(): number | null {
    return this.dueMs;
  }

  /** Inside the turn's transaction, at its end. */
  sweep(turn: Turn): void {
    for (const group of turn.settled) this.dirty.add(group);
    if (this.dueMs !== null && this.dueMs <= turn.nowMs && this.dirty.size === 0) {
      for (const { id } of turn.registry.allGroups()) this.dirty.add(id);
    }
    const clean: GroupId[] = [];
    let isMore = false;
    for (const group of this.dirty) {
      const known = turn.registry.group(group);
      if (known !== undefined) this.retaining.retain(turn, known);
      isMore = this.core.store.sweep(group, ROWS_PER_TURN);
      if (isMore) break;
      clean.push(group);
      if (clean.length >= ROWS_PER_TURN) break;
    }
    turn.afterCommit.push(() => {
      for (const group of clean) this.dirty.delete(group);
      if (this.dirty.size > 0) this.dueMs = turn.nowMs + PAUSE_MS;
      else this.dueMs = this.retaining.hasAge(turn) ? turn.nowMs + AGE_CHECK_MS : null;
    });
  }
}
