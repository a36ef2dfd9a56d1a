import { performance } from 'node:perf_hooks';
import type { Timers } from '../ports/clock.ts';

/** Longest delay that a timer of Node keeps; it fires at once for a longer one. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/** This machine's clocks. */
export class SystemClock implements Timers {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  after(delayMs: number, wake: () => void): () => void {
    const dueMs = this.monotonicMs() + delayMs;
    // A timer of Node may fire up to a millisecond early, and cannot wait for longer than 24 days.
    const arm = (leftMs: number): NodeJS.Timeout =>
      setTimeout(fire, Math.min(Math.max(0, Math.ceil(leftMs)), DELAY_MAX_MS));
    const fire = (): void => {
      const leftMs = dueMs - this.monotonicMs();
      if (leftMs <= 0) wake();
      else timer = arm(leftMs);
    };
    let timer = arm(delayMs);
    return () => clearTimeout(timer);
  }
}
