import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { WorkerSandbox } from '../behavior/worker-sandbox.ts';
import type { Gossip } from '../gossip/contract.ts';
import { MdnsDiscovery } from '../gossip/mdns-discovery.ts';
import { Mesh } from '../gossip/mesh.ts';
import { deriveAvatar, deriveWorld, NoiseSessionFactory } from '../identity/index.ts';
import { loadKernel } from '../kernel/kernel.ts';
import { toHex } from '../model/bytes.ts';
import type { Transport } from '../ports/link.ts';
import type { StoreError } from '../ports/store.ts';
import { Agent } from './agent.ts';
import type { Config } from './config.ts';
import type { Core } from './core.ts';
import { Directory, encodeHello } from './directory.ts';
import { Finding } from './finding.ts';
import type { Home, WorldHome } from './home.ts';
import { WorldLease } from './lease.ts';
import type { Logger } from './log.ts';
import { loadKeys } from './membership.ts';
import { openCore, restoreMemory } from './open-core.ts';
import { type Outfit, openOutfit } from './outfit.ts';
import { makeTransports } from './transports.ts';

export interface ParticipantOptions {
  readonly home: Home;
  readonly world: WorldHome;
  readonly config: Config;
  readonly log: Logger;
  /** The database is beyond use: close the Participant and say why. */
  readonly onFatal: (cause: StoreError) => void;
  /** Which links there are; `makeTransports` unless a test brings its own. */
  readonly transports?: readonly Transport[];
}

/**
 * Starts a Participant in one World: takes the home's lock, reads back what is durable, links up.
 *
 * @throws StoreError when the database is held by another process, foreign, newer or corrupt.
 * @throws IdentityError when a key is missing or others can read it.
 * @throws LinkError when an address to listen on is taken.
 */
export async function openParticipant(options: ParticipantOptions): Promise<Agent> {
  const lease = WorldLease.take(options.world);
  const outlook = new Outlook(options);
  let agent: Agent;
  let outfit: Outfit | null = null;
  try {
    // Before anybody hears that the agent is there, its outputs are safe.
    outfit = await openOutfit(options);
    agent = makeAgent(options, { lease, outlook, outfit });
  } catch (cause) {
    await outfit?.devices.close();
    lease.release();
    throw cause;
  }
  try {
    await agent.start();
    await outlook.start(agent.status().listening);
    outfit.watch(agent);
    return agent;
  } catch (cause) {
    await agent.close();
    throw cause;
  }
}

function makeAgent(
  options: ParticipantOptions,
  { lease, outlook, outfit }: { lease: WorldLease; outlook: Outlook; outfit: Outfit },
): Agent {
  const { config, log, world } = options;
  const keys = loadKeys(options.home, world);
  const avatar = deriveAvatar(keys.seed, keys.world);
  const kernel = loadKernel();
  const worldKeys = deriveWorld(keys.world);
  const core = openCore({ databaseFile: world.databaseFile, config, log, avatar, kernel });
  const name = config.name === '' ? hostname() : config.name;
  const self = { id: core.self, name, seenAtMs: core.timers.wallMs() };
  const directory = new Directory(self, core.store.avatars(), config.avatarsMax);
  const memory = restoreMemory(core);
  const { timers, self: own } = core;
  const around = { timers, checksum: kernel.checksum, world: worldKeys, self: own };
  const openGossip = (agent: Agent): Gossip => {
    const mesh = new Mesh({
      self: core.self,
      sessions: new NoiseSessionFactory({
        avatar,
        world: worldKeys,
        verifier: core.verifier,
        hello: () => encodeHello(name),
      }),
      transports: options.transports ?? makeTransports({ ...around, config, log }),
      timers: core.timers,
      random: { bytes: (count) => randomBytes(count), fraction: Math.random },
      hash: core.hash,
      source: agent.source,
      handler: agent,
      log: (level, event, fields) => log[level](event, fields),
      settings: config,
    });
    outlook.see(mesh, core, toHex(worldKeys.tag));
    return mesh;
  };
  return new Agent({
    core,
    memory,
    directory,
    openGossip,
    name,
    kernelBuild: kernel.build,
    world,
    home: options.home.folder,
    lease: {
      note: (path) => lease.note(path),
      release: () => {
        outlook.stop();
        outfit.stop();
        lease.release();
      },
    },
    devices: outfit.devices,
    sandbox: makeSandbox(config),
    onFatal: options.onFatal,
  });
}

function makeSandbox(config: Config): WorkerSandbox {
  const { sandboxWorkersMax: workers, behaviorsMax: loadedMax } = config;
  return new WorkerSandbox({ workers, loadedMax });
}

/** Finds others on the local network, where the operator wants that. */
class Outlook {
  private readonly options: ParticipantOptions;
  private finding: Finding | null = null;

  constructor(options: ParticipantOptions) {
    this.options = options;
  }

  see(gossip: Gossip, { timers, store }: Pick<Core, 'timers' | 'store'>, tag: string): void {
    const { config, log } = this.options;
    if (config.discover !== 'lan') return;
    this.finding = new Finding({
      discovery: new MdnsDiscovery({ timers }),
      timers,
      random: { fraction: Math.random },
      tag,
      gossip,
      known: [...config.peers, ...store.peerUrls()],
      onTrouble: ({ message }) => log.warn('discovery-failed', { reason: message }),
    });
  }

  async start(listening: readonly string[]): Promise<void> {
    try {
      await this.finding?.start(listening);
    } catch (cause) {
      // The package may be missing: it is optional, and so is what it finds.
      this.options.log.warn('discovery-failed', { reason: String(cause) });
    }
  }

  stop(): void {
    this.finding?.stop();
  }
}
