import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { sleep } from './demo-participant.ts';

/** One of the demo's wires: it can be pulled out, and put back. */
export interface DemoWire {
  readonly isWhole: boolean;
  cut(): Promise<void>;
  heal(): Promise<void>;
}

/** A cable between two TCP ends on loopback: what one dials, and the other listens on. */
export class DemoPatch implements DemoWire {
  readonly url: string;
  private readonly server: Server;
  private readonly target: number;
  private readonly sockets = new Set<Socket>();
  isWhole = true;

  private constructor(server: Server, port: number, target: number) {
    this.server = server;
    this.url = `tcp://127.0.0.1:${port}`;
    this.target = target;
    server.on('connection', (socket) => this.join(socket));
  }

  /** @param target Port of loopback that the other end listens on. */
  static async open(target: number): Promise<DemoPatch> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return new DemoPatch(server, port, target);
  }

  async cut(): Promise<void> {
    this.isWhole = false;
    for (const socket of this.sockets) socket.destroy();
  }

  async heal(): Promise<void> {
    this.isWhole = true;
  }

  async close(): Promise<void> {
    this.server.close();
    await this.cut();
  }

  private join(near: Socket): void {
    if (!this.isWhole) {
      near.destroy();
      return;
    }
    const far = connect({ host: '127.0.0.1', port: this.target });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.pipe(to);
      // Whatever ended one side ends the other, and the agents see it.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}

/** Ends socat when the pipe to this process ends, so however this process ends. */
const CABLE = '"$@" & cable=$!; cat >/dev/null; kill $cable; wait $cable';

const CABLE_POLLS = 500;
const CABLE_POLL_MS = 20;

/** A serial cable of two pseudo-terminals, which socat makes where this machine has it. */
export class DemoCable implements DemoWire {
  /** Devices of the two ends. They vanish when the cable is cut, as an adapter's do. */
  readonly ends: readonly [string, string];
  private readonly program: string;
  private readonly folder: string;
  private socat: ChildProcess | null = null;

  private constructor(program: string) {
    this.program = program;
    // A path of its own: neither a link's URL nor socat takes any character.
    const folder = mkdtempSync(join(tmpdir(), 'vertebra-cable-'));
    this.folder = folder;
    this.ends = [join(folder, 'cable-a'), join(folder, 'cable-b')];
  }

  /** @returns null where socat is missing. */
  static async open(): Promise<DemoCable | null> {
    const program = findSocat();
    if (program === null) return null;
    const cable = new DemoCable(program);
    await cable.heal();
    if (cable.isWhole) return cable;
    await cable.close();
    return null;
  }

  get isWhole(): boolean {
    return this.socat !== null;
  }

  async cut(): Promise<void> {
    const { socat } = this;
    this.socat = null;
    if (socat === null || socat.exitCode !== null) return;
    const exit = once(socat, 'exit');
    socat.stdin?.end();
    await exit;
  }

  async heal(): Promise<void> {
    if (this.socat !== null) return;
    const ends = this.ends.map((end) => `pty,raw,echo=0,link=${end}`);
    const socat = spawn('sh', ['-c', CABLE, 'sh', this.program, ...ends], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // Not Ctrl-C's to end: what is on its way is still to cross.
      detached: true,
    });
    this.socat = socat;
    const lose = () => {
      if (this.socat === socat) this.socat = null;
    };
    socat.once('error', lose);
    socat.once('exit', lose);
    for (let poll = 0; poll < CABLE_POLLS && this.isWhole; poll++) {
      if (this.ends.every((end) => existsSync(end))) return;
      await sleep(CABLE_POLL_MS);
    }
    await this.cut();
  }

  async close(): Promise<void> {
    await this.cut();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function findSocat(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'socat')).find((path) => existsSync(path)) ?? null;
}
