import type { Priority } from '../model/pact.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { FragmentRefusal, Occupant } from './fragment.ts';
import type { FramingParts, Incoming, Outgoing } from './framing.ts';
import { type Gathered, Gathering, StreamGathering } from './gathering.ts';
import {
  ACK_BITS_BYTES,
  ACK_HEADER_BYTES,
  PART_BYTES,
  PART_HEADER_BYTES,
  type Part,
  readPieces,
  writeAck,
  writePart,
} from './loose-part.ts';
import { isBlock, type Lane, MESSAGE_CODES } from './messages.ts';
import type { About, Way } from './outbox.ts';
import { Repeating } from './repeating.ts';
import { Streaming } from './streaming.ts';

/** Parts wait so long for others before they are acknowledged, in milliseconds. */
const ACK_DELAY_MS = 10;

/** So many parts are acknowledged at once. */
const ACK_PARTS = 32;

const ACK_BYTES_MAX = ACK_HEADER_BYTES + ACK_BITS_BYTES;

/**
 * Messages over a link that loses frames. What is urgent, and what was asked for, is sent again
 * until it is acknowledged; fresh Blocks are sent once, and what is lost of them anti-entropy
 * brings. Urgent messages arrive in any order, though the very first of them is heard first; bulk
 * messages in the order in which they were sent.
 */
export class LooseFraming implements Occupant, Outgoing, Incoming {
  readonly owner: string;
  heldBytes = 0;

  private readonly parts: FramingParts;
  private readonly urgent = new Repeating('urgent');
  private readonly bulk = new Repeating('bulk');
  private readonly stream = new Streaming();
  private readonly gathering: {
    readonly urgent: Gathering;
    readonly bulk: Gathering;
    readonly stream: StreamGathering;
  };
  /** The other end's first message has come. */
  private hasBegun = false;
  private latestNeighbours = -1;
  private gapsSeen = 0;
  private abandonedSeen = 0;
  private unacknowledged = 0;
  private ackDueMs: number | null = null;
  private isStreamsTurn = false;
  private cancelTimer: (() => void) | null = null;

  constructor(parts: FramingParts) {
    this.parts = parts;
    this.owner = parts.tenant.owner;
    const room = {
      claim: (bytes: number) => {
        const isClaimed = parts.room.claim(this, bytes);
        if (isClaimed) this.heldBytes += bytes;
        return isClaimed;
      },
      release: (bytes: number) => {
        parts.room.release(this, bytes);
        this.heldBytes -= bytes;
      },
    };
    this.gathering = {
      urgent: new Gathering('urgent', room),
      bulk: new Gathering('bulk', room),
      stream: new StreamGathering(room),
    };
  }

  get urgentBytes(): number {
    return this.urgent.waitingBytes + this.urgent.flyingBytes;
  }

  get bulkBytes(): number {
    return this.bulk.waitingBytes + this.stream.waitingBytes;
  }

  bulkBytesOf(priority: Priority): number {
    return this.bulk.waitingBytesOf(priority) + this.stream.waitingBytesOf(priority);
  }

  /** Parts sent again. */
  get repeated(): number {
    return this.urgent.repeated + this.bulk.repeated;
  }

  /** A Block goes once, whatever its size; all else until it is acknowledged. */
  laneFor(item: Uint8Array, priority: Priority = 'normal'): Way | null {
    const { pace } = this.parts;
    if (!isBlock(item)) {
      return this.urgentBytes + item.length > pace.urgentNewsBytesMax ? null : 'urgent';
    }
    const bulkBytes = this.bulkBytesOf(priority);
    const isFull = bulkBytes > 0 && bulkBytes + item.length > pace.bulkQueueBytesMax;
    return isFull ? null : 'offered';
  }

  push(way: Way, message: Uint8Array, { turn }: About = {}): void {
    if (way === 'offered') this.stream.push(message, turn);
    else if (way === 'bulk') this.bulk.push(message, turn);
    else this.urgent.push(message);
  }

  take(lane: Lane, whole: boolean): Uint8Array[] {
    const taken = this[lane].giveUp(whole);
    return lane === 'bulk' ? [...taken, ...this.stream.giveUp(whole)] : taken;
  }

  /**
   * Fills a frame: acknowledgements, what is urgent, then bulk and stream in turn.
   * @param isQuiet Bulk and stream wait.
   * @returns the bytes used; 0 when nothing is to be sent now.
   */
  fill(frame: Uint8Array, isQuiet = false): number {
    const nowMs = this.parts.timers.monotonicMs();
    let offset = this.fillAcks(frame);
    const filler = { frame, nowMs };
    offset = fillFrom(this.urgent, filler, offset);
    this.isStreamsTurn = !this.isStreamsTurn;
    const [first, then] = this.isStreamsTurn ? [this.stream, this.bulk] : [this.bulk, this.stream];
    if (!isQuiet) {
      offset = fillFrom(first, filler, offset);
      offset = fillFrom(then, filler, offset);
    }
    this.seeLoss();
    this.setTimer(nowMs, isQuiet);
    return offset;
  }

