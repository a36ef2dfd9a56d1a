import { equalBytes } from '../model/bytes.ts';
import type { Timers } from '../ports/clock.ts';

/** Between two repetitions, in milliseconds, doubling up to the greater. */
const REPEAT_MIN_MS = 250;
const REPEAT_MAX_MS = 2_000;

/** What the other end repeats is answered again so often. */
const ANSWERS_MAX = 32;

/**
 * Brings the frames of a handshake over a link that loses some. The end that opened the link sends
 * its last frame again until something new comes; the other end sends its own only in answer to a
 * frame that comes again, one for one: it never says more than it was asked.
 */
export class HandshakeRepeats {
  private readonly timers: Timers;
  private readonly send: (frame: Uint8Array) => void;
  private readonly isInitiator: boolean;
  private heard: Uint8Array | null = null;
  private said: readonly Uint8Array[] = [];
  private answers = 0;
  private delayMs = REPEAT_MIN_MS;
  private cancel: (() => void) | null = null;

  constructor(timers: Timers, isInitiator: boolean, send: (frame: Uint8Array) => void) {
    this.timers = timers;
    this.isInitiator = isInitiator;
    this.send = send;
  }

  /** A frame moved the handshake on, or it began; these frames follow from it. */
  moved(heard: Uint8Array | null, said: readonly Uint8Array[]): void {
    this.heard = heard;
    this.said = said;
    this.delayMs = REPEAT_MIN_MS;
    this.cancel?.();
    this.cancel = null;
    if (this.isInitiator && said.length > 0) this.repeatLater();
  }

  /** Has the handshake moved on with this frame before? Then what follows from it is sent again. */
  isRepeat(frame: Uint8Array): boolean {
    if (this.heard === null || !equalBytes(this.heard, frame)) return false;
    if (!this.isInitiator && this.answers < ANSWERS_MAX) {
      this.answers += 1;
      for (const each of this.said) this.send(each);
    }
    return true;
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
    this.heard = null;
    this.said = [];
  }

  private repeatLater(): void {
    this.cancel = this.timers.after(this.delayMs, () => {
      this.delayMs = Math.min(this.delayMs * 2, REPEAT_MAX_MS);
      for (const each of this.said) this.send(each);
      this.repeatLater();
    });
  }
}
