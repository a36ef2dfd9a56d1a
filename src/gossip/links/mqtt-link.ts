import { invariant } from '../../model/invariant.ts';
import type { Timers } from '../../ports/clock.ts';
import { type Hall, type Link, LinkError, type LinkHandler } from '../../ports/link.ts';
import {
  decodePacket,
  encodePacket,
  FRAME_BYTES_MAX,
  NO_FRAME,
  type Packet,
  WINDOW_BYTES,
  WINDOW_FRAMES,
} from './mqtt-packet.ts';
import type { PacketOpener, PacketSeal } from './mqtt-seal.ts';
import { Unheard } from './mqtt-unheard.ts';

/** Word of what was taken is sent at the latest after so much of it, or so long. */
const ACKNOWLEDGED_FRAMES = 4;
const ACKNOWLEDGED_BYTES = 64 * 1024;
const ACKNOWLEDGED_MS = 1_000;

/** How long a link that is closed in peace may take to send what is queued. */
const CLOSE_MS = 2_000;

export interface MqttLinkParts {
  readonly remote: string;
  readonly timers: Timers;
  /** Frames that nobody says were taken for so long: does the broker still deliver? */
  readonly doubtMs: number;
  readonly seal: PacketSeal;
  readonly opener: PacketOpener;
  /** Sends a packet. @returns its number at the broker, to be forgotten with `retire`. */
  readonly publish: (bytes: Uint8Array) => number;
  /** The other end has it: whether the broker said so does not matter any more. */
  readonly retire: (number: number) => void;
  /** Nothing moves: perhaps it is the broker. */
  readonly onDoubt: () => void;
  readonly hall?: Hall;
  /** The last thing before `onClose` of the handler. */
  readonly onEnd: (link: MqttLink) => void;
}

/**
 * One link among the many that share the connection to a broker. The other end says how much of it
 * was handed over; that, and not the broker's word, is what lets more go out.
 */
export class MqttLink implements Link {
  readonly kind = 'mqtt';
  readonly remote: string;
  readonly isOrdered = true;
  readonly bytesPerSecond = null;
  readonly repairs = { broken: 0, repeated: 0 };
  readonly frameBytesMax = FRAME_BYTES_MAX;
  readonly hall: Hall | undefined;
  queuedBytes = 0;

  private readonly parts: MqttLinkParts;
  private handler: LinkHandler | null = null;
  private state: 'open' | 'closing' | 'closed' = 'open';
  private end: { readonly error: LinkError | null } | null = null;
  private queue: Uint8Array[] = [];
  /** Lengths of the frames on their way, oldest first. */
  private readonly flying: number[] = [];
  private flyingBytes = 0;
  private ackedFrames = 0;
  private readonly unheard = new Unheard();
  private readonly arrived: Uint8Array[] = [];
  private heard = 0;
  private taken = 0;
  private untoldFrames = 0;
  private untoldBytes = 0;
  private otherEnded = false;
  private isPaused = false;
  private isDelivering = false;
  private wantsDrain = false;
  private cancelClose: (() => void) | null = null;
  private progressMs = 0;
  private cancelWatch: (() => void) | null = null;
  private cancelTell: (() => void) | null = null;

  constructor(parts: MqttLinkParts) {
    this.parts = parts;
    this.remote = parts.remote;
    this.hall = parts.hall;
  }

  handle(handler: LinkHandler): void {
    invariant(this.handler === null, 'a link has one handler');
    this.handler = handler;
    if (this.end !== null) queueMicrotask(() => this.tellEnd());
    else if (this.arrived.length > 0 || this.otherEnded) queueMicrotask(() => this.deliver());
  }

  send(frame: Uint8Array): boolean {
    invariant(frame.length <= FRAME_BYTES_MAX, `a frame has at most ${FRAME_BYTES_MAX} bytes`);
    if (this.state !== 'open') return false;
    const isNext = this.queue.length === 0 && this.hasRoom(frame.length);
    this.queue.push(isNext ? frame : frame.slice());
    this.queuedBytes += frame.length;
    this.pump();
    this.wantsDrain = this.queue.length > 0;
    return !this.wantsDrain;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    queueMicrotask(() => this.deliver());
  }

  close(reason?: LinkError): void {
    if (this.state === 'closed' || (this.state === 'closing' && reason === undefined)) return;
    if (reason !== undefined) {
      this.say('reset');
      if (reason.code === 'LINK_TIMEOUT') this.parts.onDoubt();
      this.finish(reason);
      return;
    }
    this.state = 'closing';
    this.arrived.length = 0;
    this.cancelClose = this.parts.timers.after(CLOSE_MS, () => {
      this.say('reset');
      this.finish(null);
    });
    this.closeWhenSent();
  }

  /** The way to the other end is gone, and nothing can be said any more. */
  lost(error: LinkError): void {
    this.finish(error);
  }

  /** A packet for this end. What is not sealed by the other end is left aside. */
  receive(bytes: Uint8Array): void {
    if (this.state === 'closed') return;
    const opened = this.parts.opener.open(bytes);
    if (opened === null || opened.counter < this.heard) {
      this.repairs.broken += 1;
      return;
    }
    if (opened.counter > this.heard) {
      const missing = opened.counter - this.heard;
      this.close(this.errorOf('LINK_RESET', `the broker lost ${missing} packets`));
      return;
    }
    this.heard += 1;
    const packet = decodePacket(opened.plain);
    if (packet === null || !this.acknowledge(packet)) {
      this.close(this.errorOf('LINK_FRAME_BROKEN', 'a packet that no honest end sends'));
      return;
    }
    this.take(packet);
  }

