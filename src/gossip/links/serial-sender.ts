import { SERIAL_OVERHEAD_BYTES } from './serial-frame.ts';
import type { SerialPace } from './serial-pace.ts';

/** Data frames on the way at once; less than half of the sequence numbers. */
export const SERIAL_WINDOW = 64;

/** Beyond the way there and back so much may be on the way: for an ack that is late. */
const SLACK_MS = 60;

/** So many frames may always be on the way: one leaving, one arriving, one being confirmed. */
const FRAMES_MIN = 3;

/** @source RFC 6298 */
const NEW_WEIGHT = 1 / 8;
const NEW_SPREAD_WEIGHT = 1 / 4;
const SPREADS = 4;

/** The time-out doubles at most so often. */
const DOUBLINGS_MAX = 4;

/** A part of a link frame, as it goes into a data frame. */
export interface SerialPart {
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly isLast: boolean;
}

/** A part that was written and is not confirmed in order. */
interface Flight {
  readonly payload: Uint8Array;
  readonly isLast: boolean;
  /** The how manyeth writing its first one was, and its last. */
  readonly firstOrder: number;
  lastOrder: number;
  /** When its last byte left by the rate of the line. */
  leftMs: number;
  /** Nothing else was on the way when it was first written. */
  readonly isAlone: boolean;
  times: number;
  isTaken: boolean;
  isLost: boolean;
}

/** What the other end says of the frames that it has. */
export interface SerialReceipt {
  readonly awaited: number;
  readonly room: number;
  /** Bit i of byte j: the frame 1 + 8 j + i after the awaited one has come. */
  readonly beyond: Uint8Array;
}

/**
 * The sending half of a reliable line: cuts link frames into parts, keeps a window of them on the
 * way, and finds out which are lost. A line keeps the order, so that a part is lost when one that
 * was written later has come; a time-out is for the last ones.
 */
export class SerialSender {
  /** Parts written again. */
  repeated = 0;
  /** Smoothed time from leaving to being confirmed, in milliseconds; null before the first. */
  answerMs: number | null = null;

  private readonly pace: SerialPace;
  private readonly queue: Uint8Array[] = [];
  /** Of the front frame, already cut. */
  private cutBytes = 0;
  private unsentBytes = 0;
  private readonly flights: Flight[] = [];
  /** Counts parts; the sequence number is its last byte. That of the first flight. */
  private base = 0;
  /** The first number that the other end would not take. */
  private limit = SERIAL_WINDOW;
  private order = 0;
  private spreadMs = 0;
  private doublings = 0;
  /** The least answer time, which says how long the way is. */
  private wayMs: number | null = null;

  constructor(pace: SerialPace) {
    this.pace = pace;
  }

  /** Bytes of link frames that were not written yet. */
  get queuedBytes(): number {
    return this.unsentBytes;
  }

  get hasUnsent(): boolean {
    return this.queue.length > 0;
  }

  get hasFlights(): boolean {
    return this.flights.length > 0;
  }

  /** Is there anything that could be written as soon as the line is free? */
  get hasWork(): boolean {
    return this.hasUnsent || this.flights.some((each) => each.isLost);
  }

  get isIdle(): boolean {
    return this.queue.length === 0 && this.flights.length === 0;
  }

  /** Of the next new part. */
  get nextSequence(): number {
    return (this.base + this.flights.length) & 0xff;
  }

  /** Nothing is on the way, and nothing may be: the other end has no room. */
  get isShut(): boolean {
    return this.flights.length === 0 && this.limit <= this.base;
  }

  push(frame: Uint8Array): void {
    this.queue.push(frame.slice());
    this.unsentBytes += frame.length;
  }

  /** May a new part be written now? @param busyMs How long the other end may be busy sending. */
  isOpen(busyMs: number): boolean {
    const next = this.base + this.flights.length;
    if (next >= this.limit || this.flights.length >= SERIAL_WINDOW) return false;
    let frames = 0;
    let bytes = 0;
    for (const flight of this.flights) {
      if (flight.isTaken || flight.isLost) continue;
      frames += 1;
      bytes += flight.payload.length + SERIAL_OVERHEAD_BYTES;
    }
    if (frames < FRAMES_MIN) return true;
    if (this.wayMs === null) return false;
    return bytes * this.pace.msPerByte <= this.wayMs + SLACK_MS + busyMs;
  }

