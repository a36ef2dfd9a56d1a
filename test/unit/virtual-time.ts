import type { Timers } from '../../src/ports/clock.ts';

interface Wake {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Time that passes when told. */
export class VirtualTime implements Timers {
  nowMs = 0;
  #wakes: Wake[] = [];

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, wake: () => void): () => void {
    const entry = { dueMs: this.nowMs + delayMs, wake };
    this.#wakes.push(entry);
    return () => {
      this.#wakes = this.#wakes.filter((each) => each !== entry);
    };
  }

  /** Lets time pass; who is due is woken in order, at their time. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const due = this.#wakes.filter((each) => each.dueMs <= untilMs);
      const next = due.sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.#wakes = this.#wakes.filter((each) => each !== next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.wake();
    }
    this.nowMs = untilMs;
  }

  /** Timers that are still to fire. */
  get pending(): number {
    return this.#wakes.length;
  }
}
