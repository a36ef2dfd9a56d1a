import type { Timers } from '../ports/clock.ts';
import { type Link, LinkError, type LinkHandler } from '../ports/link.ts';
import type { HandshakeStep, Session, SessionHandshake } from '../ports/session.ts';
import { countReceived, countSent, type KindTotals } from './counters.ts';
import { HandshakeRepeats } from './handshake-repeats.ts';
import type { ByeReason } from './messages.ts';
import type { Wire } from './wire.ts';

export interface EntranceParts {
  readonly timers: Timers;
  readonly totals: KindTotals;
  readonly handshakeMs: number;
  /** The session is open: what comes from now on is for the wire. */
  readonly onSession: (entrance: Entrance, session: Session) => Wire;
  /** The link is gone. @param isRefused Before its wire was greeted. */
  readonly onClosed: (entrance: Entrance, reason: string, isRefused: boolean) => void;
}

/**
 * A link from its first byte until the other end has proven who it is and greeted. All of it must
 * happen within a time; whoever cannot is let go in silence.
 */
export class Entrance implements LinkHandler {
  readonly link: Link;
  readonly initiator: boolean;
  private readonly parts: EntranceParts;
  private readonly handshake: SessionHandshake;
  /** Where frames may be lost. */
  private readonly repeats: HandshakeRepeats | null;
  private wire: Wire | null = null;
  private reason: string | null = null;
  private isOver = false;
  private readonly cancelTimeout: () => void;

  constructor(parts: EntranceParts, link: Link, handshake: SessionHandshake, initiator: boolean) {
    this.parts = parts;
    this.link = link;
    this.handshake = handshake;
    this.initiator = initiator;
    this.repeats = link.isOrdered
      ? null
      : new HandshakeRepeats(parts.timers, initiator, (frame) => this.write(frame));
    this.cancelTimeout = parts.timers.after(parts.handshakeMs, () => {
      this.refuse('handshake-timeout', 'LINK_TIMEOUT');
    });
  }

  get isStranger(): boolean {
    return !this.isOver && this.reason === null;
  }

  start(): void {
    this.link.handle(this);
    this.say(null, this.handshake.start());
  }

  /** The wire was greeted: no stranger any more. */
  pass(): void {
    this.isOver = true;
    this.cancelTimeout();
    this.repeats?.stop();
  }

  /** Ends the link without a word to a stranger. */
  refuse(reason: string, code: LinkError['code']): void {
    if (this.isOver) return;
    this.reason ??= reason;
    const error = new LinkError(code, `${this.link.remote}: ${reason}`);
    if (this.wire === null) this.link.close(error);
    else this.wire.end(reason, code);
  }

  /** Ends the link with a word to one that has proven itself, but is not wanted. */
  turnAway(reason: ByeReason): void {
    this.reason ??= reason;
    this.wire?.leave(reason, 0);
  }

  onFrame(frame: Uint8Array): void {
    if (this.repeats?.isRepeat(frame) === true) return;
    if (this.wire !== null) {
      this.wire.onFrame(frame);
      return;
    }
    countReceived(this.parts.totals.of(this.link.kind), frame);
    this.step(frame, this.handshake.receive(frame));
  }

  onDrain(): void {
    this.wire?.onDrain();
  }

  onClose(error: LinkError | null): void {
    this.cancelTimeout();
    this.repeats?.stop();
    const isRefused = !this.isOver;
    this.isOver = true;
    this.wire?.onClose(error);
    const reason = this.reason ?? this.wire?.reason ?? error?.code ?? 'closed-by-peer';
    this.parts.onClosed(this, reason, isRefused);
  }

  private step(frame: Uint8Array, step: HandshakeStep): void {
    if (step.kind === 'refused') {
      this.refuse(step.reason, 'LINK_RESET');
      return;
    }
    if (step.kind === 'ignored') return;
    this.say(frame, step.send);
    if (step.kind === 'open') this.wire = this.parts.onSession(this, step.session);
  }

  private say(heard: Uint8Array | null, frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.write(frame);
    this.repeats?.moved(heard, frames);
  }

  private write(frame: Uint8Array): void {
    countSent(this.parts.totals.of(this.link.kind), frame);
    this.link.send(frame);
  }
}
