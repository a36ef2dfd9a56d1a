import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Timers } from '../../ports/clock.ts';
import { type Link, LinkError, type Listening, type Transport } from '../../ports/link.ts';
import { abortOf } from './called-off.ts';
import { tcpErrorOf } from './tcp-error.ts';
import { TcpLink } from './tcp-link.ts';
import { parseTcpUrl, type TcpAddress, tcpUrlOf } from './tcp-url.ts';

/** Connections that a listener holds at once; the kernel closes what comes beyond. */
const CONNECTIONS_MAX = 512;

/** Connections that wait to be accepted. */
const BACKLOG = 128;

/** Links over TCP, IPv4 and IPv6: `tcp://host:port`. */
export class TcpTransport implements Transport {
  readonly kind = 'tcp';
  readonly schemes = ['tcp'];
  private readonly timers: Timers;

  constructor(options: { readonly timers: Timers }) {
    this.timers = options.timers;
  }

  dial(url: string, signal: AbortSignal): Promise<Link> {
    return new Promise((resolve, reject) => {
      const { host, port } = parseTcpUrl(url, 1);
      if (signal.aborted) throw abortOf(signal, url);
      const socket = connect({ host, port });
      const settle = () => {
        signal.removeEventListener('abort', onAbort);
        socket.off('error', onError);
        socket.off('connect', onConnect);
      };
      const onError = (cause: Error) => {
        settle();
        reject(tcpErrorOf(cause, url));
      };
      const onAbort = () => {
        settle();
        // The socket may still report its own failure; nobody waits for it any more.
        socket.on('error', () => socket.destroy());
        socket.destroy();
        reject(abortOf(signal, url));
      };
      const onConnect = () => {
        settle();
        resolve(new TcpLink(socket, url, this.timers));
      };
      signal.addEventListener('abort', onAbort);
      socket.on('error', onError);
      socket.on('connect', onConnect);
    });
  }

  async listen(url: string, onLink: (link: Link) => void): Promise<Listening> {
    const address = parseTcpUrl(url, 0);
    const server = createServer({ noDelay: true });
    server.maxConnections = CONNECTIONS_MAX;
    const port = await startListening(server, address, url);
    server.on('connection', (socket) => onLink(this.accept(socket)));
    return { url: tcpUrlOf({ host: address.host, port }), close: () => stopListening(server) };
  }

  private accept(socket: Socket): TcpLink {
    const { remoteAddress, remotePort } = socket;
    // A socket that was reset before it was accepted has no address any more.
    const remote = tcpUrlOf({ host: remoteAddress ?? 'gone', port: remotePort ?? 0 });
    return new TcpLink(socket, remote, this.timers);
  }
}

/** Why a dial was called off. */
function startListening(server: Server, address: TcpAddress, url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error) => reject(listenErrorOf(cause, url));
    server.once('error', onError);
    server.listen({ ...address, backlog: BACKLOG }, () => {
      server.off('error', onError);
      // One connection that could not be accepted is the loss of whoever dialled: it dials again.
      server.on('error', () => undefined);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port);
    });
  });
}

function listenErrorOf(cause: Error, url: string): LinkError {
  const error = tcpErrorOf(cause, url);
  if (error.code === 'LINK_IN_USE' || error.code === 'LINK_DENIED') return error;
  return new LinkError('LINK_URL', `${url} is no address of this machine`, { cause });
}

/** Ends accepting; links that were accepted stay open, and their owners close them. */
function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close();
    // `close` of the server waits for all links; the port is free once the handle is gone.
    setImmediate(resolve);
  });
}
