import type { FragmentRefusal } from './fragment.ts';
import {
  ACK_BITS_BYTES,
  type Ack,
  type LooseLane,
  PART_BYTES,
  type Part,
  type RepeatedLane,
} from './loose-part.ts';

/** Takes and gives back room for parts. */
export interface PartRoom {
  /** @returns false if there is none. */
  claim(bytes: number): boolean;
  release(bytes: number): void;
}

/** A message of which some parts have come. */
class Unfinished {
  readonly first: number;
  readonly count: number;
  readonly parts = new Map<number, Uint8Array>();
  /** All parts below it have come. */
  lowest = 0;

  constructor(part: Part) {
    this.first = part.number - part.index;
    this.count = part.count;
  }

  get isWhole(): boolean {
    return this.parts.size === this.count;
  }

  get heldBytes(): number {
    return this.parts.size * PART_BYTES;
  }

  add(part: Part): void {
    this.parts.set(part.index, part.bytes.slice());
    while (this.parts.has(this.lowest)) this.lowest += 1;
  }

  whole(): Uint8Array {
    const last = this.parts.get(this.count - 1)!;
    const whole = new Uint8Array((this.count - 1) * PART_BYTES + last.length);
    for (const [index, bytes] of this.parts) whole.set(bytes, index * PART_BYTES);
    return whole;
  }
}

/** A whole message, and the number of its first part. */
export interface Gathered {
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** The unfinished messages of one lane, by the number of their first part. */
class Shelf {
  private readonly room: PartRoom;
  private readonly messages = new Map<number, Unfinished>();

  constructor(room: PartRoom) {
    this.room = room;
  }

  get all(): Iterable<Unfinished> {
    return this.messages.values();
  }

  get count(): number {
    return this.messages.size;
  }

  /** @returns the message, whole or not, or what is wrong with the part. */
  add(part: Part): Unfinished | FragmentRefusal {
    const first = part.number - part.index;
    const message = this.messages.get(first) ?? new Unfinished(part);
    if (message.count !== part.count || message.parts.has(part.index)) return 'fragment-malformed';
    if (!this.room.claim(PART_BYTES)) return 'assembly-full';
    message.add(part);
    this.messages.set(first, message);
    return message;
  }

  take(message: Unfinished): Gathered {
    const gathered = { first: message.first, bytes: message.whole() };
    this.remove(message);
    return gathered;
  }

  remove(message: Unfinished): void {
    if (this.messages.delete(message.first)) this.room.release(message.heldBytes);
  }

  clear(): void {
    for (const message of [...this.messages.values()]) this.remove(message);
  }
}

/** What came of a part. */
export type Outcome = Gathered[] | FragmentRefusal;

/** Puts together the messages of a lane whose parts are repeated until they are acknowledged. */
export class Gathering {
  /** Something came that its sender should hear of. */
  isAckDue = false;

  private readonly lane: RepeatedLane;
  private readonly shelf: Shelf;
  /** All below it have come, or are waited for no more. */
  private next = 0;
  /** Above `next`; by what `behind` can say never more than a window of them. */
  private readonly beyond = new Set<number>();

  constructor(lane: RepeatedLane, room: PartRoom) {
    this.lane = lane;
    this.shelf = new Shelf(room);
  }

  add(part: Part): Outcome {
    this.isAckDue = true;
    this.giveUpBelow(part.number - part.behind);
    const { number } = part;
    if (number < this.next || this.beyond.has(number)) return this.deliver(null);
    const message = this.shelf.add(part);
    if (typeof message === 'string') return message;
    this.beyond.add(number);
    this.moveOn();
    return this.deliver(message);
  }

  ack(): Ack {
    this.isAckDue = false;
    const bits = new Uint8Array(ACK_BITS_BYTES);
    let used = 0;
    for (const number of this.beyond) {
      const bit = number - this.next;
      bits[bit >> 3]! |= 1 << (bit & 7);
      used = Math.max(used, (bit >> 3) + 1);
    }
    return { lane: this.lane, next: this.next, bits: bits.subarray(0, used) };
  }

  drop(): void {
    this.shelf.clear();
  }

  private moveOn(): void {
    while (this.beyond.delete(this.next)) this.next += 1;
  }

  /** Its sender repeats nothing below this: a message that lacks some of that is lost. */
  private giveUpBelow(floor: number): void {
    if (floor <= this.next) return;
    this.next = floor;
    for (const number of this.beyond) if (number < floor) this.beyond.delete(number);
    this.moveOn();
    for (const message of [...this.shelf.all]) {
      if (!message.isWhole && message.first + message.lowest < floor) this.shelf.remove(message);
    }
  }

  /** Urgent messages as they become whole; bulk in the order in which it was sent. */
  private deliver(touched: Unfinished | null): Gathered[] {
    if (this.lane === 'urgent') return touched?.isWhole === true ? [this.shelf.take(touched)] : [];
    const ready = [...this.shelf.all].filter((each) => each.isWhole && each.first <= this.next);
    return ready.sort((a, b) => a.first - b.first).map((each) => this.shelf.take(each));
  }
}

/** Unfinished messages of a stream: it is sent one after the other, so more are past hope. */
const STREAM_UNFINISHED_MAX = 4;

/** Puts together the messages of the lane that is sent once. */
export class StreamGathering {
  readonly lane: LooseLane = 'stream';
  /** Parts that were missing when one came that was sent later. */
  gaps = 0;

  private readonly shelf: Shelf;
  private next = 0;

  constructor(room: PartRoom) {
    this.shelf = new Shelf(room);
  }

  add(part: Part): Outcome {
    if (part.number > this.next) this.gaps += part.number - this.next;
    this.next = Math.max(this.next, part.number + 1);
    const message = this.shelf.add(part);
    if (typeof message === 'string') return message;
    if (message.isWhole) return [this.shelf.take(message)];
    if (this.shelf.count > STREAM_UNFINISHED_MAX) this.shelf.remove(oldestOf(this.shelf.all));
    return [];
  }

  drop(): void {
    this.shelf.clear();
  }
}

function oldestOf(messages: Iterable<Unfinished>): Unfinished {
  let oldest: Unfinished | null = null;
  for (const each of messages) if (oldest === null || each.first < oldest.first) oldest = each;
  return oldest!;
}
