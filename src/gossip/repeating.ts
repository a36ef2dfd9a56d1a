import type { Priority } from '../model/pact.ts';
import { type Ack, PART_BYTES, type Part, type RepeatedLane, WINDOW_PARTS } from './loose-part.ts';
import { PriorityLine, type Turn } from './priority-line.ts';

/** Before the first answer; and the least and the most, in milliseconds. */
const FIRST_WAIT_MS = 400;
const WAIT_MIN_MS = 60;
const WAIT_MAX_MS = 4_000;

/** Added to what an answer takes: the other end waits a little before it acknowledges. */
const ACK_SLACK_MS = 20;

/** A part that was sent so often in vain is given up, and its message with it. */
export const TRIES_MAX = 16;

/** Parts sent later that were acknowledged, until one counts as lost. @source RFC 9002, 6.1.1 */
const OVERTAKEN = 3;

/** What the field of a part's number can say. */
const NUMBER_MAX = 0xffff_ffff;

interface Flying {
  readonly message: Uint8Array;
  readonly part: Omit<Part, 'behind'>;
  tries: number;
  sentMs: number;
  dueMs: number;
  /** The how manyeth transmission of this lane it was. */
  order: number;
}

/** Messages of one lane on a link that loses frames: in parts, each sent until acknowledged. */
export class Repeating {
  /** Parts sent again, and messages given up. */
  repeated = 0;
  abandoned = 0;

  private readonly lane: RepeatedLane;
  private readonly waiting = new PriorityLine();
  private readonly flying = new Map<number, Flying>();
  private next = 0;
  private orders = 0;
  private ackedOrder = -1;
  private roundTripMs: number | null = null;
  private deviationMs = 0;

  constructor(lane: RepeatedLane) {
    this.lane = lane;
  }

  /** Would `take` give a part now, if it were short? */
  hasWork(nowMs: number): boolean {
    return this.dueNow(nowMs) !== null || this.cutNext() !== null;
  }

  /** Of messages not yet cut into parts. */
  get waitingBytes(): number {
    return this.waiting.bytes;
  }

  waitingBytesOf(priority: Priority): number {
    return this.waiting.bytesOf(priority);
  }

  /** Not yet acknowledged, of what was sent. */
  get flyingBytes(): number {
    return this.flying.size * PART_BYTES;
  }

  push(message: Uint8Array, turn?: Turn): void {
    this.waiting.push(message, turn);
  }

  /** Gives up what waits. @param whole Also what was sent and is not acknowledged. */
  giveUp(whole: boolean): Uint8Array[] {
    const taken = this.waiting.take(whole);
    if (!whole) return taken;
    const sent = [...this.flying.values()].map((each) => each.message);
    this.flying.clear();
    return [...new Set([...sent, ...taken])];
  }

  /** The part to send next, if it is not longer than this; it counts as sent. */
  take(bytesMax: number, nowMs: number): Part | null {
    this.abandonHopeless(nowMs);
    const flying = this.dueNow(nowMs) ?? this.cutNext();
    if (flying === null || flying.part.bytes.length > bytesMax) return null;
    if (flying.tries === 0) this.launch(flying);
    else this.repeated += 1;
    flying.tries += 1;
    flying.sentMs = nowMs;
    flying.dueMs = nowMs + this.waitMs(flying.tries);
    flying.order = this.orders;
    this.orders += 1;
    return { ...flying.part, behind: flying.part.number - this.floor };
  }

  acknowledge({ next, bits }: Ack, nowMs: number): void {
    let newest: Flying | null = null;
    for (const [number, flying] of this.flying) {
      const bit = number - next;
      const hasCome = bit < 0 || ((bits[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
      if (!hasCome) continue;
      this.flying.delete(number);
      if (newest === null || flying.order > newest.order) newest = flying;
    }
    if (newest === null) return;
    if (newest.tries === 1) this.timed(nowMs - newest.sentMs);
    this.ackedOrder = Math.max(this.ackedOrder, newest.order);
    for (const flying of this.flying.values()) {
      if (flying.order + OVERTAKEN <= this.ackedOrder) flying.dueMs = nowMs;
    }
  }

  /** When a part has to be sent again; null if none is on its way. */
  dueMs(): number | null {
    let earliestMs: number | null = null;
    for (const { dueMs } of this.flying.values()) {
      earliestMs = Math.min(earliestMs ?? dueMs, dueMs);
    }
    return earliestMs;
  }

  /** The lowest number that is still repeated. */
  private get floor(): number {
    for (const number of this.flying.keys()) return number;
    return this.next;
  }

  private dueNow(nowMs: number): Flying | null {
    for (const flying of this.flying.values()) if (flying.dueMs <= nowMs) return flying;
    return null;
  }

  private cutNext(): Flying | null {
    const message = this.waiting.front();
    if (message === undefined || this.next - this.floor >= WINDOW_PARTS) return null;
    // Nobody answers then, and the link ends: terabytes went over it.
    if (this.next > NUMBER_MAX) return null;
    const from = this.waiting.gone;
    const part = {
      lane: this.lane,
      number: this.next,
      index: from / PART_BYTES,
      count: Math.ceil(message.length / PART_BYTES),
      bytes: message.subarray(from, from + PART_BYTES),
    };
    return { message, part, tries: 0, sentMs: 0, dueMs: 0, order: 0 };
  }

  private launch(flying: Flying): void {
    this.flying.set(this.next, flying);
    this.next += 1;
    this.waiting.advance(flying.part.bytes.length);
  }

  /** A message one part of which nobody acknowledges is of no use: none of it is sent again. */
  private abandonHopeless(nowMs: number): void {
    for (const { part, tries, dueMs } of this.flying.values()) {
      if (tries < TRIES_MAX || dueMs > nowMs) continue;
      const first = part.number - part.index;
      for (let index = 0; index < part.count; index++) this.flying.delete(first + index);
      this.abandoned += 1;
      const cut = this.waiting.gone / PART_BYTES;
      const isStillCut = cut > 0 && this.next - cut === first;
      if (isStillCut) this.waiting.drop();
    }
  }

  /** @source RFC 6298 */
  private timed(sampleMs: number): void {
    if (this.roundTripMs === null) {
      this.roundTripMs = sampleMs;
      this.deviationMs = sampleMs / 2;
      return;
    }
    const offMs = Math.abs(this.roundTripMs - sampleMs);
    this.deviationMs = 0.75 * this.deviationMs + 0.25 * offMs;
    this.roundTripMs = 0.875 * this.roundTripMs + 0.125 * sampleMs;
  }

  private waitMs(tries: number): number {
    const { roundTripMs, deviationMs } = this;
    const plainMs =
      roundTripMs === null ? FIRST_WAIT_MS : roundTripMs + 4 * deviationMs + ACK_SLACK_MS;
    const waitMs = Math.max(plainMs, WAIT_MIN_MS) * 2 ** Math.min(tries - 1, 6);
    return Math.min(waitMs, WAIT_MAX_MS);
  }
}