  /** Takes the next part to write: a lost one, else a new one; null where there is none. */
  next(busyMs: number, leavesMs: (payloadBytes: number) => number): SerialPart | null {
    const lost = this.flights.findIndex((each) => each.isLost);
    if (lost >= 0) return this.repeat(lost, leavesMs);
    const front = this.queue[0];
    if (front === undefined || !this.isOpen(busyMs)) return null;
    const payload = front.subarray(this.cutBytes, this.cutBytes + this.pace.payloadBytes);
    this.cutBytes += payload.length;
    this.unsentBytes -= payload.length;
    const isLast = this.cutBytes === front.length;
    if (isLast) {
      this.queue.shift();
      this.cutBytes = 0;
    }
    const sequence = this.nextSequence;
    this.order += 1;
    this.flights.push({
      payload,
      isLast,
      firstOrder: this.order,
      lastOrder: this.order,
      leftMs: leavesMs(payload.length),
      isAlone: this.flights.length === 0,
      times: 1,
      isTaken: false,
      isLost: false,
    });
    return { sequence, payload, isLast };
  }

  /** @returns whether it says anything new. */
  confirm(receipt: SerialReceipt, nowMs: number): boolean {
    const count = (receipt.awaited - this.base) & 0xff;
    if (count > this.flights.length) return false;
    const limit = this.base + count + Math.min(receipt.room, SERIAL_WINDOW);
    const isRoomier = limit > this.limit;
    this.limit = Math.max(this.limit, limit);
    const taken: Flight[] = [];
    for (const flight of this.flights.splice(0, count)) if (!flight.isTaken) taken.push(flight);
    this.base += count;
    for (let index = 0; index < receipt.beyond.length * 8; index++) {
      if (((receipt.beyond[index >> 3]! >> (index & 7)) & 1) === 0) continue;
      const flight = this.flights[index + 1];
      if (flight !== undefined && !flight.isTaken) taken.push(flight);
    }
    for (const flight of taken) flight.isTaken = true;
    if (taken.length > 0) this.learn(taken, nowMs);
    return taken.length > 0 || isRoomier;
  }

  /** When the oldest part on the way is overdue; null when none is on the way. */
  get dueMs(): number | null {
    let leftMs: number | null = null;
    for (const flight of this.flights) {
      if (flight.isTaken || flight.isLost) continue;
      if (leftMs === null || flight.leftMs < leftMs) leftMs = flight.leftMs;
    }
    return leftMs === null ? null : leftMs + this.timeoutMs;
  }

  /** Counts what is overdue as lost. @returns whether anything is. */
  expire(nowMs: number): boolean {
    const dueMs = this.dueMs;
    if (dueMs === null || dueMs > nowMs) return false;
    const { timeoutMs } = this;
    for (const flight of this.flights) {
      if (!flight.isTaken && flight.leftMs + timeoutMs <= nowMs) flight.isLost = true;
    }
    this.doublings = Math.min(this.doublings + 1, DOUBLINGS_MAX);
    return true;
  }

  /** An answer is overdue after so long. */
  get timeoutMs(): number {
    const answerMs = this.answerMs ?? 10 * this.pace.patienceMs;
    return (answerMs + SPREADS * this.spreadMs + this.pace.patienceMs) * 2 ** this.doublings;
  }

  private repeat(index: number, leavesMs: (payloadBytes: number) => number): SerialPart {
    const flight = this.flights[index]!;
    this.order += 1;
    this.repeated += 1;
    flight.lastOrder = this.order;
    flight.leftMs = leavesMs(flight.payload.length);
    flight.times += 1;
    flight.isLost = false;
    const { payload, isLast } = flight;
    return { sequence: (this.base + index) & 0xff, payload, isLast };
  }

  private learn(taken: readonly Flight[], nowMs: number): void {
    this.doublings = 0;
    // Which writing of a repeated part has come is not known: the first one is the safe guess.
    const newest = Math.max(...taken.map((each) => each.firstOrder));
    for (const flight of this.flights) {
      if (!flight.isTaken && flight.lastOrder < newest) flight.isLost = true;
    }
    const sample = taken.findLast((each) => each.times === 1);
    if (sample === undefined) return;
    const sampleMs = Math.max(0, nowMs - sample.leftMs);
    if (this.wayMs === null || sampleMs < this.wayMs) this.wayMs = sampleMs;
    else if (sample.isAlone) this.wayMs += (sampleMs - this.wayMs) * NEW_WEIGHT;
    if (this.answerMs === null) {
      this.answerMs = sampleMs;
      this.spreadMs = sampleMs / 2;
      return;
    }
    const offMs = Math.abs(sampleMs - this.answerMs);
    this.spreadMs += (offMs - this.spreadMs) * NEW_SPREAD_WEIGHT;
    this.answerMs += (sampleMs - this.answerMs) * NEW_WEIGHT;
  }
}
