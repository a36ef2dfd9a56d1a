import type { Random, Timers } from '../../ports/clock.ts';

/** A connection that lasted so long was a good one: the next failure is the first again. */
const STEADY_MS = 10_000;

export interface MqttRetryParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly settings: { readonly backoffMinMs: number; readonly backoffMaxMs: number };
}

/** When a broker that was lost is joined again: ever later. */
export class MqttRetry {
  /** Since the last connection that lasted. */
  failures = 0;

  private readonly parts: MqttRetryParts;
  private upMs: number | null = null;
  private stop: (() => void) | null = null;

  constructor(parts: MqttRetryParts) {
    this.parts = parts;
  }

  isUp(): void {
    this.upMs = this.parts.timers.monotonicMs();
  }

  isDown(): void {
    const { upMs } = this;
    this.upMs = null;
    if (upMs !== null && this.parts.timers.monotonicMs() - upMs >= STEADY_MS) this.failures = 0;
  }

  /** Once, however often it is called before. */
  schedule(join: () => void): void {
    if (this.stop !== null) return;
    const { timers, random, settings } = this.parts;
    const { backoffMinMs, backoffMaxMs } = settings;
    const mostMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.failures, 30));
    this.failures += 1;
    const delayMs = mostMs * (0.5 + 0.5 * random.fraction());
    this.stop = timers.after(delayMs, join);
  }

  cancel(): void {
    this.stop?.();
    this.stop = null;
  }
}
