import type { Timers } from '../ports/clock.ts';

/**
 * One timer for many deadlines: rings at the earliest time asked for, and whoever rings looks what
 * is due and asks again. Rings at most once a millisecond.
 */
export class Alarm {
  private readonly timers: Timers;
  private readonly ring: (nowMs: number) => void;
  private dueMs = Number.POSITIVE_INFINITY;
  private cancel: (() => void) | null = null;
  private isOver = false;

  constructor(timers: Timers, ring: (nowMs: number) => void) {
    this.timers = timers;
    this.ring = ring;
  }

  /** @param atMs On the monotonic clock; the past means as soon as can be. */
  at(atMs: number): void {
    if (atMs >= this.dueMs || this.isOver) return;
    this.stop();
    this.dueMs = atMs;
    const delayMs = Math.max(1, atMs - this.timers.monotonicMs());
    this.cancel = this.timers.after(delayMs, () => {
      this.dueMs = Number.POSITIVE_INFINITY;
      this.cancel = null;
      this.ring(this.timers.monotonicMs());
    });
  }

  /** Rings never again, whatever is asked for. */
  close(): void {
    this.stop();
    this.isOver = true;
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
    this.dueMs = Number.POSITIVE_INFINITY;
  }
}
