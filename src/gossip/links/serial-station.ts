import type { Checksum } from '../../ports/checksum.ts';
import type { Random, Timers } from '../../ports/clock.ts';
import { LinkError } from '../../ports/link.ts';
import { SerialLine } from './serial-line.ts';
import { SerialLink } from './serial-link.ts';
import { type SerialPace, serialPaceOf } from './serial-pace.ts';
import type { OpenSerialPort, SerialPortOpener } from './serial-port.ts';
import { type SerialAddress, serialUrlOf } from './serial-url.ts';

/** A device that could not be opened, or whose line is of no use, is tried again after so long. */
const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 10_000;

/**
 * Two ends that met and parted at once meet again at once, and when that goes on, ever later: they
 * may be of two Worlds. Whoever was together so long, and what a handshake takes besides, is no
 * such pair.
 */
const MEET_AGAIN_MS_MAX = 60_000;
const STEADY_MS = 10_000;
const HANDSHAKE_BYTES = 4_000;

/** How long the last bytes may take to leave before the device is closed, and two frames. */
const LEAVE_MS_MAX = 1_000;

export interface SerialStationParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly checksum: Checksum;
  readonly openPort: SerialPortOpener;
}

export interface SerialStationHandler {
  onLink(link: SerialLink): void;
  /** Why nobody can come at the moment. It goes on trying. */
  onTrouble(error: LinkError): void;
}

/**
 * Keeps one device open, calls on it, and hands over one link after the other: the end of a cable
 * has neither dialler nor listener. Opens the device anew when it was unplugged and is back.
 */
export class SerialStation {
  readonly url: string;
  /** Settles when the device is closed for good. */
  readonly over: Promise<void>;
  /** Why nobody can come this way at the moment; null while somebody is there. */
  trouble: string | null;

  private readonly parts: SerialStationParts;
  private readonly handler: SerialStationHandler;
  private readonly address: SerialAddress;
  private readonly pace: SerialPace;
  private port: OpenSerialPort | null = null;
  private link: SerialLink | null = null;
  private isUp = false;
  private isOpening = false;
  /** Of a device that went while it was being opened. */
  private goneEarly: LinkError | null = null;
  private isStopped = false;
  private isClosing = false;
  private againMs = AGAIN_MS;
  private meetAgainMs = 0;
  private upMs = 0;
  private cancelAgain: (() => void) | null = null;
  private settle: () => void = () => undefined;

  constructor(parts: SerialStationParts, address: SerialAddress, handler: SerialStationHandler) {
    this.parts = parts;
    this.address = address;
    this.handler = handler;
    this.pace = serialPaceOf(address.baud);
    this.url = serialUrlOf(address);
    this.trouble = `${this.url}: nobody has answered yet`;
    this.over = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /** Does it hand over no more links, and has none? Then it is over soon. */
  get isEnding(): boolean {
    return this.isStopped && !this.isUp;
  }

  start(): void {
    this.cancelAgain = null;
    if (this.port !== null) {
      this.call();
      return;
    }
    this.isOpening = true;
    this.goneEarly = null;
    const { openPort, timers } = this.parts;
    const handler = {
      onData: (bytes: Uint8Array) => this.link?.heard(bytes),
      onGone: (error: LinkError) => this.gone(error),
    };
    openPort(this.address, handler, timers).then(
      (port) => this.opened(port),
      (cause: unknown) => this.refused(cause),
    );
  }

  /** Hands over no more links; one that is open stays until it ends. Closes the device then. */
  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.cancelAgain?.();
    if (this.isUp || this.isOpening) return;
    this.link?.close();
    void this.shut(this.link);
  }

  private opened(port: OpenSerialPort): void {
    const { goneEarly } = this;
    this.goneEarly = null;
    if (goneEarly !== null) {
      this.refused(goneEarly);
      return;
    }
    this.isOpening = false;
    this.port = port;
    if (this.isStopped) void this.shut(null);
    else this.call();
  }

  private refused(cause: unknown): void {
    this.isOpening = false;
    if (!(cause instanceof LinkError)) throw cause;
    if (this.isStopped) this.settle();
    else this.tryAgain(cause);
  }

  private call(): void {
    const { timers, random, checksum } = this.parts;
    const { pace, url } = this;
    const link = new SerialLink({
      line: new SerialLine({ pace, checksum, number: drawNumber(random), name: url }),
      timers,
      remote: url,
      bytesPerSecond: pace.bytesPerSecond,
      write: (bytes, done) => this.port?.write(bytes, done),
      onUp: () => this.up(link),
      onNoise: () => this.noisy(),
      onDown: (error, wasUp) => this.down(link, error, wasUp),
    });
    this.link = link;
    link.start();
  }

  private up(link: SerialLink): void {
    this.isUp = true;
    this.trouble = null;
    this.upMs = this.parts.timers.monotonicMs();
    this.handler.onLink(link);
  }

  private noisy(): void {
    const why = `bytes come, but never a whole frame; have both ends ${this.address.baud} baud?`;
    this.troubled(new LinkError('LINK_FRAME_BROKEN', `${this.url}: ${why}`));
  }

  private down(link: SerialLink, error: LinkError | null, wasUp: boolean): void {
    if (this.link !== link) return;
    this.link = null;
    this.parted();
    if (this.isStopped) {
      void this.shut(link);
      return;
    }
    if (!wasUp && error !== null) {
      this.tryAgain(error);
      return;
    }
    this.trouble = `${this.url}: ${error === null ? 'the other end closed' : error.message}`;
    // In a turn of its own: whoever had the old link hears of its end before there is a new one.
    this.cancelAgain = this.parts.timers.after(this.meetAgainMs, () => this.start());
    this.meetAgainMs = Math.min(Math.max(AGAIN_MS, 2 * this.meetAgainMs), MEET_AGAIN_MS_MAX);
  }

  /** A session that stood for a while was a good one: the next failure is the first again. */
  private parted(): void {
    if (!this.isUp) return;
    this.isUp = false;
    const stoodMs = this.parts.timers.monotonicMs() - this.upMs;
    const steadyMs = STEADY_MS + (1_000 * HANDSHAKE_BYTES) / this.pace.bytesPerSecond;
    if (stoodMs < steadyMs) return;
    this.againMs = AGAIN_MS;
    this.meetAgainMs = 0;
  }

  private gone(error: LinkError): void {
    if (this.isOpening) {
      this.goneEarly = error;
      return;
    }
    this.port = null;
    const { link } = this;
    this.link = null;
    this.parted();
    link?.close(error);
    this.cancelAgain?.();
    if (this.isStopped) this.settle();
    else this.tryAgain(error);
  }

  private tryAgain(error: LinkError): void {
    this.troubled(error);
    if (this.isStopped) return;
    this.cancelAgain = this.parts.timers.after(this.againMs, () => this.start());
    this.againMs = Math.min(this.againMs * 2, AGAIN_MS_MAX);
  }

  private troubled(error: LinkError): void {
    this.trouble = error.message;
    this.handler.onTrouble(error);
  }

  private async shut(last: SerialLink | null): Promise<void> {
    if (this.isClosing) return;
    this.isClosing = true;
    const leavingMs = Math.min(LEAVE_MS_MAX + 2 * this.pace.frameMs, last?.leavingMs ?? 0);
    const { port } = this;
    if (leavingMs > 0) {
      await new Promise<void>((done) => this.parts.timers.after(leavingMs, done));
    }
    await port?.close();
    this.settle();
  }
}

/** 1 to 2^32 - 1. */
function drawNumber(random: Random): number {
  const bytes = random.bytes(4);
  return Math.max(1, new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0));
}
