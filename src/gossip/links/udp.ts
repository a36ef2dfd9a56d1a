import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import type { Timers } from '../../ports/clock.ts';
import { type Link, LinkError, type Listening, type Transport } from '../../ports/link.ts';
import { abortOf } from './called-off.ts';
import { tcpErrorOf } from './tcp-error.ts';
import { parseHostAndPort, urlOf } from './tcp-url.ts';
import { cookieOf, helloOf, ID_BYTES, readDatagram } from './udp-datagram.ts';
import { UdpLink } from './udp-link.ts';
import { UdpListener } from './udp-listener.ts';

/** A dial is repeated after so many milliseconds, doubling up to the greater. */
const REPEAT_MIN_MS = 100;
const REPEAT_MAX_MS = 2_000;

/** Asked of the kernel, which may give less: what comes in one burst. */
const RECEIVE_BYTES = 1024 * 1024;

export interface UdpOptions {
  readonly timers: Timers;
  /** Each link sends at most so much, heads of datagrams included. */
  readonly bytesPerSecondMax: number;
}

/** Links over UDP, IPv4 and IPv6: `udp://host:port`. Frames may be lost and overtaken. */
export class UdpTransport implements Transport {
  readonly kind = 'udp';
  readonly schemes = ['udp'];
  private readonly options: UdpOptions;

  constructor(options: UdpOptions) {
    this.options = options;
  }

  async dial(url: string, signal: AbortSignal): Promise<Link> {
    const { host, port } = parseHostAndPort('udp', url, 1);
    if (signal.aborted) throw abortOf(signal, url);
    const found = await lookup(host).catch((cause: unknown) => {
      throw tcpErrorOf(cause, url);
    });
    if (signal.aborted) throw abortOf(signal, url);
    const socket = socketFor(found.family);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.connect(port, found.address, resolve);
      });
    } catch (cause) {
      socket.close();
      throw tcpErrorOf(cause, url);
    }
    socket.removeAllListeners('error');
    return new Dial(this.options, socket, url).open(signal);
  }

  async listen(url: string, onLink: (link: Link) => void): Promise<Listening> {
    const address = parseHostAndPort('udp', url, 0);
    const socket = socketFor(address.host.includes(':') ? 6 : 4);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ port: address.port, address: address.host, exclusive: true }, resolve);
      });
    } catch (cause) {
      socket.close();
      const error = tcpErrorOf(cause, url);
      if (error.code === 'LINK_IN_USE' || error.code === 'LINK_DENIED') throw error;
      throw new LinkError('LINK_URL', `${url} is no address of this machine`, { cause });
    }
    socket.removeAllListeners('error');
    const listener = new UdpListener(this.options, socket, onLink);
    const { port } = socket.address();
    return { url: urlOf('udp', { host: address.host, port }), close: () => listener.close() };
  }
}

function socketFor(family: number): Socket {
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BYTES,
  });
}

/** One attempt to open a link, and the link's own socket afterwards. */
class Dial {
  private readonly options: UdpOptions;
  private readonly socket: Socket;
  private readonly url: string;
  private readonly id = randomBytes(ID_BYTES).toString('hex');
  private request: Uint8Array;
  private delayMs = REPEAT_MIN_MS;
  private cancelRepeat: (() => void) | null = null;
  private link: UdpLink | null = null;

  constructor(options: UdpOptions, socket: Socket, url: string) {
    this.options = options;
    this.socket = socket;
    this.url = url;
    this.request = helloOf(this.id);
  }

  open(signal: AbortSignal): Promise<Link> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.cancelRepeat?.();
        signal.removeEventListener('abort', onAbort);
      };
      const refuse = (error: LinkError) => {
        settle();
        this.socket.close();
        reject(error);
      };
      const onAbort = () => refuse(abortOf(signal, this.url));
      signal.addEventListener('abort', onAbort);
      this.socket.on('error', (cause) => {
        const error = tcpErrorOf(cause, this.url);
        if (this.link === null) refuse(error);
        else if (error.code === 'LINK_REFUSED') this.link.fail(error);
      });
      this.socket.on('message', (bytes) => {
        if (!this.onMessage(bytes) || this.link !== null) return;
        settle();
        this.link = this.makeLink();
        resolve(this.link);
      });
      this.ask();
    });
  }

  /** @returns whether the other end has accepted. */
  private onMessage(bytes: Uint8Array): boolean {
    const datagram = readDatagram(bytes);
    if (datagram?.id !== this.id) return false;
    if (this.link !== null) this.link.receive(datagram, this.address());
    else if (datagram.kind === 'cookie') {
      this.request = cookieOf('open', this.id, datagram.rest);
      this.delayMs = REPEAT_MIN_MS;
      this.cancelRepeat?.();
      this.ask();
    }
    return datagram.kind === 'accept';
  }

  /** Says it again and again, ever more slowly, until there is an answer. */
  private ask(): void {
    this.socket.send(this.request, ignoreLoss);
    this.cancelRepeat = this.options.timers.after(this.delayMs, () => this.ask());
    this.delayMs = Math.min(this.delayMs * 2, REPEAT_MAX_MS);
  }

  private address() {
    const { address, port } = this.socket.remoteAddress();
    return { host: address, port };
  }

  private makeLink(): UdpLink {
    let isClosed = false;
    return new UdpLink({
      ...this.options,
      id: this.id,
      remote: this.url,
      address: this.address(),
      post: (datagram) => {
        if (!isClosed) this.socket.send(datagram, ignoreLoss);
      },
      onGone: () => {
        isClosed = true;
        // What was said last is still in the hands of the socket.
        setImmediate(() => this.socket.close());
      },
    });
  }
}

/** A datagram that could not be sent is lost, as any other may be. */
function ignoreLoss(): void {}
