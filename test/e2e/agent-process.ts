import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentClient, connectAgent } from '../../src/api/agent-client.ts';
import { UnreachableError } from '../../src/api/client.ts';
import type { PushState } from '../../src/api/entries.ts';
import type { PulledEntry, StatusReport } from '../../src/participant/face.ts';
import { type Home, homeAt, type WorldHome, worldAt } from '../../src/participant/home.ts';
import { cleanEnvironment, PROGRAM } from './program.ts';
import { until } from './waiting.ts';

export interface AgentPlace {
  readonly name: string;
  /** The home's folder. */
  readonly folder: string;
  readonly world: string;
  /** Where it accepts links. */
  readonly url: string;
  /** Links that it dials. */
  readonly peers: readonly string[];
}

export interface AgentLaunch {
  /** A program and its arguments that start the agent, whose command line follows. */
  readonly through?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** More arguments of `run`. */
  readonly args?: readonly string[];
}

export type LogLine = Readonly<Record<string, unknown>> & {
  readonly level: string;
  readonly message: string;
};

/** One Participant: a home, and the process that runs it now and then. */
export class AgentProcess {
  readonly place: AgentPlace;
  readonly home: Home;
  readonly world: WorldHome;
  /** How the last process ended; null while it runs. */
  ended: { readonly exit: number | null; readonly signal: NodeJS.Signals | null } | null = null;
  private child: ChildProcess | null = null;

  constructor(place: AgentPlace) {
    this.place = place;
    this.home = homeAt(place.folder);
    this.world = worldAt(this.home, place.world);
  }

  get name(): string {
    return this.place.name;
  }

  get isUp(): boolean {
    return this.child !== null;
  }

  /** Of the process that was started: where it is started through another program, that one's. */
  get pid(): number {
    const pid = this.child?.pid;
    if (pid === undefined) throw new Error(`${this.name} does not run`);
    return pid;
  }

  get client(): AgentClient {
    return connectAgent(this.world);
  }

  get commandLine(): string[] {
    const { url, peers } = this.place;
    const links = ['--listen', url, ...peers.flatMap((peer) => ['--peer', peer])];
    const { folder } = this.home;
    return [process.execPath, PROGRAM, 'run', '--home', folder, '--world', this.world.name].concat(
      links,
    );
  }

  /** Starts the process; its log goes to a file in its home. */
  start(launch: AgentLaunch = {}): void {
    if (this.child !== null) throw new Error(`${this.name} runs already`);
    const { through = [], args = [] } = launch;
    const [command, ...rest] = [...through, ...this.commandLine, ...args];
    const log = openSync(this.logFile, 'a', 0o600);
    const environment = { VERTEBRA_LOG_FORMAT: 'json', ...launch.environment };
    const child = spawn(command!, rest, {
      // The channel carries nothing: when the test ends, however it ends, so does the agent.
      stdio: ['ignore', log, log, 'ipc'],
      env: cleanEnvironment(environment),
    });
    closeSync(log);
    this.child = child;
    this.ended = null;
    child.once('exit', (exit, signal) => {
      this.ended = { exit, signal };
      if (this.child === child) this.child = null;
    });
  }

  /** Resolves when it answers. @throws Error when it ended instead. */
  async ready(): Promise<StatusReport> {
    return await until(
      `${this.name} is ready`,
      async () => {
        if (this.child === null) throw new Error(`${this.name} ended:\n${this.logTail()}`);
        return await this.status();
      },
      { detail: () => this.logTail() },
    );
  }

  async run(launch: AgentLaunch = {}): Promise<StatusReport> {
    this.start(launch);
    return await this.ready();
  }

  /** What it says of itself; null while nobody answers. */
  async status(): Promise<StatusReport | null> {
    try {
      return await this.client.status();
    } catch (cause) {
      if (cause instanceof UnreachableError) return null;
      throw cause;
    }
  }

  /** As a power cut does: no farewell. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** As a service manager does. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Resolves when the process has ended. */
  async exited(): Promise<{ exit: number | null; signal: NodeJS.Signals | null }> {
    if (this.child !== null) await once(this.child, 'exit');
    return this.ended!;
  }

  async push(
    pact: string,
    entries: readonly Readonly<Record<string, unknown>>[],
    wait: PushState = 'final',
    signal: AbortSignal = new AbortController().signal,
  ): Promise<void> {
    const body = { type: 'application/json', content: JSON.stringify(entries) } as const;
    await this.client.push(pact, body, { wait, timeoutMs: 30_000, signal });
  }

  /** Finalized Entries as they are now. */
  async pull(pact: string, from = 1): Promise<PulledEntry[]> {
    const entries: PulledEntry[] = [];
    const range = { from, count: null, follow: false };
    for await (const entry of this.client.pull(pact, range, new AbortController().signal)) {
      entries.push(entry);
    }
    return entries;
  }

  /** Place of the last Finalized Entry of the Pact's group, and whether nothing is on its way. */
  async standing(pact: string): Promise<{ last: number; isAtRest: boolean } | null> {
    const status = await this.status();
    const group = status?.groups.find((each) => each.pact === pact);
    if (group === undefined) return null;
    const isAtRest = group.pendingBlocks === 0 && group.bufferedEntries === 0;
    return { last: group.lastSequence, isAtRest };
  }

  get logFile(): string {
    return join(this.home.folder, 'agent.log');
  }

  get logText(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  /** Lines of the log; what is no JSON is left out. */
  log(message?: string): LogLine[] {
    return this.logText
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine)
      .filter((line) => message === undefined || line.message === message);
  }

  logTail(): string {
    return this.logText.split('\n').slice(-12).join('\n');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
}
