import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Gossip } from '../gossip/contract.ts';
import { Mesh } from '../gossip/mesh.ts';
import { deriveAvatar, deriveWorld, NoiseSessionFactory } from '../identity/index.ts';
import { loadKernel } from '../kernel/kernel.ts';
import type { Transport } from '../ports/link.ts';
import type { StoreError } from '../ports/store.ts';
import { Agent } from './agent.ts';
import type { Config } from './config.ts';
import { Directory, encodeHello } from './directory.ts';
import type { Home, WorldHome } from './home.ts';
import { WorldLease } from './lease.ts';
import type { Logger } from './log.ts';
import { loadKeys } from './membership.ts';
import { openCore, restoreMemory } from './open-core.ts';
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
  let agent: Agent;
  try {
    agent = makeAgent(options, lease);
  } catch (cause) {
    lease.release();
    throw cause;
  }
  try {
    await agent.start();
    return agent;
  } catch (cause) {
    await agent.close();
    throw cause;
  }
}

function makeAgent(options: ParticipantOptions, lease: WorldLease): Agent {
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
  const openGossip = (agent: Agent): Gossip =>
    new Mesh({
      self: core.self,
      sessions: new NoiseSessionFactory({
        avatar,
        world: worldKeys,
        verifier: core.verifier,
        hello: () => encodeHello(name),
      }),
      transports:
        options.transports ??
        makeTransports({
          timers: core.timers,
          checksum: kernel.checksum,
          world: worldKeys,
          self: core.self,
          config,
          log,
        }),
      timers: core.timers,
      random: { bytes: (count) => randomBytes(count), fraction: Math.random },
      hash: core.hash,
      source: agent.source,
      handler: agent,
      log: (level, event, fields) => log[level](event, fields),
      settings: config,
    });
  return new Agent({
    core,
    memory,
    directory,
    openGossip,
    name,
    kernelBuild: kernel.build,
    world,
    home: options.home.folder,
    lease,
    onFatal: options.onFatal,
  });
}
