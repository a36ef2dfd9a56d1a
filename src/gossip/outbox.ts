import type { BlockId } from '../model/block.ts';
import { BlocksUnderway } from './blocks-underway.ts';
import { FRAGMENT_HEADER_BYTES, writeFragment } from './fragment.ts';
import { isBlock, type Lane, type Message } from './messages.ts';
import type { Pace } from './pace.ts';

/** A bulk message is not cut to use up fewer bytes of a frame than this. */
const BULK_PART_BYTES_MIN = 512;

/** What is known of a message beside its bytes. */
export interface About {
  /** Of a Block with its Entries. */
  readonly block?: BlockId;
  /** Asked when the message is about to leave: true, and it does not. */
  readonly isNeedless?: () => boolean;
}

/** What a message says of itself. */
export function aboutMessage(message: Message): About {
  const block = message.kind === 'item' && message.item.kind === 'block' ? message.item : null;
  return block === null || block.payload === null ? {} : { block: block.block.id };
}

/** First in, first out; the front is given up without moving what follows. */
class Queue {
  bytes = 0;
  /** Of the front message, already written into frames. */
  written = 0;
  private messages: Uint8Array[] = [];
  private front = 0;
  private readonly about = new Map<Uint8Array, About>();
  private readonly blocks: BlocksUnderway;

  constructor(blocks: BlocksUnderway) {
    this.blocks = blocks;
  }

  get count(): number {
    return this.messages.length - this.front;
  }

  push(message: Uint8Array, about: About = {}): void {
    this.messages.push(message);
    this.bytes += message.length;
    if (about.block !== undefined) this.blocks.pushed(about.block);
    if (about.block !== undefined || about.isNeedless !== undefined) this.about.set(message, about);
  }

  /** @returns what is to leave next, after what need not. */
  peek(): Uint8Array | undefined {
    for (;;) {
      const message = this.messages[this.front];
      if (message === undefined || this.written > 0) return message;
      const { block, isNeedless } = this.about.get(message) ?? {};
      if (isNeedless === undefined) return message;
      const isPromised = block !== undefined && this.blocks.isPromised(block);
      if (isPromised || !isNeedless()) {
        // Asked once.
        this.about.set(message, block === undefined ? {} : { block });
        return message;
      }
      this.drop(message);
      this.bytes -= message.length;
      this.next();
    }
  }

  /** Gives up all that has not begun to leave; with `whole`, what has begun as well. */
  take(whole: boolean): Uint8Array[] {
    const from = this.written > 0 && !whole ? this.front + 1 : this.front;
    const taken = this.messages.splice(from);
    if (this.written > 0 && whole) this.bytes += this.written;
    if (whole) this.written = 0;
    for (const message of taken) {
      this.bytes -= message.length;
      this.drop(message);
    }
    return taken;
  }

  advance(bytes: number): void {
    this.bytes -= bytes;
    this.written += bytes;
    const message = this.messages[this.front]!;
    if (this.written < message.length) return;
    const block = this.about.get(message)?.block;
    if (block !== undefined) this.blocks.sent(block);
    this.about.delete(message);
    this.next();
  }

  private drop(message: Uint8Array): void {
    const block = this.about.get(message)?.block;
    if (block !== undefined) this.blocks.dropped(block);
    this.about.delete(message);
  }

  private next(): void {
    this.written = 0;
    this.front += 1;
    if (this.front < 1_024 && this.front < this.messages.length) return;
    this.messages = this.messages.slice(this.front);
    this.front = 0;
  }
}

export type OutboxPace = Pick<
  Pace,
  'smallBytes' | 'smallWaitingBytes' | 'bulkQueueBytesMax' | 'urgentNewsBytesMax'
>;

/**
 * A Block that nobody asked for is `offered` where the link may lose it; a `sign` of life, short
 * and urgent, is sent when nothing else may be.
 */
export type Way = Lane | 'offered' | 'sign';

/** What waits to be sent to one peer, and how it is put into frames. */
export class Outbox {
  private readonly pace: OutboxPace;
  readonly blocks = new BlocksUnderway();
  private readonly lanes = { urgent: new Queue(this.blocks), bulk: new Queue(this.blocks) };
  private readonly signs = new Queue(this.blocks);

  constructor(pace: OutboxPace) {
    this.pace = pace;
  }

  get urgentBytes(): number {
    return this.lanes.urgent.bytes + this.signs.bytes;
  }

  get bulkBytes(): number {
    return this.lanes.bulk.bytes;
  }

  get isEmpty(): boolean {
    return this.lanes.urgent.count + this.lanes.bulk.count + this.signs.count === 0;
  }

  /**
   * The lane for an item that nobody asked for; null where its queue is full. Blocks are bulk; a
   * small one is urgent where that keeps the order of Blocks, so where no bulk waits.
   */
  laneFor(item: Uint8Array): Lane | null {
    const { urgentBytes, bulkBytes, pace } = this;
    const { length } = item;
    if (!isBlock(item)) return urgentBytes + length > pace.urgentNewsBytesMax ? null : 'urgent';
    if (bulkBytes > 0 && bulkBytes + length > pace.bulkQueueBytesMax) return null;
    const isSmall = length <= pace.smallBytes && urgentBytes <= pace.smallWaitingBytes;
    return bulkBytes === 0 && isSmall ? 'urgent' : 'bulk';
  }

  push(way: Way, message: Uint8Array, about?: About): void {
    if (way === 'sign') this.signs.push(message);
    else this.lanes[way === 'offered' ? 'bulk' : way].push(message, about);
  }

  /** Gives up what waits in a lane, for another link to carry. @param whole see `Queue.take` */
  take(lane: Lane, whole: boolean): Uint8Array[] {
    return this.lanes[lane].take(whole);
  }

  /**
   * Fills a frame: all that is urgent, signs of life before the rest, then bulk.
   * @param isQuiet Nothing but signs of life, and the rest of an urgent message that has begun.
   * @returns the bytes used; 0 when nothing waits that may be sent.
   */
  fill(frame: Uint8Array, isQuiet = false): number {
    const { urgent, bulk } = this.lanes;
    let used = urgent.written > 0 ? fillFrom(urgent, frame, { lane: 'urgent', count: 1 }) : 0;
    if (urgent.written === 0) used = fillFrom(this.signs, frame, { lane: 'urgent', used });
    if (isQuiet) return used;
    if (this.signs.written === 0) used = fillFrom(urgent, frame, { lane: 'urgent', used });
    return fillFrom(bulk, frame, { lane: 'bulk', used });
  }
}

/** @param count Messages to write at most. @returns the bytes of the frame that are used then. */
function fillFrom(
  queue: Queue,
  frame: Uint8Array,
  {
    lane,
    used = 0,
    count = Number.POSITIVE_INFINITY,
  }: { lane: Lane; used?: number; count?: number },
): number {
  let offset = used;
  let written = 0;
  for (let message = queue.peek(); message !== undefined; message = queue.peek()) {
    if (written === count) break;
    written += 1;
    const room = frame.length - offset - FRAGMENT_HEADER_BYTES;
    const left = message.length - queue.written;
    const least = lane === 'bulk' && offset > 0 ? Math.min(left, BULK_PART_BYTES_MIN) : 1;
    if (room < least) break;
    const part = message.subarray(queue.written, queue.written + Math.min(left, room));
    offset = writeFragment(frame, offset, part, { lane, more: part.length < left });
    queue.advance(part.length);
  }
  return offset;
}
