import type { Priority } from '../model/pact.ts';
import { PART_BYTES, type Part } from './loose-part.ts';
import { PriorityLine, type Turn } from './priority-line.ts';

/** Messages on a link that loses frames, each sent once, in parts. */
export class Streaming {
  private readonly waiting = new PriorityLine();
  private next = 0;

  get waitingBytes(): number {
    return this.waiting.bytes;
  }

  waitingBytesOf(priority: Priority): number {
    return this.waiting.bytesOf(priority);
  }

  push(message: Uint8Array, turn?: Turn): void {
    this.waiting.push(message, turn);
  }

  /** Gives up what waits. @param whole Also the message that has begun to leave. */
  giveUp(whole: boolean): Uint8Array[] {
    return this.waiting.take(whole);
  }

  /** The next part, if it is not longer than this; it counts as sent. */
  take(bytesMax: number): Part | null {
    const message = this.waiting.front();
    if (message === undefined) return null;
    const from = this.waiting.gone;
    const bytes = message.subarray(from, from + PART_BYTES);
    if (bytes.length > bytesMax) return null;
    const number = this.next;
    const count = Math.ceil(message.length / PART_BYTES);
    this.next = (this.next + 1) >>> 0;
    this.waiting.advance(bytes.length);
    return { lane: 'stream', number, behind: 0, index: from / PART_BYTES, count, bytes };
  }
}
