/** Seconds' worth of bytes that may be saved up. */
const BURST_SECONDS = 1;

/**
 * So many bytes a second, and what was not used a moment ago. In any time t at most
 * `rate * (t + 1 s)` bytes and one frame are let through.
 */
export class TokenBucket {
  private readonly bytesPerSecond: number;
  private tokens: number;
  private atMs: number;

  constructor(bytesPerSecond: number, nowMs: number) {
    this.bytesPerSecond = bytesPerSecond;
    this.tokens = bytesPerSecond * BURST_SECONDS;
    this.atMs = nowMs;
  }

  /** @returns milliseconds until something may be sent; 0: now. */
  waitMs(nowMs: number): number {
    const most = this.bytesPerSecond * BURST_SECONDS;
    const gained = (Math.max(0, nowMs - this.atMs) * this.bytesPerSecond) / 1_000;
    this.tokens = Math.min(most, this.tokens + gained);
    this.atMs = nowMs;
    return this.tokens > 0 ? 0 : Math.ceil((1 - this.tokens) * (1_000 / this.bytesPerSecond));
  }

  /** What was sent; it may be more than there is, and is then saved up for before the next. */
  take(bytes: number): void {
    this.tokens -= bytes;
  }
}