  private take({ kind, frame }: Packet): void {
    if (kind === 'reset') {
      this.finish(this.errorOf('LINK_RESET', 'reset by the other end'));
    } else if (kind === 'close') {
      this.otherEnded = true;
      if (this.state === 'closing') this.finish(null);
      else this.deliver();
    } else if (kind === 'frame' && this.state === 'open') {
      if (this.arrived.length >= WINDOW_FRAMES) {
        this.close(this.errorOf('LINK_FRAME_BROKEN', 'more frames than were permitted'));
        return;
      }
      this.arrived.push(frame);
      this.deliver();
    }
  }

  /** @returns false for word of more than was sent. */
  private acknowledge({ heard, taken }: Packet): boolean {
    const fresh = taken - this.ackedFrames;
    if (heard > this.parts.seal.counter || fresh < 0 || fresh > this.flying.length) return false;
    for (const number of this.unheard.takeBefore(heard)) this.parts.retire(number);
    if (fresh === 0) return true;
    for (const length of this.flying.splice(0, fresh)) this.flyingBytes -= length;
    this.ackedFrames = taken;
    this.progressMs = this.parts.timers.monotonicMs();
    this.pump();
    this.drained();
    if (this.state === 'closing') this.closeWhenSent();
    return true;
  }

  /** Hands over what came; who hears may pause or close meanwhile. */
  private deliver(): void {
    if (this.isDelivering || this.handler === null) return;
    this.isDelivering = true;
    while (!this.isPaused && this.state === 'open') {
      const frame = this.arrived.shift();
      if (frame === undefined) break;
      this.taken += 1;
      this.untoldFrames += 1;
      this.untoldBytes += frame.length;
      this.handler.onFrame(frame);
    }
    this.isDelivering = false;
    if (this.state !== 'open') return;
    this.tellSoon();
    if (this.otherEnded && this.arrived.length === 0) this.finish(null);
  }

  private hasRoom(length: number): boolean {
    if (this.flying.length === 0) return true;
    return this.flying.length < WINDOW_FRAMES && this.flyingBytes + length <= WINDOW_BYTES;
  }

  private pump(): void {
    while (this.state !== 'closed') {
      const frame = this.queue[0];
      if (frame === undefined) return;
      if (!this.hasRoom(frame.length)) return;
      this.queue.shift();
      this.queuedBytes -= frame.length;
      if (this.flying.length === 0) this.progressMs = this.parts.timers.monotonicMs();
      this.flying.push(frame.length);
      this.flyingBytes += frame.length;
      this.say('frame', frame);
      this.watch();
    }
  }

  private watch(): void {
    const { timers, doubtMs, onDoubt } = this.parts;
    this.cancelWatch ??= timers.after(doubtMs, () => {
      this.cancelWatch = null;
      if (this.flying.length === 0) return;
      if (timers.monotonicMs() - this.progressMs >= doubtMs) onDoubt();
      this.watch();
    });
  }

  /** Leaves some time for a frame that says it by the way. */
  private tellSoon(): void {
    if (this.untoldFrames >= ACKNOWLEDGED_FRAMES || this.untoldBytes >= ACKNOWLEDGED_BYTES) {
      this.say('acknowledgement');
    } else if (this.untoldFrames > 0) {
      this.cancelTell ??= this.parts.timers.after(ACKNOWLEDGED_MS, () => {
        this.cancelTell = null;
        if (this.untoldFrames > 0) this.say('acknowledgement');
      });
    }
  }

  private drained(): void {
    if (!this.wantsDrain || this.queue.length > 0 || this.state !== 'open') return;
    this.wantsDrain = false;
    this.handler?.onDrain();
  }

  private closeWhenSent(): void {
    if (this.queue.length > 0) return;
    this.say('close');
    this.finish(null);
  }

  private say(kind: Packet['kind'], frame: Uint8Array = NO_FRAME): void {
    const { seal, publish } = this.parts;
    const { heard, taken } = this;
    this.untoldFrames = 0;
    this.untoldBytes = 0;
    const { counter } = seal;
    const number = publish(seal.seal(encodePacket({ kind, heard, taken, frame })));
    if (this.unheard.add(counter, number) || this.state === 'closed') return;
    // Nothing more is said to whoever does not hear: not even that.
    this.finish(this.errorOf('LINK_FRAME_BROKEN', 'the other end never says what it heard'));
  }

  private errorOf(code: LinkError['code'], why: string): LinkError {
    return new LinkError(code, `${this.remote}: ${why}`);
  }

  private finish(error: LinkError | null): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.cancelClose?.();
    this.cancelWatch?.();
    this.cancelTell?.();
    this.queue = [];
    this.queuedBytes = 0;
    this.arrived.length = 0;
    this.end = { error };
    this.parts.onEnd(this);
    // Not within a call of whoever closes: other kinds of links do not either.
    queueMicrotask(() => this.tellEnd());
  }

  private tellEnd(): void {
    const { handler, end } = this;
    if (handler === null || end === null) return;
    this.handler = null;
    handler.onClose(end.error);
  }
}
