import type { Gossip, MeshStatus, Missing } from '../../src/gossip/contract.ts';
import type { GossipItem } from '../../src/gossip/item.ts';
import { deriveAvatar, Secret } from '../../src/identity/index.ts';
import { loadKernel } from '../../src/kernel/kernel.ts';
import type { AvatarId } from '../../src/model/sync-group.ts';
import { Agent } from '../../src/participant/agent.ts';
import { type Config, DEFAULT_CONFIG } from '../../src/participant/config.ts';
import { Devices } from '../../src/participant/devices.ts';
import { Directory } from '../../src/participant/directory.ts';
import { homeAt, worldAt } from '../../src/participant/home.ts';
import { openLogger } from '../../src/participant/log.ts';
import { openCore, restoreMemory } from '../../src/participant/open-core.ts';
import type { Sandbox } from '../../src/ports/sandbox.ts';

export const WORLD = new Secret(new Uint8Array(32).fill(7));

const NO_LINKS: MeshStatus = {
  listening: [],
  dialling: [],
  peers: [],
  totalsByKind: {},
  totals: { framesSent: 0, framesReceived: 0, bytesSent: 0, bytesReceived: 0 },
  strangers: 0,
  refusedHandshakes: 0,
  bannedPeers: 0,
  wantedIds: 0,
  openRanges: 0,
};

/** Participants in one process that hear each other at once: no links, no sessions. */
export class Hub {
  readonly agents: Agent[] = [];
  /** Avatars whose items reach nobody, and who hear nothing. */
  readonly cut = new Set<string>();
  /** Everything that was sent, in order. */
  readonly sent: GossipItem[] = [];
  readonly log: string[] = [];
  /** What was asked of peers. */
  readonly wanted: Missing[] = [];
  /** Does who asks for a Block by its id get it from whoever has it? */
  isServing = false;
  /** What reaches this Participant, besides what `cut` says. */
  passes: (item: GossipItem, to: Agent) => boolean = () => true;
  /** What runs Behaviors at a Participant, and what hangs on it. */
  sandboxOf: (name: string) => Sandbox | null = () => null;
  devicesOf: (name: string) => Devices | null = () => null;
  /** What to do when a database is beyond use. */
  onFatal: (cause: Error) => unknown = (cause) => {
    throw cause;
  };

  open(name: string, seed: number, config: Partial<Config> = {}, file = ':memory:'): Agent {
    const kernel = loadKernel();
    const avatar = deriveAvatar(new Secret(new Uint8Array(32).fill(seed)), WORLD);
    const log = openLogger({
      level: 'info',
      format: 'json',
      lineBytesMax: 8192,
      wallMs: Date.now,
      write: (line) => this.log.push(`${name} ${line}`),
    });
    const settings = { ...DEFAULT_CONFIG, listen: [], ...config };
    const core = openCore({ databaseFile: file, config: settings, log, avatar, kernel });
    const self = { id: core.self, name, seenAtMs: 0 };
    const home = homeAt('/nowhere');
    const agent = new Agent({
      core,
      memory: restoreMemory(core),
      directory: new Directory(self, core.store.avatars(), 100),
      openGossip: (opened) => this.gossipOf(opened),
      name,
      kernelBuild: 'simd',
      world: worldAt(home, 'test'),
      home: home.folder,
      devices: this.devicesOf(name) ?? Devices.none(core),
      sandbox: this.sandboxOf(name),
      lease: { note: () => undefined, release: () => undefined },
      onFatal: (cause) => this.onFatal(cause),
    });
    this.agents.push(agent);
    return agent;
  }

  private gossipOf(agent: Agent): Gossip {
    const deliver = (item: GossipItem) => {
      this.sent.push(item);
      if (this.cut.has(agent.avatar)) return;
      for (const other of this.agents) {
        if (other === agent || this.cut.has(other.avatar)) continue;
        if (!this.passes(item, other)) continue;
        other.onItems([{ item, from: agent.avatar, answer: false }]);
      }
    };
    return {
      listen: async (url) => url,
      dial: () => undefined,
      forget: () => undefined,
      broadcast: deliver,
      accepted: () => undefined,
      holders: () => [],
      misbehaved: (peer, reason) => this.log.push(`misbehaved ${peer} ${reason}`),
      want: (missing) => {
        this.wanted.push(missing);
        if (this.isServing) this.serve(agent, missing);
      },
      changed: () => undefined,
      pause: () => undefined,
      resume: () => undefined,
      roundTripMs: () => null,
      status: () => NO_LINKS,
      close: async () => undefined,
    };
  }

  private serve(agent: Agent, missing: Missing): void {
    for (const id of missing.blocks) {
      for (const { source, avatar } of this.agents) {
        const block = source.block(id);
        if (block === null || avatar === agent.avatar) continue;
        const item: GossipItem = { kind: 'block', block, payload: source.payload(id) };
        if (!this.passes(item, agent)) break;
        agent.onItems([{ item, from: avatar as AvatarId, answer: true }]);
        break;
      }
    }
  }
}
