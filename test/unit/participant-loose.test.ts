import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { UdpTransport } from '../../src/gossip/links/udp.ts';
import { Mesh } from '../../src/gossip/mesh.ts';
import {
  deriveAvatar,
  deriveWorld,
  NoiseSessionFactory,
  Secret,
} from '../../src/identity/index.ts';
import { loadKernel } from '../../src/kernel/kernel.ts';
import { Agent } from '../../src/participant/agent.ts';
import { DEFAULT_CONFIG } from '../../src/participant/config.ts';
import { Devices } from '../../src/participant/devices.ts';
import { Directory } from '../../src/participant/directory.ts';
import type { PulledEntry } from '../../src/participant/face.ts';
import { homeAt, worldAt } from '../../src/participant/home.ts';
import { openLogger } from '../../src/participant/log.ts';
import { openCore, restoreMemory } from '../../src/participant/open-core.ts';
import { SeededRandom } from './gossip-stage.ts';
import { WORLD } from './participant-hub.ts';
import { UdpRelay } from './udp-relay.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A Participant with real sockets and sessions, whose only links are UDP. */
function openAgent(name: string, seed: number): Agent {
  const kernel = loadKernel();
  const avatar = deriveAvatar(new Secret(new Uint8Array(32).fill(seed)), WORLD);
  const log = openLogger({
    level: 'error',
    format: 'json',
    lineBytesMax: 8192,
    wallMs: Date.now,
    write: (line) => process.stderr.write(line),
  });
  const config = { ...DEFAULT_CONFIG, listen: ['udp://127.0.0.1:0'] };
  const core = openCore({ databaseFile: ':memory:', config, log, avatar, kernel });
  const { timers, verifier } = core;
  const home = homeAt('/nowhere');
  const agent = new Agent({
    core,
    memory: restoreMemory(core),
    directory: new Directory({ id: core.self, name, seenAtMs: 0 }, core.store.avatars(), 100),
    openGossip: (opened) =>
      new Mesh({
        self: core.self,
        sessions: new NoiseSessionFactory({ avatar, world: deriveWorld(WORLD), verifier }),
        transports: [new UdpTransport({ timers, bytesPerSecondMax: 4 * 1024 * 1024 })],
        timers,
        random: new SeededRandom(seed),
        hash: core.hash,
        source: opened.source,
        handler: opened,
        log: () => undefined,
        settings: config,
      }),
    name,
    kernelBuild: 'simd',
    world: worldAt(home, 'test'),
    home: home.folder,
    devices: Devices.none(core),
    lease: { note: () => undefined, release: () => undefined },
    onFatal: (cause) => {
      throw cause;
    },
  });
  closing.unshift(() => agent.close());
  return agent;
}

async function finals(agent: Agent, count: number): Promise<PulledEntry[]> {
  const entries: PulledEntry[] = [];
  for await (const entry of agent.channel('door').follow(1, AbortSignal.timeout(120_000))) {
    entries.push(entry);
    if (entries.length === count) break;
  }
  return entries;
}

describe('owners linked by UDP only, of whose datagrams 30 % are lost', () => {
  it('agree on one order of all that they push', { timeout: 180_000 }, async () => {
    const agents = ['a', 'b', 'c'].map((name, n) => openAgent(name, n + 1));
    const relays: UdpRelay[] = [];
    for (const [n, agent] of agents.entries()) {
      await agent.start();
      for (const relay of relays) await agent.addPeer(relay.url);
      const url = agent.status().listening[0]!;
      const relay = await UdpRelay.open(Number(new URL(url).port), 0.3, new SeededRandom(n + 1));
      closing.push(() => relay.close());
      relays.push(relay);
    }
    const [a] = agents as [Agent, Agent, Agent];
    await a.addPact(DOOR);
    await a.addGroup(
      'door',
      agents.map(({ avatar }) => avatar),
    );
    const hasGroup = (agent: Agent) => agent.groups().some(({ pact }) => pact === 'door');
    await expect.poll(() => agents.every(hasGroup), { timeout: 120_000 }).toBe(true);
    for (let turn = 0; turn < 4; turn++) {
      for (const [n, agent] of agents.entries()) {
        await agent.channel('door').push([{ door: `${n} ${turn}`, open: true }]);
      }
    }
    const [first, ...others] = await Promise.all(agents.map((agent) => finals(agent, 12)));
    expect(new Set(first?.map(({ entry }) => entry?.['door'])).size).toBe(12);
    for (const other of others) expect(other).toEqual(first);
    expect(Math.min(...relays.map(({ lost }) => lost).slice(0, 2))).toBeGreaterThan(0);
  });
});
