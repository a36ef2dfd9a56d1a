import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between who dials and who listens, and keeps all bytes that pass. */
export class Relay {
  readonly url: string;
  /** One for each connection: what the dialler sent, and what came back. */
  readonly passed: { readonly there: Buffer[]; readonly back: Buffer[] }[] = [];
  /** `cut` ends and refuses connections; `silent` keeps them and lets nothing pass. */
  private state: 'open' | 'cut' | 'silent' = 'open';
  /** How long whatever is said takes to the other end. */
  delayMs = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server, url: string) {
    this.server = server;
    this.url = url;
  }

  static async open(targetUrl: string): Promise<Relay> {
    const { hostname: host, port } = new URL(targetUrl);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const ownPort = typeof address === 'object' && address !== null ? address.port : 0;
    const relay = new Relay(server, `tcp://127.0.0.1:${ownPort}`);
    server.on('connection', (socket) => {
      if (relay.state === 'cut') socket.destroy();
      else relay.join(socket, connect({ host, port: Number(port) }));
    });
    return relay;
  }

  /** All bytes of all connections, in one piece for each direction of each. */
  get recorded(): Buffer[] {
    return this.passed.flatMap(({ there, back }) => [Buffer.concat(there), Buffer.concat(back)]);
  }

  /** As a switch that loses its power: who dials is refused, and who is linked is cut off. */
  cut(): void {
    this.state = 'cut';
    for (const socket of this.sockets) socket.destroy();
  }

  /** As a cable that is pulled: nobody hears anything, not even that. */
  silence(): void {
    this.state = 'silent';
    for (const socket of this.sockets) socket.pause();
  }

  heal(): void {
    this.state = 'open';
    for (const socket of this.sockets) socket.resume();
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  /** Timers of one length run in the order they were set. */
  private later(act: () => void): void {
    if (this.delayMs === 0) act();
    else setTimeout(act, this.delayMs);
  }

  private join(dialler: Socket, listener: Socket): void {
    const passed = { there: [] as Buffer[], back: [] as Buffer[] };
    this.passed.push(passed);
    for (const [from, to, bytes] of [
      [dialler, listener, passed.there],
      [listener, dialler, passed.back],
    ] as const) {
      this.sockets.add(from);
      if (this.state === 'silent') from.pause();
      from.on('data', (chunk: Buffer) => {
        bytes.push(chunk);
        this.later(() => to.write(chunk));
      });
      from.on('end', () => this.later(() => to.end()));
      // Whatever ended one side ends the other.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}
