import { stat } from 'node:fs/promises';
import type { SerialPort } from 'serialport';
import type { Timers } from '../../ports/clock.ts';
import { LinkError, type LinkErrorCode } from '../../ports/link.ts';
import type { SerialAddress } from './serial-url.ts';

/** A device that answers nothing is left alone after so long. */
const CLOSE_MS = 2_000;

/** How often to look whether the device is still there: a port that is only read never says. */
const WATCH_MS = 2_000;

/** The lock of an end that has just closed may outlive it for a moment: a read is not over yet. */
const LOCK_TRIES = 20;
const LOCK_MS = 50;

/** Beyond it two ends do not understand each other. */
const RATE_TOLERANCE = 0.03;

/** What the system says, and what it means. */
const MEANINGS: readonly (readonly [RegExp, LinkErrorCode, string])[] = [
  [/no such (file|device)/i, 'LINK_UNREACHABLE', 'there is no such device; is it plugged in?'],
  [
    /permission denied|not permitted/i,
    'LINK_DENIED',
    'this user may not open it; sudo usermod -aG dialout $USER, then log in again',
  ],
  [/lock port|busy|temporarily unavailable/i, 'LINK_IN_USE', 'another program has it open'],
  [/inappropriate ioctl|not a tty|is a directory/i, 'LINK_UNREACHABLE', 'it is no serial device'],
  [/invalid argument|baud/i, 'LINK_UNREACHABLE', 'the device does not take these settings'],
];

export interface SerialPortHandler {
  onData(bytes: Uint8Array): void;
  /** The device is gone. At most once, and never after `close`. */
  onGone(error: LinkError): void;
}

/** An open device: bytes in, bytes out. */
export interface OpenSerialPort {
  /** `done` follows when the system took them all, and never when the device is gone. */
  write(bytes: Uint8Array, done: () => void): void;
  close(): Promise<void>;
}

export type SerialPortOpener = (
  address: SerialAddress,
  handler: SerialPortHandler,
  timers: Timers,
) => Promise<OpenSerialPort>;

/** @throws LinkError LINK_UNREACHABLE, LINK_DENIED, LINK_IN_USE */
export const openSerialPort: SerialPortOpener = async (address, handler, timers) => {
  const { path, baud, rtscts } = address;
  const { SerialPort } = await loadSerialPort();
  const port = new SerialPort({ path, baudRate: baud, rtscts, autoOpen: false });
  const open = () =>
    new Promise<LinkError | null>((resolve) => {
      port.open((cause) => resolve(cause === null ? null : serialErrorOf(cause, path)));
    });
  let error = await open();
  for (let tries = 1; error?.code === 'LINK_IN_USE' && tries < LOCK_TRIES; tries++) {
    await new Promise<void>((resolve) => timers.after(LOCK_MS, resolve));
    error = await open();
  }
  if (error !== null) throw error;
  const device = new Device(port, path, handler, timers);
  const real = await rateOf(port);
  if (real === null || Math.abs(real / baud - 1) <= RATE_TOLERANCE) return device;
  await device.close();
  throw new LinkError('LINK_UNREACHABLE', `${path}: it cannot do ${baud} baud, only ${real}`);
};

/** Optional, and native: loaded only where a cable is used. */
async function loadSerialPort(): Promise<typeof import('serialport')> {
  try {
    return await import('serialport');
  } catch (cause) {
    const cure = 'npm install serialport';
    throw new LinkError('LINK_UNREACHABLE', `serialport is not installed: ${cure}`, { cause });
  }
}

/** @returns the rate that the driver really set; null where it does not tell. */
async function rateOf(port: SerialPort): Promise<number | null> {
  try {
    return (await port.port?.getBaudRate())?.baudRate ?? null;
  } catch (cause) {
    if (cause instanceof Error) return null;
    throw cause;
  }
}

/** What the system says of a serial device, in the words of the port. */
export function serialErrorOf(cause: Error, path: string): LinkError {
  const meaning = MEANINGS.find(([pattern]) => pattern.test(cause.message));
  const [, code, what] = meaning ?? [null, 'LINK_RESET' as const, cause.message];
  return new LinkError(code, `${path}: ${what}`, { cause });
}

/** One opening of a device; after its end another `SerialPort` has to be made. */
class Device implements OpenSerialPort {
  private readonly port: SerialPort;
  private readonly path: string;
  private readonly handler: SerialPortHandler;
  private readonly timers: Timers;
  private cancelWatch: () => void;
  private pending = 0;
  private isOver = false;
  private onIdle: () => void = () => undefined;

  constructor(port: SerialPort, path: string, handler: SerialPortHandler, timers: Timers) {
    this.port = port;
    this.path = path;
    this.handler = handler;
    this.timers = timers;
    this.cancelWatch = timers.after(WATCH_MS, () => this.look());
    port.on('data', (bytes: Uint8Array) => {
      if (!this.isOver) handler.onData(bytes);
    });
    // May fire twice.
    port.on('close', (cause: Error | null) => this.gone(cause));
    port.on('error', (cause: Error) => this.gone(cause));
  }

  write(bytes: Uint8Array, done: () => void): void {
    if (this.isOver) return;
    this.pending += 1;
    this.port.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), (cause) => {
      this.pending -= 1;
      if (this.pending === 0) this.onIdle();
      if (cause) this.gone(cause);
      else if (!this.isOver) done();
    });
  }

  async close(): Promise<void> {
    this.isOver = true;
    this.cancelWatch();
    if (!this.port.isOpen) return;
    await this.within(CLOSE_MS, (done) => {
      this.onIdle = done;
      if (this.pending === 0) done();
    });
    // What the device does not take would keep the system from closing it.
    const isStuck = this.pending > 0;
    await this.within(CLOSE_MS, (done) => {
      if (isStuck) this.port.flush(() => this.port.close(done));
      else this.port.close(done);
    });
  }

  /** Waits for what the device may never answer. */
  private within(limitMs: number, ask: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.timers.after(limitMs, resolve);
      ask(() => {
        cancel();
        resolve();
      });
    });
  }

  private look(): void {
    stat(this.path).then(
      () => {
        if (!this.isOver) this.cancelWatch = this.timers.after(WATCH_MS, () => this.look());
      },
      (cause: Error) => this.gone(cause),
    );
  }

  private gone(cause: Error | null): void {
    if (this.isOver) return;
    const why = `${this.path}: the device is gone`;
    this.pending = 0;
    void this.close();
    this.handler.onGone(new LinkError('LINK_RESET', why, { cause }));
  }
}
