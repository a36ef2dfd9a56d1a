import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between who dials and who listens, and keeps all bytes that pass. */
export class Relay {
  readonly url: string;
  /** One for each connection: what the dialler sent, and what came back. */
  readonly passed: { readonly there: Buffer[]; readonly back: Buffer[] }[] = [];
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
    server.on('connection', (socket) => relay.join(socket, connect({ host, port: Number(port) })));
    return relay;
  }

  /** All bytes of all connections, in one piece for each direction of each. */
  get recorded(): Buffer[] {
    return this.passed.flatMap(({ there, back }) => [Buffer.concat(there), Buffer.concat(back)]);
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private join(dialler: Socket, listener: Socket): void {
    const passed = { there: [] as Buffer[], back: [] as Buffer[] };
    this.passed.push(passed);
    for (const [from, to, bytes] of [
      [dialler, listener, passed.there],
      [listener, dialler, passed.back],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        bytes.push(chunk);
        to.write(chunk);
      });
      from.on('end', () => to.end());
      // Whatever ended one side ends the other.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}
