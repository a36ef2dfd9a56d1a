import { invariant } from '../../model/invariant.ts';
import { OnceWindow } from '../../model/once-window.ts';
import { type Link, LinkError, type LinkHandler, type LinkRepairs } from '../../ports/link.ts';
import { NamedTimers } from './named-timers.ts';
import {
  type Datagram,
  endOf,
  FRAME_HEAD_BYTES,
  frameOf,
  heardOf,
  numberAt,
  plainOf,
  UDP_FRAME_BYTES_MAX,
} from './udp-datagram.ts';
import type { UdpAddress, UdpLinkParts } from './udp-link-parts.ts';
import { UdpRate } from './udp-rate.ts';

/** Frames are told from repetitions as far back as this. */
const WINDOW_FRAMES = 1_024;

/** What is heard is told after so many frames, or so many milliseconds. */
const HEARD_FRAMES = 16;
const HEARD_MS = 20;

/** A link gives a sign of life so often, and is dead without one for so long, in milliseconds. */
const KEEP_MS = 15_000;
const DEAD_MS = 60_000;

/** Wants no more when so much time's worth waits, in milliseconds, between two bounds in bytes. */
const QUEUE_MS = 50;
const QUEUE_MIN = 8 * 1024;
const QUEUE_MAX = 64 * 1024;

/** Frames held while paused, empty ones too; beyond it they are lost, which slows the sender. */
const HELD_BYTES_MAX = 256 * 1024;
const HELD_EXTRA_BYTES = 64;

/** A good-bye is said so often, so many milliseconds apart, until it is answered. */
const END_TRIES = 5;
const END_MS = 200;

/** How long a link that is closed in peace may take to send what is queued. */
const CLOSE_MS = 2_000;

/** Frames that a good-bye overtook are awaited so long, in milliseconds. */
const STRAGGLERS_MS = 100;

const SEQUENCE_MAX = 0xffff_ffff;

/** One of many links of a UDP socket: frames in datagrams, lost or overtaken as may be. */
export class UdpLink implements Link {
  readonly kind = 'udp';
  readonly remote: string;
  readonly isOrdered = false;
  readonly bytesPerSecond = null;
  readonly frameBytesMax = UDP_FRAME_BYTES_MAX;
  queuedBytes = 0;

  private readonly parts: UdpLinkParts;
  private readonly rate: UdpRate;
  private readonly window = new OnceWindow(WINDOW_FRAMES);
  private readonly waiting: Uint8Array[] = [];
  private readonly held: Uint8Array[] = [];
  private heldBytes = 0;
  private handler: LinkHandler | null = null;
  private address: UdpAddress;
  /** Where the frame being handed over came from, if from elsewhere. */
  private elsewhere: UdpAddress | null = null;
  private state: 'open' | 'closing' | 'closed' = 'open';
  private error: LinkError | null = null;
  private otherEnded = false;
  private paused = false;
  private wantsDrain = false;
  private sequence = 0;
  private arrived = 0;
  private untold = 0;
  private broken = 0;
  private heardMs: number;
  private readonly timers: NamedTimers<'pump' | 'heard' | 'keep' | 'end'>;

  constructor(parts: UdpLinkParts) {
    this.parts = parts;
    this.remote = parts.remote;
    this.address = parts.address;
    this.timers = new NamedTimers(parts.timers);
    this.heardMs = parts.timers.monotonicMs();
    this.rate = new UdpRate(parts.bytesPerSecondMax, this.heardMs);
    this.keepAlive();
  }

  get repairs(): LinkRepairs {
    return { broken: this.broken, repeated: 0 };
  }

  handle(handler: LinkHandler): void {
    invariant(this.handler === null, 'a link has one handler');
    this.handler = handler;
    if (this.state === 'closed') queueMicrotask(() => this.report());
    else queueMicrotask(() => this.deliverHeld());
  }

  send(frame: Uint8Array): boolean {
    invariant(
      frame.length <= UDP_FRAME_BYTES_MAX,
      `a frame has at most ${UDP_FRAME_BYTES_MAX} bytes`,
    );
    if (this.state !== 'open') return false;
    this.waiting.push(frame.slice());
    this.queuedBytes += frame.length;
    this.pump();
    const most = (this.rate.bytesPerSecond * QUEUE_MS) / 1_000;
    this.wantsDrain = this.queuedBytes > Math.min(QUEUE_MAX, Math.max(QUEUE_MIN, most));
    return !this.wantsDrain;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    queueMicrotask(() => this.deliverHeld());
  }

  vouch(): void {
    if (this.elsewhere !== null) this.address = this.elsewhere;
    this.elsewhere = null;
  }

  close(reason?: LinkError): void {
    if (this.state === 'closed') return;
    if (reason !== undefined) {
      // Nobody answers it: twice, for one may be lost.
      for (let copy = 0; copy < 2; copy++) this.post(endOf(this.parts.id, true, this.sequence));
      this.finish(reason);
      return;
    }
    if (this.state === 'closing') return;
    this.state = 'closing';
    this.timers.set('end', CLOSE_MS, () => this.sayEnd(END_TRIES));
    this.pump();
  }

