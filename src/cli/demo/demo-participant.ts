import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AgentClient, connectAgent } from '../../api/agent-client.ts';
import type { StatusReport } from '../../participant/face.ts';
import { type Home, homeAt, type WorldHome, worldAt } from '../../participant/home.ts';
import { initHome } from '../../participant/membership.ts';

/** The program that each Participant runs. */
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const READY_MS = 30_000;
const POLL_MS = 50;
const STOP_MS = 15_000;

export interface DemoPlace {
  readonly name: string;
  readonly folder: string;
  readonly world: string;
  /** Where it accepts links, or joins a broker. */
  readonly listen: readonly string[];
  /** Links of the others, to dial; a cable's own end. */
  readonly peers: readonly string[];
  readonly sensorsMs: number;
  /** Another program than this one; for tests, which run from the sources. */
  readonly program?: string;
}

/** One of the demo's Participants: a process of its own, with a home of its own. */
export class DemoParticipant {
  readonly place: DemoPlace;
  readonly home: Home;
  readonly world: WorldHome;
  private child: ChildProcess | null = null;

  constructor(place: DemoPlace) {
    this.place = place;
    this.home = homeAt(join(place.folder, place.name));
    this.world = worldAt(this.home, place.world);
  }

  get isUp(): boolean {
    return this.child !== null;
  }

  /** Of the running process. */
  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  get client(): AgentClient {
    return connectAgent(this.world);
  }

  makeHome(): void {
    initHome(this.home, this.place.name);
  }

  /** Starts the process. Its log goes to a file in its home. */
  start(): void {
    const { listen, peers, sensorsMs } = this.place;
    const log = openSync(join(this.home.folder, 'agent.log'), 'a', 0o600);
    const options = [
      ...listen.flatMap((url) => ['--listen', url]),
      ...peers.flatMap((peer) => ['--peer', peer]),
    ];
    const child = spawn(
      process.execPath,
      [
        this.place.program ?? MAIN,
        'run',
        '--home',
        this.home.folder,
        ...options,
        '--sensors',
        String(sensorsMs),
      ],
      {
        // The channel carries nothing: when this process ends, however it ends, so do they.
        stdio: ['ignore', 'ignore', log, 'ipc'],
        detached: true,
        env: { ...process.env, VERTEBRA_LOG_FORMAT: 'json' },
      },
    );
    closeSync(log);
    this.child = child;
    child.once('exit', () => {
      if (this.child === child) this.child = null;
    });
  }

  /** Resolves when it answers. @throws Error when it ended, or took too long. */
  async ready(): Promise<void> {
    const tries = READY_MS / POLL_MS;
    for (let count = 0; count < tries; count++) {
      if (this.child === null) throw new Error(`${this.place.name} ended; see ${this.logFile}`);
      if ((await this.status()) !== null) return;
      await sleep(POLL_MS);
    }
    throw new Error(`${this.place.name} did not get ready; see ${this.logFile}`);
  }

  /** What it says of itself; null while it does not answer. */
  async status(): Promise<StatusReport | null> {
    if (this.child === null) return null;
    try {
      return await this.client.status();
    } catch {
      return null; // Starting or just killed: the next look will tell.
    }
  }

  /** As a power cut does: no farewell. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  private get logFile(): string {
    return join(this.home.folder, 'agent.log');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === null || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exit;
    clearTimeout(late);
    this.child = null;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
