import { toHex32 } from '../model/bytes.ts';
import type { Priority } from '../model/pact.ts';
import { type Link, LinkError, type LinkHandler } from '../ports/link.ts';
import type { Session } from '../ports/session.ts';
import type { Compression } from './compressed-framing.ts';
import type { LinkCounters, LinkStatus } from './contract.ts';
import { countMessage, countReceived, countSent, makeCounters } from './counters.ts';
import { type Outgoing, repairsOf } from './framing.ts';
import { Goodput } from './goodput.ts';
import { Inbox } from './inbox.ts';
import { makeFraming } from './make-framing.ts';
import { encodeMessage } from './message-writer.ts';
import type { ByeReason, GreetingMessage, Lane, Message } from './messages.ts';
import { groupOfBlock, isNews, isSign, MESSAGE_NAMES } from './messages.ts';
import { type About, aboutMessage, type Way } from './outbox.ts';
import { type Pace, paceOf } from './pace.ts';
import type { Turn } from './priority-line.ts';
import { Pulse } from './pulse.ts';
import type { WireHandlerOf, WireParts } from './wire-parts.ts';

export type { WireParts } from './wire-parts.ts';
export type WireHandler = WireHandlerOf<Wire>;

/** After so many frames others have their turn. */
const FRAMES_PER_FLUSH = 16;

/** A link with an open session: messages in, messages out. */
export class Wire implements LinkHandler {
  readonly session: Session;
  readonly initiator: boolean;
  readonly ordinal: number;
  readonly remote: string;
  readonly kind: Link['kind'];
  readonly upSinceMs: number;
  readonly counters: LinkCounters;
  readonly pace: Pace;
  readonly pulse: Pulse;
  readonly hall: Link['hall'];
  readonly compression: Compression | null;
  readonly outbox: Outgoing;
  readonly inbox: Inbox;
  /** What the other end said first; null until then. */
  greeting: GreetingMessage | null = null;
  /** Still read, but no longer written to. */
  isLeaving = false;
  /** Why it ended or is about to, as far as this end knows. */
  reason: string | null = null;

  private readonly parts: WireParts;
  private readonly link: Link;
  private readonly handler: WireHandler;
  private readonly frameMax: number;
  private readonly carried: Goodput;
  /** Why the other end leaves; minded when what it said before has been heard. */
  private farewell: ByeReason | null = null;
  private isEnded = false;
  private isBlocked = false;
  private isFlushDue = false;
  private cancelLinger: (() => void) | null = null;

  constructor(
    parts: WireParts,
    handler: WireHandler,
    at: { link: Link; session: Session; initiator: boolean; ordinal: number },
  ) {
    this.parts = parts;
    this.handler = handler;
    this.link = at.link;
    this.session = at.session;
    this.initiator = at.initiator;
    this.ordinal = at.ordinal;
    this.remote = at.link.remote;
    this.kind = at.link.kind;
    this.hall = at.link.hall;
    this.upSinceMs = parts.timers.wallMs();
    this.counters = makeCounters();
    this.carried = new Goodput(parts.timers.monotonicMs());
    this.pace = paceOf(parts.settings, at.link);
    const { timers, random, room } = parts;
    const { outgoing, incoming, frameBytes, compression } = makeFraming(at, {
      timers,
      room,
      pace: this.pace,
      tenant: {
        owner: toHex32(at.session.peer.avatar),
        onEvicted: () => this.end('assembly-full', 'LINK_FRAME_BROKEN'),
      },
      wake: () => this.flushSoon(),
      onLoss: () => this.handler.onLoss(this),
    });
    this.outbox = outgoing;
    this.frameMax = frameBytes;
    this.compression = compression;
    this.inbox = new Inbox(parts, this.counters, incoming);
    this.pulse = new Pulse(
      { timers, random, pace: this.pace },
      {
        beat: (token) => {
          if (token !== null) this.send('urgent', { kind: 'ping', token });
          this.handler.onBeat(this);
        },
        dead: () => this.end('silent', 'LINK_TIMEOUT'),
        standBys: () => this.handler.standBysOf(this).map(({ pulse }) => pulse),
      },
    );
  }

  get measured(): Pick<LinkStatus, 'goodput' | 'repairs'> {
    const goodput = this.carried.perSecond(this.parts.timers.monotonicMs());
    return { goodput, repairs: repairsOf(this.link, this.outbox) };
  }

  get queuedBytes(): number {
    return this.outbox.urgentBytes + this.outbox.bulkBytes + this.link.queuedBytes;
  }

  /** Does little of this priority wait here, not counting what the link holds? */
  hasRoom(priority: Priority): boolean {
    const { urgentBytes } = this.outbox;
    return Math.max(urgentBytes, this.outbox.bulkBytesOf(priority)) < this.pace.bulkLowBytes;
  }

  get isOpen(): boolean {
    return !this.isEnded && !this.isLeaving;
  }

  /** Begins to ask for signs of life. */
  start(): void {
    this.pulse.start();
  }

  send(lane: Lane, message: Message, turn?: Turn): void {
    this.sendEncoded(lane, encodeMessage(message), { ...aboutMessage(message), turn });
  }

  /** On a slow link, where one stands is told after all that was sent before. */
  say(message: Message): void {
    const isDigest = message.kind === 'digest-short' || message.kind === 'digest';
    this.send(this.pace.isSlow && isDigest ? 'bulk' : 'urgent', message, 'after-all');
  }

