import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWorld, initHome, joinWorld } from '../../src/participant/membership.ts';
import { type Comparison, compareWorlds } from '../../src/storage/world-digest.ts';
import { type AgentLaunch, AgentProcess } from './agent-process.ts';
import { buildProgram } from './program.ts';
import { until } from './waiting.ts';

export const WORLD = 'yard';

/** The Pact that these tests push: who wrote it, and which of its Entries it is. */
export const NOTE = 'note';
const NOTE_FILE = JSON.stringify({
  name: NOTE,
  description: 'What somebody wrote',
  schema: {
    type: 'object',
    properties: {
      writer: { type: 'string', maxLength: 64 },
      count: { type: 'integer' },
      text: { type: 'string', maxLength: 65_536 },
    },
    required: ['writer', 'count'],
  },
});

export interface WorldOptions {
  /** Who is in it; each dials all before it. */
  readonly names: readonly string[];
  /** The first so many own the Sync Group of notes; all if not said. */
  readonly owners?: number;
  /** Lines for `vertebra.toml` of each. */
  readonly settings?: string;
  readonly launch?: AgentLaunch;
  /** How a certain one is started, where they differ. */
  readonly launchOf?: (name: string) => AgentLaunch;
  /** Where each listens; free ports of loopback if not said. */
  readonly urls?: readonly string[];
  /** Who does not start yet. */
  readonly absent?: readonly string[];
  /** Makes, for a link that somebody listens on, the one that a certain other dials instead. */
  readonly dialBetween?: (url: string, dialler: string, listener: string) => Promise<string>;
  /** Where it makes its homes; a new folder if not said. */
  readonly folder?: string;
}

/** Participants that form a World on loopback, each with a home and, now and then, a process. */
export class World {
  readonly folder: string;
  readonly secretFile: string;
  readonly agents: readonly AgentProcess[];
  private readonly options: WorldOptions;

  private constructor(options: WorldOptions, folder: string, agents: readonly AgentProcess[]) {
    this.options = options;
    this.folder = folder;
    this.secretFile = join(folder, 'world.secret');
    this.agents = agents;
  }

  /** Makes the homes. Nothing runs yet. */
  static async make(options: WorldOptions): Promise<World> {
    buildProgram();
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'vb-e2e-'));
    const urls = options.urls ?? (await freeUrls(options.names.length));
    const agents: AgentProcess[] = [];
    for (const [index, name] of options.names.entries()) {
      const place = { name, folder: join(folder, name), world: WORLD, url: urls[index]! };
      const peers: string[] = [];
      for (const listener of agents) {
        const { url } = listener.place;
        peers.push((await options.dialBetween?.(url, name, listener.name)) ?? url);
      }
      agents.push(new AgentProcess({ ...place, peers }));
    }
    const world = new World(options, folder, agents);
    for (const agent of agents) world.makeHome(agent);
    return world;
  }

  /** Makes the homes, starts all, and deploys the notes of the owners. */
  static async start(options: WorldOptions): Promise<World> {
    const world = await World.make(options);
    try {
      const present = world.agents.filter((each) => !options.absent?.includes(each.name));
      for (const agent of present) {
        agent.start(options.launchOf?.(agent.name) ?? options.launch);
      }
      await Promise.all(present.map((agent) => agent.ready()));
      await world.deploy();
    } catch (cause) {
      await world.end();
      throw cause;
    }
    return world;
  }

  agent(name: string): AgentProcess {
    const found = this.agents.find((each) => each.name === name);
    if (found === undefined) throw new Error(`nobody is called ${name}`);
    return found;
  }

  get owners(): readonly AgentProcess[] {
    return this.agents.slice(0, this.options.owners ?? this.agents.length);
  }

  /** Deploys the Pact of notes and the group of its owners, and waits until all know it. */
  async deploy(): Promise<void> {
    const owners = this.owners.map((each) => each.name);
    await this.linked(this.agents.filter((each) => each.isUp));
    const { client } = this.agents[0]!;
    await client.addPact(NOTE_FILE);
    await client.addGroup(NOTE, owners);
    await Promise.all(this.agents.map((each) => (each.isUp ? this.knowsNotes(each) : null)));
  }

  /** Resolves when each of them is linked to each other of them. */
  async linked(agents = this.agents): Promise<void> {
    await until(
      `${agents.map((each) => each.name).join(', ')} are linked`,
      async () => {
        const statuses = await Promise.all(agents.map((each) => each.status()));
        return statuses.every((status) => {
          const linked = status?.peers.filter((peer) => peer.state === 'connected') ?? [];
          return agents.every(
            ({ name }) => name === status?.name || linked.some((peer) => peer.name === name),
          );
        });
      },
      { detail: () => agents.map((each) => each.logTail()).join('\n') },
    );
  }

  /** Resolves when all of them have the same Finalized notes, and nothing is on its way. */
  async settled(agents = this.agents, atLeast = 0, withinMs = 30_000): Promise<number> {
    let seen = '';
    return await until(
      'all stand at the same place',
      async () => {
        const standings = await Promise.all(agents.map((each) => each.standing(NOTE)));
        seen = JSON.stringify(standings);
        const last = standings[0]?.last ?? 0;
        const isSame = standings.every((each) => each?.last === last && each.isAtRest);
        return isSame && last >= atLeast ? last : null;
      },
      { withinMs, detail: () => `${seen}\n${agents.map((each) => each.logTail()).join('\n')}` },
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.agents.map((each) => each.stop()));
  }

  /** Stops all, and compares what their databases hold. */
  async compare(agents = this.agents): Promise<Comparison> {
    await this.stop();
    return compareWorlds(agents.map((each) => each.world.databaseFile));
  }

  /** Ends whatever runs, and leaves nothing behind. */
  async end(): Promise<void> {
    await Promise.all(this.agents.map((each) => each.kill()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async knowsNotes(agent: AgentProcess): Promise<void> {
    await until(
      `${agent.name} knows the notes`,
      async () => (await agent.standing(NOTE)) !== null,
      { detail: () => agent.logTail() },
    );
  }

  private makeHome(agent: AgentProcess): void {
    mkdirSync(this.folder, { recursive: true });
    initHome(agent.home, agent.name);
    const { settings } = this.options;
    if (settings !== undefined) {
      const text = `name = ${JSON.stringify(agent.name)}\n${settings}\n`;
      writeFileSync(agent.home.configFile, text);
    }
    if (agent === this.agents[0]) createWorld(agent.home, WORLD, this.secretFile);
    else joinWorld(agent.home, WORLD, this.secretFile);
  }
}

/** Links on ports of loopback that nobody listens on now. */
export async function freeUrls(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports.map((port) => `tcp://127.0.0.1:${port}`);
}

/** Notes from `from` to `to`, both included. */
export function notes(
  writer: string,
  from: number,
  to = from,
): { writer: string; count: number }[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({ writer, count: from + index }));
}
