import type { SerialCall } from './serial-call.ts';
import type { SerialFrame, SerialFrameKind } from './serial-frame.ts';
import type { SerialOutput } from './serial-output.ts';
import type { SerialPace } from './serial-pace.ts';
import { SerialReceiver } from './serial-receiver.ts';
import { SERIAL_WINDOW, SerialSender } from './serial-sender.ts';

/** Between two questions to an end that has no room, at least. */
const PROBE_MS = 1_000;

/** A short frame is confirmed so much later at most: an answer to it often does so. */
const ACK_MS_MAX = 10;

const NOTHING = new Uint8Array(0);

export interface SerialFlowParts {
  readonly pace: SerialPace;
  readonly output: SerialOutput;
  readonly call: SerialCall;
}

/** What an open connection carries, both ways: data, and what confirms it. */
export class SerialFlow {
  readonly sender: SerialSender;
  readonly receiver = new SerialReceiver();
  /** Data frames that came twice. */
  repeatedHere = 0;

  private readonly parts: SerialFlowParts;
  private ackMs: number | null = null;
  private toldRoom = SERIAL_WINDOW;
  private probeMs: number | null = null;
  private dataHeardMs = Number.NEGATIVE_INFINITY;
  /** Since when the other end owes an answer; null while it owes none. */
  private owedMs: number | null = null;

  constructor(parts: SerialFlowParts) {
    this.parts = parts;
    this.sender = new SerialSender(parts.pace);
  }

  /** Would another frame have to wait? */
  isFull(nowMs: number): boolean {
    if (this.sender.hasUnsent || !this.parts.output.isReady(nowMs)) return true;
    return !this.sender.isOpen(this.busyMs(nowMs));
  }

  /** The other end owed an answer for too long. */
  isForsaken(nowMs: number): boolean {
    return this.owedMs !== null && nowMs - this.owedMs >= this.parts.pace.silenceMs;
  }

  /** @returns false where no honest end sends this. */
  hear(frame: SerialFrame, nowMs: number): boolean {
    const { sequence, awaited, room, payload, isLast } = frame;
    const beyond = frame.kind === 'state' ? payload : NOTHING;
    this.sender.confirm({ awaited, room, beyond }, nowMs);
    if (!this.sender.isShut) this.probeMs = null;
    this.owedMs = this.sender.hasFlights || this.sender.isShut ? nowMs : null;
    if (frame.isPoll) this.ackMs = nowMs;
    if (frame.kind !== 'data') return true;
    this.dataHeardMs = nowMs;
    const arrival = this.receiver.take({ sequence, payload, isLast });
    if (arrival === 'malformed') return false;
    if (arrival === 'repeated') this.repeatedHere += 1;
    const { pace } = this.parts;
    const mayWait = arrival === 'in-order' && payload.length < pace.payloadBytes;
    const waitMs = mayWait && !this.receiver.hasGap ? Math.min(ACK_MS_MAX, pace.frameMs / 4) : 0;
    this.ackMs = Math.min(this.ackMs ?? Number.POSITIVE_INFINITY, nowMs + waitMs);
    return true;
  }

  fetch(nowMs: number): Uint8Array | null {
    const frame = this.receiver.fetch();
    const isRoomier = this.toldRoom < SERIAL_WINDOW / 2 && this.receiver.room >= SERIAL_WINDOW / 2;
    if (isRoomier) this.ackMs = nowMs;
    return frame;
  }

  /** Writes whatever is due. */
  pump(nowMs: number): void {
    const { output } = this.parts;
    this.sender.expire(nowMs);
    const leavesMs = (payloadBytes: number) => output.leavesMs(payloadBytes, nowMs);
    while (output.isReady(nowMs)) {
      const part = this.sender.next(this.busyMs(nowMs), leavesMs);
      if (part === null) break;
      this.write({ kind: 'data', ...part }, nowMs);
      this.owedMs ??= nowMs;
    }
    if (this.sender.isShut) this.probe(nowMs);
    if (this.ackMs !== null && this.ackMs <= nowMs && !output.isStuck) this.tell(nowMs);
  }

  /** When there is something to do, if nothing happens before. */
  get wakeTimes(): (number | null)[] {
    const { output, pace } = this.parts;
    const forsakenMs = this.owedMs === null ? null : this.owedMs + pace.silenceMs;
    // What the port or the window holds up goes on when they say so.
    const readyMs = this.sender.hasWork && !output.isStuck ? output.readyMs : null;
    const ackMs = output.isStuck ? null : this.ackMs;
    return [forsakenMs, readyMs, ackMs, this.probeMs, this.sender.dueMs];
  }

  /** A frame of this connection. */
  write(
    frame: Pick<SerialFrame, 'kind'> & Partial<SerialFrame> & { readonly kind: SerialFrameKind },
    nowMs: number,
  ): void {
    const { output, call } = this.parts;
    // Only a frame that says what lies beyond a gap has said it all.
    if (frame.kind === 'state' || !this.receiver.hasGap) this.ackMs = null;
    this.toldRoom = this.receiver.room;
    output.write(
      {
        isPoll: false,
        isLast: false,
        tag: call.sentTag,
        sequence: this.sender.nextSequence,
        awaited: this.receiver.awaited,
        room: this.toldRoom,
        payload: NOTHING,
        ...frame,
      },
      nowMs,
    );
  }

  /** Tells the other end what has come. */
  tell(nowMs: number, isPoll = false): void {
    this.write({ kind: 'state', isPoll, payload: this.receiver.beyond }, nowMs);
    if (isPoll) this.owedMs ??= nowMs;
  }

  private probe(nowMs: number): void {
    this.probeMs ??= nowMs + Math.max(PROBE_MS, this.sender.timeoutMs);
    if (this.probeMs > nowMs) return;
    this.probeMs = nowMs + 2 * Math.max(PROBE_MS, this.sender.timeoutMs);
    this.tell(nowMs, true);
  }

  /** How much later than at once the other end's word may come because it sends data itself. */
  private busyMs(nowMs: number): number {
    const { frameMs, aheadMs } = this.parts.pace;
    return nowMs - this.dataHeardMs < 4 * frameMs ? aheadMs + 2 * frameMs : 0;
  }
}
