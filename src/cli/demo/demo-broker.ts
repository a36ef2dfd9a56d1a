import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { DemoWire } from './demo-wires.ts';

/** A broker inside this process: on a free port of loopback, in memory, with no password. */
export class DemoBroker implements DemoWire {
  readonly url: string;
  private readonly port: number;
  private running: Running | null;

  private constructor(port: number, running: Running) {
    this.url = `mqtt://127.0.0.1:${port}`;
    this.port = port;
    this.running = running;
  }

  /** Starts aedes. @returns null where this optional package is not installed. */
  static async open(): Promise<DemoBroker | null> {
    const running = await start(0);
    return running === null ? null : new DemoBroker(running.port, running);
  }

  get isWhole(): boolean {
    return this.running !== null;
  }

  /** As a broker that is killed: all that it held is lost. */
  async cut(): Promise<void> {
    const { running } = this;
    this.running = null;
    if (running === null) return;
    const closed = once(running.server, 'close');
    running.server.close();
    for (const socket of running.sockets) socket.destroy();
    await closed;
    await new Promise<void>((resolve) => running.end(resolve));
  }

  async heal(): Promise<void> {
    this.running ??= await start(this.port);
  }

  async close(): Promise<void> {
    await this.cut();
  }
}

interface Running {
  readonly port: number;
  readonly server: Server;
  readonly sockets: Set<Socket>;
  readonly end: (done: () => void) => void;
}

async function start(port: number): Promise<Running | null> {
  const aedes = await makeAedes();
  if (aedes === null) return null;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Aedes hears of it too; without a listener here it would end the demo.
    socket.on('error', () => socket.destroy());
    aedes.handle(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  return { port: taken, server, sockets, end: (done) => aedes.close(done) };
}

async function makeAedes() {
  try {
    const { Aedes } = await import('aedes');
    return await Aedes.createBroker();
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause;
    if (isMissing && cause.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw cause;
  }
}