  /** A datagram with the id of this link. */
  receive(datagram: Datagram, from: UdpAddress): void {
    if (this.state === 'closed') return;
    const { kind, rest } = datagram;
    const isElsewhere = from.host !== this.address.host || from.port !== this.address.port;
    if (kind === 'frame') this.onFrame(rest, isElsewhere ? from : null);
    else if (isElsewhere) this.broken += 1;
    else {
      this.heardMs = this.parts.timers.monotonicMs();
      if (kind === 'heard') this.rate.heard(numberAt(rest, 0), numberAt(rest, 4), this.heardMs);
      else if (kind === 'end') this.onEnd(rest);
      else if (kind === 'ended' && this.state === 'closing') this.finish(null);
      else if (kind === 'open') this.post(plainOf('accept', this.parts.id));
    }
  }

  /** The socket is of no use any more. */
  fail(error: LinkError): void {
    if (this.state !== 'closed') this.finish(error);
  }

  private onFrame(rest: Uint8Array, elsewhere: UdpAddress | null): void {
    const sequence = numberAt(rest, 0);
    if (!this.window.isFresh(sequence)) {
      this.broken += 1;
      return;
    }
    const isHeld = this.paused || this.handler === null || this.held.length > 0;
    if (isHeld && this.heldBytes + rest.length > HELD_BYTES_MAX) return;
    // From elsewhere it may be anybody's copy: it counts when the session has vouched for it.
    if (elsewhere === null) this.count(sequence);
    // `slice` of a Buffer would be a view, not a copy.
    const frame = Uint8Array.from(rest.subarray(4));
    if (isHeld) {
      this.held.push(frame);
      this.heldBytes += frame.length + HELD_EXTRA_BYTES;
      return;
    }
    if (this.state !== 'open') return;
    this.elsewhere = elsewhere;
    this.handler?.onFrame(frame);
    if (elsewhere !== null && this.elsewhere === null) this.count(sequence);
    this.elsewhere = null;
  }

  private count(sequence: number): void {
    this.window.add(sequence);
    this.heardMs = this.parts.timers.monotonicMs();
    this.arrived += 1;
    this.untold += 1;
    if (this.untold >= HEARD_FRAMES) this.tell();
    else if (!this.timers.has('heard')) this.timers.set('heard', HEARD_MS, () => this.tell());
  }

  private tell(): void {
    this.timers.cancel('heard');
    this.untold = 0;
    this.post(heardOf(this.parts.id, this.window.next, this.arrived));
  }

  private deliverHeld(): void {
    while (!this.paused && this.state === 'open' && this.handler !== null) {
      const frame = this.held.shift();
      if (frame === undefined) break;
      this.heldBytes -= frame.length + HELD_EXTRA_BYTES;
      this.handler.onFrame(frame);
    }
    if (this.otherEnded && this.held.length === 0 && !this.timers.has('end')) this.finish(null);
  }

  private onEnd(rest: Uint8Array): void {
    this.post(plainOf('ended', this.parts.id));
    if (rest[0] === 1) {
      this.finish(new LinkError('LINK_RESET', `${this.remote} gave the link up`));
    } else if (this.state === 'closing') this.finish(null);
    else if (!this.otherEnded) {
      this.otherEnded = true;
      if (this.window.next >= numberAt(rest, 1)) this.deliverHeld();
      else this.timers.set('end', STRAGGLERS_MS, () => this.deliverHeld());
    }
  }

  /** Sends what the rate allows, and comes back for the rest. */
  private pump(): void {
    if (this.timers.has('pump') || this.state === 'closed') return;
    for (let frame = this.waiting[0]; frame !== undefined; frame = this.waiting[0]) {
      const nowMs = this.parts.timers.monotonicMs();
      const waitMs = this.rate.take(frame.length + FRAME_HEAD_BYTES, nowMs);
      if (waitMs > 0) {
        this.rate.awaits(this.sequence, nowMs);
        this.timers.set('pump', Math.max(1, waitMs), () => this.pump());
        break;
      }
      this.waiting.shift();
      this.queuedBytes -= frame.length;
      this.post(frameOf(this.parts.id, this.sequence, frame));
      this.sequence += 1;
      if (this.sequence === SEQUENCE_MAX) {
        this.close(new LinkError('LINK_RESET', `${this.remote} carried all it can count`));
        return;
      }
    }
    this.afterPump();
  }

  private afterPump(): void {
    if (this.waiting.length > 0) return;
    if (this.state === 'closing') this.sayEnd(END_TRIES);
    else if (this.wantsDrain) {
      this.wantsDrain = false;
      this.handler?.onDrain();
    }
  }

  private sayEnd(tries: number): void {
    if (tries === 0) {
      this.finish(null);
      return;
    }
    this.post(endOf(this.parts.id, false, this.sequence));
    this.timers.set('end', END_MS, () => this.sayEnd(tries - 1));
  }

  private keepAlive(): void {
    this.timers.set('keep', KEEP_MS, () => {
      if (this.parts.timers.monotonicMs() - this.heardMs >= DEAD_MS) {
        this.close(new LinkError('LINK_TIMEOUT', `${this.remote} gave no sign of life`));
        return;
      }
      this.tell();
      this.keepAlive();
    });
  }

  private post(datagram: Uint8Array): void {
    this.parts.post(datagram, this.address);
  }

  private finish(error: LinkError | null): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.timers.clear();
    this.waiting.length = 0;
    this.held.length = 0;
    this.queuedBytes = 0;
    this.parts.onGone();
    this.error = error;
    queueMicrotask(() => this.report());
  }

  private report(): void {
    const handler = this.handler;
    this.handler = null;
    handler?.onClose(this.error);
  }
}
