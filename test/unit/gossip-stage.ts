import type { Random, Timers } from '../../src/ports/clock.ts';

/** Time and turns in a test's own hand: nothing happens unless it is run. */
export class Stage implements Timers {
  private nowMs = 1_000_000;
  private readonly tasks: (() => void)[] = [];
  /** In the order in which they are due; of those due at once, in that in which they were set. */
  private readonly alarms: { atMs: number; wake: () => void }[] = [];
  /** Timers set in all, to see that nothing sets one per message. */
  timersSet = 0;

  readonly defer = (work: () => void): void => {
    this.tasks.push(work);
  };

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs + 1_700_000_000_000;
  }

  after(delayMs: number, wake: () => void): () => void {
    this.timersSet += 1;
    const alarm = { atMs: this.nowMs + delayMs, wake };
    this.alarms.splice(this.placeAfter(alarm.atMs), 0, alarm);
    return () => {
      const index = this.alarms.indexOf(alarm);
      if (index >= 0) this.alarms.splice(index, 1);
    };
  }

  /** Runs all that can happen without time passing. */
  async settle(): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < 8; turn++) await Promise.resolve();
      const task = this.tasks.shift();
      if (task === undefined) return;
      task();
      for (let run = this.tasks.shift(); run !== undefined; run = this.tasks.shift()) run();
    }
  }

  /** Runs at most so many pieces of work. */
  turns(count: number): void {
    for (const task of this.tasks.splice(0, count)) task();
  }

  /** Lets time pass, timer by timer. */
  async advance(delayMs: number): Promise<void> {
    const endMs = this.nowMs + delayMs;
    await this.settle();
    for (;;) {
      const [next] = this.alarms;
      if (next === undefined || next.atMs > endMs) break;
      this.alarms.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.wake();
      await this.settle();
    }
    this.nowMs = endMs;
  }

  private placeAfter(atMs: number): number {
    let [low, high] = [0, this.alarms.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.alarms[middle]!.atMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Lets time pass in steps until `holds`. @throws when it never does. */
  async until(holds: () => boolean, limitMs = 120_000, stepMs = 50): Promise<void> {
    const endMs = this.nowMs + limitMs;
    await this.settle();
    while (!holds()) {
      if (this.nowMs >= endMs) throw new Error(`not within ${limitMs} ms`);
      await this.advance(stepMs);
    }
  }
}

/** The same chance every time: a linear congruential generator. */
export class SeededRandom implements Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  fraction(): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.state / 2 ** 32;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => Math.floor(this.fraction() * 256));
  }
}
