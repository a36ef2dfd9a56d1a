import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { RemoteInfo, Socket } from 'node:dgram';
import type { Timers } from '../../ports/clock.ts';
import type { Link } from '../../ports/link.ts';
import { urlOf } from './tcp-url.ts';
import {
  COOKIE_BYTES,
  cookieOf,
  type Datagram,
  endOf,
  plainOf,
  readDatagram,
} from './udp-datagram.ts';
import { UdpLink } from './udp-link.ts';
import type { UdpAddress } from './udp-link-parts.ts';

/** Links that a listener holds at once; more are not accepted. */
const LINKS_MAX = 512;

/** What follows the head of an `end`: no shorter datagram is answered by one. */
const END_REST_BYTES = 5;

/** A cookie is good for between one and two of these, in milliseconds. */
const COOKIE_MS = 30_000;

/**
 * A UDP socket that accepts links. Whoever calls gets a cookie, not longer than its call, and
 * nothing is remembered of it; a link is made when the cookie comes back, and so from an address at
 * which somebody is.
 */
export class UdpListener {
  private readonly options: { readonly timers: Timers; readonly bytesPerSecondMax: number };
  private readonly socket: Socket;
  private readonly onLink: (link: Link) => void;
  private readonly links = new Map<string, UdpLink>();
  private readonly secret = randomBytes(32);
  private isClosing = false;
  private isSocketClosed = false;

  constructor(
    options: { readonly timers: Timers; readonly bytesPerSecondMax: number },
    socket: Socket,
    onLink: (link: Link) => void,
  ) {
    this.options = options;
    this.socket = socket;
    this.onLink = onLink;
    socket.on('message', (bytes, from) => this.onMessage(bytes, addressOf(from)));
    // One datagram that could not be received is lost, as any other may be.
    socket.on('error', () => undefined);
  }

  /** Ends accepting; links that were accepted stay open, and keep the socket until they end. */
  close(): Promise<void> {
    this.isClosing = true;
    if (this.links.size > 0) return Promise.resolve();
    return new Promise((resolve) => this.closeSocket(resolve));
  }

  private onMessage(bytes: Uint8Array, from: UdpAddress): void {
    const datagram = readDatagram(bytes);
    // Whoever says port 0 wants no answer, and none can be sent there: it would be an exception.
    if (datagram === null || from.port === 0) return;
    const { kind, id, rest } = datagram;
    const link = this.links.get(id);
    if (link !== undefined) link.receive(datagram, from);
    else if (kind === 'hello' && !this.isClosing) {
      this.post(cookieOf('cookie', id, this.cookieFor(datagram, from, 0)), from);
    } else if (kind === 'open' && !this.isClosing) this.accept(datagram, from);
    else if ((kind === 'frame' || kind === 'heard') && rest.length >= END_REST_BYTES) {
      // Of a link that this process knows nothing of: it was started since, or gave it up.
      this.post(endOf(id, true, 0), from);
    } else if (kind === 'end') this.post(plainOf('ended', id), from);
  }

  private accept(datagram: Datagram, from: UdpAddress): void {
    const { id, rest } = datagram;
    const isGood = [0, 1].some((back) =>
      timingSafeEqual(this.cookieFor(datagram, from, back), rest),
    );
    if (!isGood || this.links.size >= LINKS_MAX) return;
    const link = new UdpLink({
      ...this.options,
      id,
      remote: urlOf('udp', from),
      address: from,
      post: (bytes, to) => this.post(bytes, to),
      onGone: () => this.forget(id),
    });
    this.links.set(id, link);
    this.post(plainOf('accept', id), from);
    this.onLink(link);
  }

  private cookieFor({ id }: Datagram, { host, port }: UdpAddress, back: number): Buffer {
    const time = Math.floor(this.options.timers.monotonicMs() / COOKIE_MS) - back;
    const mac = createHmac('sha256', this.secret).update(`${time} ${id} ${port} ${host}`);
    return mac.digest().subarray(0, COOKIE_BYTES);
  }

  private forget(id: string): void {
    this.links.delete(id);
    if (this.isClosing && this.links.size === 0) setImmediate(() => this.closeSocket());
  }

  private closeSocket(done?: () => void): void {
    if (this.isSocketClosed) {
      done?.();
      return;
    }
    this.isSocketClosed = true;
    this.socket.close(done);
  }

  private post(bytes: Uint8Array, to: UdpAddress): void {
    // A datagram that could not be sent is lost, as any other may be.
    if (!this.isSocketClosed) this.socket.send(bytes, to.port, to.host, () => undefined);
  }
}

function addressOf({ address, port }: RemoteInfo): UdpAddress {
  return { host: address, port };
}
