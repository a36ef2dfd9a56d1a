import type {
  OpenSerialPort,
  SerialPortHandler,
  SerialPortOpener,
} from '../../src/gossip/links/serial-port.ts';
import type { Timers } from '../../src/ports/clock.ts';
import { LinkError } from '../../src/ports/link.ts';

export interface ModemOptions {
  readonly timers: Timers;
  /** What the line really carries, in bits a second, ten to a byte. */
  readonly baud: number;
  /** From the last bit leaving to its arrival. */
  readonly latencyMs?: number;
  /** Bytes are handed over so often, as adapters do that save interrupts; at once if not said. */
  readonly burstMs?: number;
  /** Done to what passes. */
  readonly damage?: (bytes: Uint8Array) => Uint8Array;
}

/** What the line carries in so long travels together; a UART hands over bytes one by one. */
const CHUNK_MS = 2;

interface Side {
  handler: SerialPortHandler | null;
  freeMs: number;
  /** What has not left by then is lost. */
  closedMs: number;
}

/** A line between the devices `/dev/near` and `/dev/far`, in whatever time its timers have. */
export class SerialModem {
  /** Given to the port and carried, both ways. */
  bytes = 0;
  private readonly options: ModemOptions;
  private readonly sides = new Map<string, Side>();

  constructor(options: ModemOptions) {
    this.options = options;
    for (const path of ['/dev/near', '/dev/far'])
      this.sides.set(path, { handler: null, freeMs: 0, closedMs: 0 });
  }

  readonly open: SerialPortOpener = async ({ path }, handler) => {
    const side = this.sides.get(path);
    if (side === undefined) throw new LinkError('LINK_UNREACHABLE', `${path}: no such device`);
    side.handler = handler;
    side.closedMs = Number.POSITIVE_INFINITY;
    const port: OpenSerialPort = {
      write: (bytes, done) => this.carry(path, bytes, done),
      close: async () => {
        side.handler = null;
        side.closedMs = this.options.timers.monotonicMs();
      },
    };
    return port;
  };

  private carry(path: string, bytes: Uint8Array, done: () => void): void {
    const { timers, baud, latencyMs = 0, burstMs = 0, damage = (all) => all } = this.options;
    const from = this.sides.get(path)!;
    const to = this.sides.get(path === '/dev/near' ? '/dev/far' : '/dev/near')!;
    this.bytes += bytes.length;
    const nowMs = timers.monotonicMs();
    const most = Math.max(16, Math.floor((baud * CHUNK_MS) / 10_000));
    for (let at = 0; at < bytes.length; at += most) {
      const chunk = damage(bytes.slice(at, at + most));
      const length = Math.min(most, bytes.length - at);
      from.freeMs = Math.max(nowMs, from.freeMs) + (length * 10_000) / baud;
      const atMs = from.freeMs + latencyMs;
      const heardMs = burstMs === 0 ? atMs : Math.ceil(atMs / burstMs) * burstMs;
      const leftMs = from.freeMs;
      timers.after(heardMs - nowMs, () => {
        if (leftMs <= from.closedMs) to.handler?.onData(chunk);
      });
    }
    timers.after(from.freeMs - nowMs, done);
  }
}
