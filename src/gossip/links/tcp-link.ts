import type { Socket } from 'node:net';
import { invariant } from '../../model/invariant.ts';
import type { Timers } from '../../ports/clock.ts';
import { type Link, LinkError, type LinkHandler } from '../../ports/link.ts';
import { tcpErrorOf } from './tcp-error.ts';
import { FRAME_BYTES_MAX, FrameCutter, frameToStream } from './tcp-frames.ts';

/**
 * More than this in the socket's own queue, and the link wants no more. Small, so that what is
 * urgent never stands behind much; a few system calls' worth, so that the wire never runs dry.
 */
export const SEND_QUEUE_BYTES = 64 * 1024;

/** How long a link that is closed in peace may take to send what is queued. */
export const CLOSE_MS = 2_000;

/** The kernel asks a silent TCP connection for a sign of life after this. */
const KEEP_ALIVE_MS = 30_000;

export class TcpLink implements Link {
  readonly kind = 'tcp';
  readonly remote: string;
  readonly isOrdered = true;
  readonly bytesPerSecond = null;
  readonly repairs = null;
  readonly frameBytesMax = FRAME_BYTES_MAX;

  private readonly socket: Socket;
  private readonly timers: Timers;
  private readonly cutter = new FrameCutter();
  private handler: LinkHandler | null = null;
  private error: LinkError | null = null;
  private closing = false;
  private paused = false;
  private wantsDrain = false;
  private cancelClose: (() => void) | null = null;

  constructor(socket: Socket, remote: string, timers: Timers) {
    this.socket = socket;
    this.remote = remote;
    this.timers = timers;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('error', (cause) => {
      this.error ??= tcpErrorOf(cause, this.remote);
    });
  }

  get queuedBytes(): number {
    return this.socket.writableLength;
  }

  handle(handler: LinkHandler): void {
    invariant(this.handler === null, 'a link has one handler');
    this.handler = handler;
    this.socket.on('drain', () => this.onDrain());
    this.socket.on('end', () => this.onEnd());
    this.socket.on('close', () => this.onClose());
    this.socket.on('data', (chunk: Uint8Array) => this.onData(chunk));
    // Closed before anybody listened: 'close' will not come again.
    if (this.socket.closed) queueMicrotask(() => this.onClose());
  }

  send(frame: Uint8Array): boolean {
    invariant(frame.length <= FRAME_BYTES_MAX, `a frame has at most ${FRAME_BYTES_MAX} bytes`);
    if (this.closing || !this.socket.writable) return false;
    this.socket.write(frameToStream(frame));
    this.wantsDrain = this.socket.writableLength > SEND_QUEUE_BYTES;
    return !this.wantsDrain;
  }

  pause(): void {
    this.paused = true;
    if (!this.closing) this.socket.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    queueMicrotask(() => this.deliver());
  }

  close(reason?: LinkError): void {
    if (reason !== undefined) {
      this.error ??= reason;
      this.closing = true;
      this.socket.destroy();
      return;
    }
    if (this.closing) return;
    this.closing = true;
    this.socket.end();
    // The other end's last word is only seen by reading on; what it says is not handed over.
    this.socket.resume();
    this.cancelClose = this.timers.after(CLOSE_MS, () => this.socket.destroy());
  }

  private onData(chunk: Uint8Array): void {
    if (this.closing) return;
    this.cutter.push(chunk);
    this.deliver();
  }

  /** Hands over the whole frames of the chunk in hand; who hears may pause or close meanwhile. */
  private deliver(): void {
    try {
      while (!this.paused && !this.closing) {
        const frame = this.cutter.next();
        if (frame === null) {
          this.socket.resume();
          return;
        }
        this.handler?.onFrame(frame);
      }
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.close(error);
    }
  }

  private onDrain(): void {
    if (!this.wantsDrain || this.closing) return;
    this.wantsDrain = false;
    this.handler?.onDrain();
  }

  private onEnd(): void {
    if (this.closing || !this.cutter.broken) return;
    this.error ??= new LinkError('LINK_FRAME_BROKEN', `${this.remote} ended inside a frame`);
  }

  private onClose(): void {
    this.closing = true;
    this.cancelClose?.();
    const handler = this.handler;
    this.handler = null;
    handler?.onClose(this.error);
  }
}
