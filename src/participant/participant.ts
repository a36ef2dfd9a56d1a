import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { restore } from '../consensus/metablockchain.ts';
import type { Gossip } from '../gossip/contract.ts';
import { TcpTransport } from '../gossip/links/tcp.ts';
import { Mesh } from '../gossip/mesh.ts';
import {
  type AvatarKeys,
  deriveAvatar,
  deriveWorld,
  Ed25519Verifier,
  loadSecretFile,
  NoiseSessionFactory,
} from '../identity/index.ts';
import { loadKernel } from '../kernel/kernel.ts';
import { toHex32 } from '../model/bytes.ts';
import type { Transport } from '../ports/link.ts';
import { builtInPacts } from '../schema/built-in.ts';
import { createPactReader } from '../schema/pact-reader.ts';
import { FileLock } from '../storage/lock.ts';
import { openStore } from '../storage/open-store.ts';
import { Agent } from './agent.ts';
import type { Config } from './config.ts';
import type { Core } from './core.ts';
import { Directory, encodeHello } from './directory.ts';
import type { Home, WorldHome } from './home.ts';
import type { Logger } from './log.ts';
import { restoreDurable, restoreRegistry, restoreTips } from './restoring.ts';
import { SystemClock } from './system-clock.ts';
import type { Memory } from './turn.ts';

export interface ParticipantOptions {
  readonly home: Home;
  readonly world: WorldHome;
  readonly config: Config;
  readonly log: Logger;
  /** Which links there are; TCP unless a test brings its own. */
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
  const lock = FileLock.take(options.world.lockFile);
  try {
    return await openLocked(options, lock);
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

async function openLocked(options: ParticipantOptions, lock: FileLock): Promise<Agent> {
  const { config, log, world } = options;
  const worldSecret = loadSecretFile(world.secretFile, 'world');
  const worldKeys = deriveWorld(worldSecret);
  const avatar = deriveAvatar(loadSecretFile(options.home.keyFile, 'participant'), worldSecret);
  const kernel = loadKernel();
  const core = openCore(options, avatar, kernel);
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
      transports: options.transports ?? [new TcpTransport({ settings: config })],
      timers: core.timers,
      random: { bytes: (count) => randomBytes(count), fraction: Math.random },
      hash: core.hash,
      source: agent.source,
      handler: agent,
      log: (level, event, fields) => log[level](event, fields),
      settings: config,
    });
  const agent = new Agent({
    core,
    memory,
    directory,
    openGossip,
    name,
    kernelBuild: kernel.build,
    world,
    home: options.home.folder,
    release: () => {
      core.store.close();
      lock.release();
    },
  });
  await agent.start();
  return agent;
}

function openCore(
  options: ParticipantOptions,
  avatar: AvatarKeys,
  kernel: ReturnType<typeof loadKernel>,
): Core {
  const { config, log, world } = options;
  const hash = (message: Uint8Array) => kernel.hasher.hash(message);
  const reader = createPactReader({ hash, entryBytesMax: config.entryBytesMax });
  const verifier = new Ed25519Verifier();
  const self = toHex32(avatar.id);
  return {
    self,
    config,
    log,
    timers: new SystemClock(),
    store: openStore({ file: world.databaseFile, hash, config }),
    hash,
    packer: kernel.packer,
    signer: avatar.signer,
    verifier,
    reader,
    limits: PAYLOAD_LIMITS,
    consensus: {
      self,
      signer: avatar.signer,
      verifier,
      hash,
      conflicts: kernel.conflicts,
      settings: config,
    },
    builtIn: builtInPacts(reader),
  };
}

function restoreMemory(core: Core): Memory {
  const registry = restoreRegistry(core);
  const groups = registry.allGroups();
  const nowMs = core.timers.monotonicMs();
  return {
    registry,
    tips: restoreTips(core.store, groups),
    consensus: restore(core.consensus, restoreDurable(core.store, groups), nowMs),
  };
}
