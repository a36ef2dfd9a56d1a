import { PART_BYTES, type Part } from './loose-part.ts';

/** Messages on a link that loses frames, each sent once, in parts. */
export class Streaming {
  waitingBytes = 0;

  private readonly waiting: Uint8Array[] = [];
  /** Of the first message: parts that were sent. */
  private cut = 0;
  private next = 0;

  push(message: Uint8Array): void {
    this.waiting.push(message);
    this.waitingBytes += message.length;
  }

  /** Gives up what waits. @param whole Also the message that has begun to leave. */
  giveUp(whole: boolean): Uint8Array[] {
    const taken = this.waiting.splice(this.cut > 0 && !whole ? 1 : 0);
    if (whole) this.cut = 0;
    this.waitingBytes = (this.waiting[0]?.length ?? 0) - this.cut * PART_BYTES;
    return taken;
  }

  /** The next part, if it is not longer than this; it counts as sent. */
  take(bytesMax: number): Part | null {
    const message = this.waiting[0];
    if (message === undefined) return null;
    const from = this.cut * PART_BYTES;
    const bytes = message.subarray(from, from + PART_BYTES);
    if (bytes.length > bytesMax) return null;
    const [number, index] = [this.next, this.cut];
    const count = Math.ceil(message.length / PART_BYTES);
    this.next = (this.next + 1) >>> 0;
    this.cut += 1;
    this.waitingBytes -= bytes.length;
    if (this.cut === count) {
      this.waiting.shift();
      this.cut = 0;
    }
    return { lane: 'stream', number, behind: 0, index, count, bytes };
  }
}