  /** @returns the messages that the frame completes, or why the link must end. */
  read(frame: Uint8Array): Verdict<Uint8Array[], FragmentRefusal> {
    const pieces = readPieces(frame);
    if (!pieces.ok) return pieces;
    const nowMs = this.parts.timers.monotonicMs();
    for (const ack of pieces.value.acks) this[ack.lane].acknowledge(ack, nowMs);
    const messages: Uint8Array[] = [];
    for (const part of pieces.value.parts) {
      if (!this.mayBegin(part)) continue;
      const outcome = this.gathering[part.lane].add(part);
      if (typeof outcome === 'string') return refuse(outcome);
      for (const each of outcome) this.hear(each, part, messages);
      if (part.lane !== 'stream') this.unacknowledged += 1;
    }
    this.seeLoss();
    this.answerSoon(nowMs);
    return accept(messages);
  }

  /** Others need the room; what was acknowledged will not come again, so the link must end. */
  evict(): void {
    this.drop();
    this.parts.tenant.onEvicted();
  }

  drop(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    for (const each of Object.values(this.gathering)) each.drop();
  }

  /** Says who is there: nothing is heard, nor acknowledged, before it. */
  private mayBegin({ lane, number, index }: Part): boolean {
    return this.hasBegun || (lane === 'urgent' && number === index);
  }

  private hear({ first, bytes }: Gathered, { lane }: Part, messages: Uint8Array[]): void {
    this.hasBegun = true;
    // The newest word on neighbours counts, not the one that comes last.
    if (lane === 'urgent' && bytes[0] === MESSAGE_CODES.neighbours) {
      if (first < this.latestNeighbours) return;
      this.latestNeighbours = first;
    }
    messages.push(bytes);
  }

  private fillAcks(frame: Uint8Array): number {
    let offset = 0;
    for (const lane of ['urgent', 'bulk'] as const) {
      const gathering = this.gathering[lane];
      if (!gathering.isAckDue || frame.length - offset < ACK_BYTES_MAX) continue;
      // Alone it would be a frame of its own: it waits for its time, or for something to go with.
      if (!this.isAckTime()) continue;
      offset = writeAck(frame, offset, gathering.ack());
    }
    if (offset === 0) return 0;
    this.unacknowledged = 0;
    this.ackDueMs = null;
    return offset;
  }

  private isAckTime(): boolean {
    const nowMs = this.parts.timers.monotonicMs();
    const hasCompany =
      this.urgent.hasWork(nowMs) || this.bulk.hasWork(nowMs) || this.stream.waitingBytes > 0;
    if (hasCompany || this.unacknowledged >= ACK_PARTS) return true;
    return this.ackDueMs !== null && this.ackDueMs <= nowMs;
  }

  private answerSoon(nowMs: number): void {
    if (this.gathering.urgent.isAckDue || this.gathering.bulk.isAckDue) {
      this.ackDueMs ??= nowMs + ACK_DELAY_MS;
    }
    // What was acknowledged here may have made room for what waits.
    this.parts.wake();
    this.setTimer(nowMs);
  }

  private seeLoss(): void {
    const { gaps } = this.gathering.stream;
    const abandoned = this.urgent.abandoned + this.bulk.abandoned;
    if (gaps === this.gapsSeen && abandoned === this.abandonedSeen) return;
    this.gapsSeen = gaps;
    this.abandonedSeen = abandoned;
    this.parts.onLoss();
  }

  /** @param isQuiet Bulk is not sent again however long it is overdue: the end of it wakes us. */
  private setTimer(nowMs: number, isQuiet = false): void {
    let dueMs = this.ackDueMs;
    for (const lane of isQuiet ? [this.urgent] : [this.urgent, this.bulk]) {
      const laneMs = lane.dueMs();
      if (laneMs !== null) dueMs = Math.min(dueMs ?? laneMs, laneMs);
    }
    this.cancelTimer?.();
    this.cancelTimer = null;
    if (dueMs === null) return;
    this.cancelTimer = this.parts.timers.after(Math.max(1, dueMs - nowMs), () => {
      this.cancelTimer = null;
      this.parts.wake();
    });
  }
}

/** What gives one part after the other, as long as they fit. */
interface Source {
  take(bytesMax: number, nowMs: number): Part | null;
}

function fillFrom(
  source: Source,
  { frame, nowMs }: { readonly frame: Uint8Array; readonly nowMs: number },
  from: number,
): number {
  let offset = from;
  for (;;) {
    const room = frame.length - offset - PART_HEADER_BYTES;
    const part = room < 1 ? null : source.take(Math.min(room, PART_BYTES), nowMs);
    if (part === null) return offset;
    offset = writePart(frame, offset, part);
  }
}
