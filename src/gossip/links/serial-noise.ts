/** Noise that is too much for one bad moment. After a quiet time it is counted from the start. */
const FRAMES = 8;
const BYTES = 256;
const QUIET_MS = 10_000;

/** Tells a line that will never bring a whole frame from one that is not ready yet. */
export class SerialNoise {
  private readonly longMs: number;
  private sinceMs = 0;
  private lastMs = Number.NEGATIVE_INFINITY;
  private bytes = 0;
  private broken = 0;
  private isTold = false;

  /** @param longMs After so long it is no boot message any more. */
  constructor(longMs: number) {
    this.longMs = longMs;
  }

  /** Bytes came that were part of no frame. @returns whether to tell somebody; true once. */
  hear(bytes: number, broken: number, nowMs: number): boolean {
    if (nowMs - this.lastMs > QUIET_MS) {
      this.sinceMs = nowMs;
      this.bytes = 0;
      this.broken = 0;
    }
    this.lastMs = nowMs;
    this.bytes += bytes;
    this.broken += broken;
    const isMuch = this.bytes >= BYTES || this.broken >= FRAMES;
    if (this.isTold || !isMuch || nowMs - this.sinceMs < this.longMs) return false;
    this.isTold = true;
    return true;
  }

  /** A whole frame came. */
  silence(): void {
    this.isTold = true;
  }
}
