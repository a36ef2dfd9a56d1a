/** Bytes a second at first and at least. */
const FIRST = 128 * 1024;
const LEAST = 32 * 1024;

/** Added where all arrives; kept where it does not; looked at so often, in milliseconds. */
const STEP = 16 * 1024;
const KEPT_RATIO = 0.7;
const LOOK_MS = 100;

/** A little is lost on a radio without any queue being full. */
const BEARABLE_RATIO = 0.02;

/** Without a word from the other end the rate halves after so long, in milliseconds. */
const SILENCE_MS = 1_000;

/** Sent at once at most: what so much time earns, in milliseconds, between two bounds in bytes. */
const BURST_MS = 10;
const BURST_MIN = 4 * 1024;
const BURST_MAX = 32 * 1024;

/**
 * How fast a link of datagrams sends: more and more while all arrives, clearly less when it does
 * not (additive increase, multiplicative decrease), never above what the operator allows.
 */
export class UdpRate {
  bytesPerSecond: number;

  private readonly most: number;
  private readonly least: number;
  private isStarting = true;
  private allowance = 0;
  private filledMs: number;
  private lookedMs: number;
  private heardMs: number;
  /** What the other end said last, and what became of frames since the last look. */
  private next = 0;
  private count = 0;
  private covered = 0;
  private lost = 0;
  private wasShort = false;

  /** @param bytesPerSecondMax Of datagrams, their own heads included. */
  constructor(bytesPerSecondMax: number, nowMs: number) {
    this.most = bytesPerSecondMax;
    this.least = Math.min(LEAST, bytesPerSecondMax);
    this.bytesPerSecond = Math.min(FIRST, bytesPerSecondMax);
    this.filledMs = nowMs;
    this.lookedMs = nowMs;
    this.heardMs = nowMs;
    this.allowance = this.burst;
  }

  /** @returns 0 where so many bytes may leave now, and counts them; else in how many ms. */
  take(bytes: number, nowMs: number): number {
    const earned = ((nowMs - this.filledMs) * this.bytesPerSecond) / 1_000;
    this.allowance = Math.min(this.burst, this.allowance + earned);
    this.filledMs = nowMs;
    if (this.allowance >= bytes) {
      this.allowance -= bytes;
      return 0;
    }
    this.wasShort = true;
    return ((bytes - this.allowance) * 1_000) / this.bytesPerSecond;
  }

  /** The other end says up to where frames came, and how many. */
  heard(next: number, count: number, nowMs: number): void {
    this.heardMs = nowMs;
    if (next <= this.next) return;
    const covered = next - this.next;
    this.covered += covered;
    this.lost += Math.max(0, covered - Math.max(0, count - this.count));
    this.next = next;
    this.count = count;
    if (nowMs - this.lookedMs >= LOOK_MS) this.look(nowMs);
  }

  /** Frames are under way and nothing is heard of them. @param sent One above the last sent. */
  awaits(sent: number, nowMs: number): void {
    if (sent === this.next) this.heardMs = nowMs;
    if (nowMs - this.heardMs < SILENCE_MS) return;
    this.heardMs = nowMs;
    this.lower(0.5);
  }

  private get burst(): number {
    const earned = (this.bytesPerSecond * BURST_MS) / 1_000;
    return Math.min(BURST_MAX, Math.max(BURST_MIN, earned));
  }

  private look(nowMs: number): void {
    const isLossy = this.lost > BEARABLE_RATIO * this.covered;
    if (isLossy) this.lower(KEPT_RATIO);
    else if (this.wasShort) {
      const more = this.isStarting ? this.bytesPerSecond : STEP;
      this.bytesPerSecond = Math.min(this.most, this.bytesPerSecond + more);
    }
    this.lookedMs = nowMs;
    this.covered = 0;
    this.lost = 0;
    this.wasShort = false;
  }

  private lower(ratio: number): void {
    this.isStarting = false;
    this.bytesPerSecond = Math.max(this.least, this.bytesPerSecond * ratio);
  }
}
