import { invariant } from '../../model/invariant.ts';
import type { Timers } from '../../ports/clock.ts';
import type { Link, LinkError, LinkHandler, LinkRepairs } from '../../ports/link.ts';
import type { SerialLine } from './serial-line.ts';
import { LINK_FRAME_BYTES_MAX } from './serial-receiver.ts';
import type { SerialAction, SerialEvent } from './serial-step.ts';

export interface SerialLinkParts {
  readonly line: SerialLine;
  readonly timers: Timers;
  readonly remote: string;
  readonly bytesPerSecond: number;
  /** Gives bytes to the port; `done` when it took them. */
  readonly write: (bytes: Uint8Array, done: () => void) => void;
  readonly onUp: (link: SerialLink) => void;
  readonly onNoise: () => void;
  /** Last word, before that of the link. @param wasUp Was there ever another end? */
  readonly onDown: (error: LinkError | null, wasUp: boolean) => void;
}

/** One connection over a serial device: a line with the clock and the port that it needs. */
export class SerialLink implements Link {
  readonly kind = 'serial';
  readonly remote: string;
  readonly isOrdered = true;
  readonly bytesPerSecond: number;
  readonly frameBytesMax = LINK_FRAME_BYTES_MAX;
  begins = false;

  private readonly parts: SerialLinkParts;
  private readonly line: SerialLine;
  private handler: LinkHandler | null = null;
  private readonly due: SerialAction[] = [];
  private isActing = false;
  private isPaused = false;
  private isUp = false;
  /** The reason that the link was closed for here. */
  private reason: LinkError | null = null;
  private error: LinkError | null = null;
  private isDown = false;
  private isToldDown = false;
  private timer: { readonly atMs: number; readonly cancel: () => void } | null = null;

  constructor(parts: SerialLinkParts) {
    this.parts = parts;
    this.line = parts.line;
    this.remote = parts.remote;
    this.bytesPerSecond = parts.bytesPerSecond;
  }

  get repairs(): LinkRepairs {
    return this.line.repairs;
  }

  get queuedBytes(): number {
    return this.line.queuedBytes;
  }

  /** Until what was written has left. */
  get leavingMs(): number {
    return Math.max(0, this.line.freeMs - this.parts.timers.monotonicMs());
  }

  /** Begins to call. */
  start(): void {
    this.run({ kind: 'tick' });
  }

  heard(bytes: Uint8Array): void {
    this.run({ kind: 'heard', bytes });
  }

  handle(handler: LinkHandler): void {
    invariant(this.handler === null, 'a link has one handler');
    this.handler = handler;
    queueMicrotask(() => this.run({ kind: 'tick' }));
  }

  send(frame: Uint8Array): boolean {
    invariant(
      frame.length <= this.frameBytesMax,
      `a frame has at most ${this.frameBytesMax} bytes`,
    );
    if (!this.line.isOpen) return false;
    this.run({ kind: 'send', frame });
    return !this.line.isFull(this.parts.timers.monotonicMs());
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    queueMicrotask(() => this.run({ kind: 'tick' }));
  }

  close(reason?: LinkError): void {
    if (this.isDown) return;
    this.reason ??= reason ?? null;
    this.run({ kind: reason === undefined ? 'close' : 'abort' });
  }

  private run(event: SerialEvent): void {
    this.due.push(...this.line.step(event, this.parts.timers.monotonicMs()));
    if (this.isActing) return;
    this.isActing = true;
    for (let action = this.next(); action !== undefined; action = this.next()) this.act(action);
    this.isActing = false;
    this.tellDown();
    this.setTimer();
  }

  private next(): SerialAction | undefined {
    if (this.due.length === 0 && this.line.hasWhole && this.handler !== null && !this.isPaused) {
      this.due.push(...this.line.step({ kind: 'fetch' }, this.parts.timers.monotonicMs()));
    }
    return this.due.shift();
  }

  private act(action: SerialAction): void {
    switch (action.kind) {
      case 'write': {
        const { length } = action.bytes;
        this.parts.write(action.bytes, () => this.run({ kind: 'written', count: length }));
        break;
      }
      case 'up':
        this.isUp = true;
        this.begins = action.begins;
        this.parts.onUp(this);
        break;
      case 'frame':
        this.handler?.onFrame(action.frame);
        break;
      case 'drain':
        this.handler?.onDrain();
        break;
      case 'noise':
        this.parts.onNoise();
        break;
      case 'down':
        this.isDown = true;
        this.error = this.reason ?? action.error;
        this.parts.onDown(this.error, this.isUp);
        break;
      default:
        action satisfies never;
    }
  }

  /** In a turn of its own: whoever closes is not told in the middle of it. */
  private tellDown(): void {
    if (!this.isDown || this.isToldDown || this.handler === null) return;
    this.isToldDown = true;
    const { handler, error } = this;
    queueMicrotask(() => handler.onClose(error));
  }

  private setTimer(): void {
    const atMs = this.isDown ? null : this.line.wakeMs;
    if (this.timer !== null && atMs !== null && this.timer.atMs <= atMs) return;
    this.timer?.cancel();
    this.timer = null;
    if (atMs === null) return;
    const delayMs = Math.max(0, Math.ceil(atMs - this.parts.timers.monotonicMs()));
    const cancel = this.parts.timers.after(delayMs, () => {
      this.timer = null;
      this.run({ kind: 'tick' });
    });
    this.timer = { atMs, cancel };
  }
}