  /** What is urgent beyond the bound ends the link: a peer that takes no votes is no peer. */
  sendEncoded(way: Way, bytes: Uint8Array, about?: About): void {
    if (!this.isOpen) return;
    const { urgentQueueBytesMax } = this.parts.settings;
    if (way === 'urgent' && this.outbox.urgentBytes + bytes.length > urgentQueueBytesMax) {
      this.end('queue-full', 'LINK_RESET');
      return;
    }
    this.outbox.push(isSign(bytes) ? 'sign' : way, bytes, about);
    countMessage(this.counters.messagesSent, MESSAGE_NAMES[bytes[0] ?? 0]);
    this.flushSoon();
  }

  /** Sends an item nobody asked for, unless the queue is full; anti-entropy brings it then. */
  offer(bytes: Uint8Array, about?: About): void {
    const group = groupOfBlock(bytes);
    const turn = group === null ? 'normal' : this.parts.priorityOf(group);
    const way = this.outbox.laneFor(bytes, turn);
    if (way === null) this.counters.dropped += 1;
    else this.sendEncoded(way, bytes, { ...about, turn });
  }

  /**
   * Sends what waits at another link to the same peer that is used no more. What was asked for is
   * left out: it is asked for again.
   */
  takeOver(from: Wire): void {
    const whole = !from.isOpen;
    for (const lane of ['urgent', 'bulk'] as const) {
      for (const bytes of from.outbox.take(lane, whole).filter(isNews)) this.offer(bytes);
    }
  }

  /** Writes at the end of this turn, so that what is said in one turn shares frames. */
  flushSoon(): void {
    if (this.isFlushDue) return;
    this.isFlushDue = true;
    this.parts.defer(() => this.flush());
  }

  pause(): void {
    this.pulse.hold();
    this.link.pause();
  }

  resume(): void {
    this.pulse.release();
    this.link.resume();
  }

  /**
   * Says good-bye, in a frame more than a busy link wants, and writes no more. The link stays open
   * for a moment, so that what the other end said before it heard of this still comes.
   */
  leave(reason: ByeReason, lingerMs: number): void {
    if (!this.isOpen) return;
    this.send('urgent', { kind: 'bye', reason });
    this.isBlocked = false;
    this.flush();
    this.stopWriting(reason);
    if (lingerMs === 0) this.link.close();
    else this.cancelLinger = this.parts.timers.after(lingerMs, () => this.link.close());
  }

  /** Ends the link at once. */
  end(reason: string, code: LinkError['code']): void {
    if (this.isEnded) return;
    this.stopWriting(reason, code);
    this.link.close(new LinkError(code, `${this.remote}: ${reason}`));
  }

  onFrame(frame: Uint8Array): void {
    if (this.isEnded) return;
    countReceived(this.counters, frame);
    countReceived(this.parts.totals.of(this.kind), frame);
    const opened = this.session.open(frame);
    if (!opened.ok) {
      // Over a loose link it may be late, or from anybody.
      if (this.link.isOrdered) this.end(opened.reason, 'LINK_FRAME_BROKEN');
      return;
    }
    this.pulse.heard();
    this.link.vouch?.();
    const { buffer, byteOffset, byteLength } = opened.plain;
    this.carried.add(this.parts.timers.monotonicMs(), { received: byteLength });
    const messages = this.read(new Uint8Array(buffer, byteOffset, byteLength));
    if (messages.length > 0) this.handler.onMessages(this, messages);
    if (messages.length === 0 || this.pace.bytesPerSecond !== null) {
      this.handler.onProgress(this, frame.length);
    }
    if (this.farewell !== null) this.onBye(this.farewell);
  }

  onDrain(): void {
    this.isBlocked = false;
    this.flushSoon();
  }

  onClose(error: LinkError | null): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.cancelLinger?.();
    this.inbox.drop();
    this.stopWriting(error?.code ?? 'closed by peer');
    this.handler.onEnd(this);
  }

  private stopWriting(reason: string, code: LinkError['code'] | null = null): void {
    if (this.isLeaving) return;
    this.isLeaving = true;
    this.reason = reason;
    this.pulse.stop();
    this.handler.onLeave(this, reason, code);
  }

  private read(plain: Uint8Array): Message[] {
    const read = this.inbox.read(plain);
    if (read.ok) return read.value.filter((message) => !this.take(message));
    const detail = read.detail === undefined ? '' : ` (${read.detail})`;
    this.end(read.reason + detail, 'LINK_FRAME_BROKEN');
    return [];
  }

  /** @returns whether it is about the link alone, and so done with. */
  private take(message: Message): boolean {
    if (message.kind === 'ping') this.send('urgent', { kind: 'pong', token: message.token });
    else if (message.kind === 'expands') this.compression?.permit(message.method);
    else if (message.kind === 'pong') this.pulse.answered(message.token);
    else if (message.kind === 'bye') this.farewell = message.reason;
    else return false;
    return true;
  }

  private onBye(reason: ByeReason): void {
    if (!this.isOpen) return;
    this.flush();
    this.stopWriting(`peer left: ${reason}`);
    this.link.close();
  }

  private flush(): void {
    this.isFlushDue = false;
    for (let frames = 0; frames < FRAMES_PER_FLUSH; frames++) {
      if (this.isBlocked || !this.isOpen) return;
      const isQuiet = this.link.isQuiet === true;
      if (!isQuiet) this.handler.onRoom(this);
      const used = this.outbox.fill(this.parts.scratch.subarray(0, this.frameMax), isQuiet);
      if (used === 0) return;
      this.carried.add(this.parts.timers.monotonicMs(), { sent: used });
      const frame = this.session.seal(this.parts.scratch.subarray(0, used));
      countSent(this.counters, frame);
      countSent(this.parts.totals.of(this.kind), frame);
      this.isBlocked = !this.link.send(frame);
    }
    this.isFlushDue = true;
    this.parts.timers.after(0, () => this.flush());
  }
}
