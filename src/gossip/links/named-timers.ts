import type { Timers } from '../../ports/clock.ts';

/** Timers by name, one of each: setting one anew calls off the one before. */
export class NamedTimers<Name extends string> {
  private readonly timers: Timers;
  private readonly cancels = new Map<Name, () => void>();

  constructor(timers: Timers) {
    this.timers = timers;
  }

  has(name: Name): boolean {
    return this.cancels.has(name);
  }

  set(name: Name, delayMs: number, wake: () => void): void {
    this.cancel(name);
    const cancel = this.timers.after(delayMs, () => {
      this.cancels.delete(name);
      wake();
    });
    this.cancels.set(name, cancel);
  }

  cancel(name: Name): void {
    this.cancels.get(name)?.();
    this.cancels.delete(name);
  }

  clear(): void {
    for (const cancel of this.cancels.values()) cancel();
    this.cancels.clear();
  }
}
