import type { Checksum } from '../../ports/checksum.ts';
import { encodeSerialFrame, SERIAL_OVERHEAD_BYTES, type SerialFrame } from './serial-frame.ts';
import type { SerialPace } from './serial-pace.ts';

/** What a line is given to carry, and how far ahead of the line that is. */
export class SerialOutput {
  /** When all that was written has left, by the rate of the line. */
  freeMs = Number.NEGATIVE_INFINITY;
  /** When something was written last. */
  sentMs = Number.NEGATIVE_INFINITY;
  private readonly pace: SerialPace;
  private readonly checksum: Checksum;
  private readonly unwrittenMax: number;
  /** Bytes that the port was given and has not taken. */
  private unwritten = 0;
  private fresh: Uint8Array[] = [];

  constructor(pace: SerialPace, checksum: Checksum) {
    this.pace = pace;
    this.checksum = checksum;
    const aheadBytes = pace.aheadMs / pace.msPerByte;
    this.unwrittenMax = aheadBytes + pace.payloadBytes + SERIAL_OVERHEAD_BYTES;
  }

  /** May another data frame be written, or is enough ahead of the line? */
  isReady(nowMs: number): boolean {
    return this.readyMs <= nowMs && !this.isStuck;
  }

  get readyMs(): number {
    return this.freeMs - this.pace.aheadMs;
  }

  /** The port does not take what it was given: only it can say when it goes on. */
  get isStuck(): boolean {
    return this.unwritten > this.unwrittenMax;
  }

  /** When a frame with so much payload will have left if it is written now. */
  leavesMs(payloadBytes: number, nowMs: number): number {
    const bytes = payloadBytes + SERIAL_OVERHEAD_BYTES;
    return Math.max(nowMs, this.freeMs) + bytes * this.pace.msPerByte;
  }

  write(frame: SerialFrame, nowMs: number): void {
    const bytes = encodeSerialFrame(frame, this.checksum);
    this.freeMs = Math.max(nowMs, this.freeMs) + bytes.length * this.pace.msPerByte;
    this.sentMs = nowMs;
    this.unwritten += bytes.length;
    this.fresh.push(bytes);
  }

  written(count: number): void {
    this.unwritten -= count;
  }

  /** @returns what was written since it was asked last. */
  take(): Uint8Array[] {
    const { fresh } = this;
    this.fresh = [];
    return fresh;
  }
}
