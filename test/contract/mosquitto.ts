import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { need } from '../../.ci/debian.mjs';

const ATTEMPTS_MAX = 10;

/** A real broker on a port of loopback that was free, with nothing kept on disk. */
export class Mosquitto {
  readonly port: number;
  private readonly child: ChildProcess;
  private readonly folder: string;

  private constructor(port: number, child: ChildProcess, folder: string) {
    this.port = port;
    this.child = child;
    this.folder = folder;
  }

  /** @param lines Of its configuration, which else lets everybody in without TLS. */
  static async start(lines: readonly string[] = ['allow_anonymous true']): Promise<Mosquitto> {
    const { mosquitto } = await need(['mosquitto']);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const started = await launch(mosquitto, lines);
      if (started instanceof Mosquitto) return started;
    }
    throw new Error(`mosquitto does not start with ${lines.join('; ')}`);

    async function launch(program: string, more: readonly string[]): Promise<Mosquitto | null> {
      const port = await freePort();
      const folder = mkdtempSync(join(tmpdir(), 'vb-mosquitto-'));
      const file = join(folder, 'mosquitto.conf');
      // Where root starts it, it would else become a user who can read nothing of ours.
      const own = ['user root', 'persistence false', 'log_type error'];
      const all = [`listener ${port} 127.0.0.1`, 'log_dest stderr', ...own, ...more, ''];
      writeFileSync(file, all.join('\n'));
      const child = spawn(program, ['-c', file], { stdio: 'ignore' });
      const broker = new Mosquitto(port, child, folder);
      if (await answers(port, child)) return broker;
      await broker.kill();
      return null;
    }
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** As a power cut does. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exit;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Resolves when it takes connections, or has ended instead. */
async function answers(port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((done) => {
      socket.once('connect', () => done(true));
      socket.once('error', () => done(false));
    });
    socket.destroy();
    if (isOpen) return child.exitCode === null;
    await pause(10);
  }
  return false;
}
