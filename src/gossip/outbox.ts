import type { BlockId } from '../model/block.ts';
import type { Priority } from '../model/pact.ts';
import { BlocksUnderway } from './blocks-underway.ts';
import { FRAGMENT_HEADER_BYTES, writeFragment } from './fragment.ts';
import { isBlock, type Lane, type Message } from './messages.ts';
import type { Pace } from './pace.ts';
import { PriorityLine, type Turn } from './priority-line.ts';

/** A bulk message is not cut to use up fewer bytes of a frame than this. */
const BULK_PART_BYTES_MIN = 512;

/** What is known of a message beside its bytes. */
export interface About {
  /** Of a Block with its Entries. */
  readonly block?: BlockId;
  /** Asked when the message is about to leave: true, and it does not. */
  readonly isNeedless?: (() => boolean) | undefined;
  /** Of bulk: when it may leave; `normal` if it is not said. */
  readonly turn?: Turn | undefined;
}

/** What a message says of itself. */
export function aboutMessage(message: Message): About {
  const block = message.kind === 'item' && message.item.kind === 'block' ? message.item : null;
  return block === null || block.payload === null ? {} : { block: block.block.id };
}

/** What waits in one lane. */
class Queue extends PriorityLine {
  private readonly about = new Map<Uint8Array, About>();
  private readonly blocks: BlocksUnderway;

  constructor(blocks: BlocksUnderway) {
    super();
    this.blocks = blocks;
  }

  add(message: Uint8Array, about: About): void {
    this.push(message, about.turn);
    if (about.block !== undefined) this.blocks.pushed(about.block);
    if (about.block !== undefined || about.isNeedless !== undefined) this.about.set(message, about);
  }

  /** @returns what is to leave next, after what need not. */
  peek(): Uint8Array | undefined {
    for (;;) {
      const message = this.front();
      if (message === undefined || this.gone > 0) return message;
      const { block, isNeedless } = this.about.get(message) ?? {};
      const isPromised = block !== undefined && this.blocks.isPromised(block);
      if (isPromised || isNeedless?.() !== true) return message;
      this.forget(message);
      this.drop();
    }
  }

  leave(message: Uint8Array, bytes: number): void {
    if (!this.advance(bytes)) return;
    const block = this.about.get(message)?.block;
    if (block !== undefined) this.blocks.sent(block);
    this.about.delete(message);
  }

  override take(whole: boolean): Uint8Array[] {
    const taken = super.take(whole);
    for (const message of taken) this.forget(message);
    return taken;
  }

  private forget(message: Uint8Array): void {
    const block = this.about.get(message)?.block;
    if (block !== undefined) this.blocks.dropped(block);
    this.about.delete(message);
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
    return this.urgentBytes + this.bulkBytes === 0;
  }

  bulkBytesOf(priority: Priority): number {
    return this.lanes.bulk.bytesOf(priority);
  }

  /**
   * The lane for an item that nobody asked for; null where its queue is full. Blocks are bulk; a
   * small one is urgent where that keeps the order of Blocks, so where no bulk waits that goes
   * before it. Nor does what goes after it take its room.
   */
  laneFor(item: Uint8Array, priority: Priority = 'normal'): Lane | null {
    const { urgentBytes, pace } = this;
    const bulkBytes = this.lanes.bulk.bytesUpTo(priority);
    const { length } = item;
    if (!isBlock(item)) return urgentBytes + length > pace.urgentNewsBytesMax ? null : 'urgent';
    if (bulkBytes > 0 && bulkBytes + length > pace.bulkQueueBytesMax) return null;
    const isSmall = length <= pace.smallBytes && urgentBytes <= pace.smallWaitingBytes;
    return bulkBytes === 0 && isSmall ? 'urgent' : 'bulk';
  }

  push(way: Way, message: Uint8Array, about: About = {}): void {
    if (way === 'sign') this.signs.add(message, {});
    else if (way === 'urgent') this.lanes.urgent.add(message, { ...about, turn: 'normal' });
    else this.lanes.bulk.add(message, about);
  }

  /** Gives up what waits in a lane, for another link to carry. @param whole As of a line. */
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
    let used = urgent.gone > 0 ? fillFrom(urgent, frame, { lane: 'urgent', count: 1 }) : 0;
    if (urgent.gone === 0) used = fillFrom(this.signs, frame, { lane: 'urgent', used });
    if (isQuiet) return used;
    if (this.signs.gone === 0) used = fillFrom(urgent, frame, { lane: 'urgent', used });
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
    const left = message.length - queue.gone;
    const least = lane === 'bulk' && offset > 0 ? Math.min(left, BULK_PART_BYTES_MIN) : 1;
    if (room < least) break;
    const part = message.subarray(queue.gone, queue.gone + Math.min(left, room));
    offset = writeFragment(frame, offset, part, { lane, more: part.length < left });
    queue.leave(message, part.length);
  }
  return offset;
}
