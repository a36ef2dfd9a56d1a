import { SERIAL_WINDOW, type SerialPart } from './serial-sender.ts';

/** Longest frame of a link: the longest Noise message. */
export const LINK_FRAME_BYTES_MAX = 65_535;

/** Beyond this nothing is taken while nobody fetches. */
const HELD_BYTES_MAX = 256 * 1024;
/** Nor beyond so many whole frames, which may be empty: twice what an honest end sends. */
const WHOLE_MAX = 2 * SERIAL_WINDOW;

/** What became of a part that came. */
export type SerialArrival = 'in-order' | 'early' | 'repeated' | 'no-room' | 'malformed';

/**
 * The receiving half of a reliable line: brings parts into order and puts link frames together.
 * Asks for no more than a window while nobody fetches what is whole.
 */
export class SerialReceiver {
  /** Counts parts; the sequence number is its last byte. */
  private first = 0;
  private readonly early = new Map<number, SerialPart>();
  private parts: Uint8Array[] = [];
  private partsBytes = 0;
  private readonly whole: { readonly frame: Uint8Array; readonly parts: number }[] = [];
  /** Parts of whole frames that wait to be fetched. */
  private waiting = 0;
  private waitingBytes = 0;

  get awaited(): number {
    return this.first & 0xff;
  }

  get room(): number {
    return Math.max(0, SERIAL_WINDOW - this.waiting);
  }

  get hasGap(): boolean {
    return this.early.size > 0;
  }

  get hasWhole(): boolean {
    return this.whole.length > 0;
  }

  take(part: SerialPart): SerialArrival {
    const ahead = (part.sequence - this.first) & 0xff;
    if (ahead >= SERIAL_WINDOW) return ahead >= 256 - SERIAL_WINDOW ? 'repeated' : 'no-room';
    if (this.waitingBytes > HELD_BYTES_MAX || this.whole.length >= WHOLE_MAX) return 'no-room';
    if (part.payload.length === 0 && !part.isLast) return 'malformed';
    const number = this.first + ahead;
    if (this.early.has(number)) return 'repeated';
    this.early.set(number, { ...part, payload: part.payload.slice() });
    if (ahead > 0) return 'early';
    for (let next = this.early.get(this.first); next !== undefined; ) {
      this.early.delete(this.first);
      this.first += 1;
      if (!this.append(next)) return 'malformed';
      next = this.early.get(this.first);
    }
    return 'in-order';
  }

  /** @returns the next whole frame, the caller's to keep. */
  fetch(): Uint8Array | null {
    const next = this.whole.shift();
    if (next === undefined) return null;
    this.waiting -= next.parts;
    this.waitingBytes -= next.frame.length;
    return next.frame;
  }

  /** Throws away what is whole: nobody wants it any more. */
  discard(): void {
    this.whole.length = 0;
    this.waiting = 0;
    this.waitingBytes = 0;
  }

  /** As in `SerialReceipt`, without the zeros at its end. */
  get beyond(): Uint8Array {
    let furthest = -1;
    for (const number of this.early.keys()) furthest = Math.max(furthest, number - this.first - 1);
    const bits = new Uint8Array((furthest + 8) >> 3);
    for (const number of this.early.keys()) {
      const index = number - this.first - 1;
      bits[index >> 3]! |= 1 << (index & 7);
    }
    return bits;
  }

  private append({ payload, isLast }: SerialPart): boolean {
    this.partsBytes += payload.length;
    if (this.partsBytes > LINK_FRAME_BYTES_MAX) return false;
    this.parts.push(payload);
    if (!isLast) return true;
    const frame = new Uint8Array(this.partsBytes);
    let offset = 0;
    for (const part of this.parts) {
      frame.set(part, offset);
      offset += part.length;
    }
    this.whole.push({ frame, parts: this.parts.length });
    this.waiting += this.parts.length;
    this.waitingBytes += frame.length;
    this.parts = [];
    this.partsBytes = 0;
    return true;
  }
}
