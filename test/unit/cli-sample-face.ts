import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { toHex32 } from '../../src/model/bytes.ts';
import type { Pact } from '../../src/model/pact.ts';
import { makeSyncGroup, type SyncGroup } from '../../src/model/sync-group.ts';
import {
  type Channel,
  type DagReport,
  type GroupChange,
  type GroupReport,
  type PactReport,
  type ParticipantFace,
  type PeerReport,
  type PulledEntry,
  type PushOptions,
  RequestError,
  type StatusReport,
  type TraceReport,
} from '../../src/participant/face.ts';
import type {
  ForkReport,
  LogBlockReport,
  LogFace,
  LogReport,
} from '../../src/participant/log-face.ts';
import type {
  BehaviorFile,
  BehaviorReport,
  SagaFace,
  SagaReplay,
  SagaReport,
  SagasStatus,
  SagaTrace,
} from '../../src/participant/saga-face.ts';
import type { DeviceStatus } from '../../src/ports/devices.ts';

const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const idOf = (text: string) => toHex32(hash(Buffer.from(text)));
const SELF = idOf('self');

type Entry = Readonly<Record<string, unknown>>;

/** Holds at most `room` Entries until `drain`; what is drained is final. */
export class SampleChannel implements Channel {
  readonly group: SyncGroup;
  readonly pact: Pact;
  readonly final: Entry[] = [];
  readonly waiting: Entry[] = [];
  room = Number.POSITIVE_INFINITY;
  isDrainedAtOnce = true;
  readonly news = new EventEmitter();

  constructor(name: string) {
    this.pact = {
      id: idOf(name),
      name,
      description: '',
      fields: [{ name: 'load', type: 'number', optional: false }],
      key: [],
      extends: null,
      quorumPolicy: 'two-thirds',
      availability: 'entries',
      retention: null,
      priority: 'normal',
      definition: '{}',
    };
    const rules = {
      pact: this.pact.id,
      quorumPolicy: 'two-thirds',
      availability: 'entries',
    } as const;
    this.group = makeSyncGroup(hash, rules, [SELF]);
    this.news.setMaxListeners(0);
  }

  drain(): void {
    this.final.push(...this.waiting.splice(0));
    this.news.emit('change');
  }

  tryPush(entry: Entry): boolean {
    if (typeof entry['load'] !== 'number') {
      throw new RequestError('entry-invalid', 'load must be a number', { where: 'load' });
    }
    if (this.waiting.length >= this.room) return false;
    this.waiting.push(entry);
    if (this.isDrainedAtOnce) this.drain();
    return true;
  }

  async push(entries: readonly Entry[], options: PushOptions = {}): Promise<void> {
    for (const entry of entries) {
      if (typeof entry['load'] !== 'number') this.tryPush(entry);
    }
    for (const entry of entries) {
      while (!this.tryPush(entry)) {
        if (options.whenFull === 'refuse') throw new RequestError('buffer-full', 'it is full');
        await once(this.news, 'change', options.signal ? { signal: options.signal } : {});
      }
    }
  }

  async flushed(): Promise<void> {
    while (this.waiting.length > 0) await once(this.news, 'change');
  }

  async finalized(): Promise<void> {
    await this.flushed();
  }

  pull(from: number, limit: number): PulledEntry[] {
    return this.final.slice(from - 1, from - 1 + limit).map((entry, index) => ({
      sequence: from + index,
      entry: { ...entry },
      block: idOf('block'),
      index: 0,
      issuer: SELF,
      atMs: 0,
    }));
  }

  async *follow(from: number, signal: AbortSignal): AsyncIterable<PulledEntry> {
    for (let next = from; !signal.aborted; ) {
      const [entry] = this.pull(next, 1);
      if (entry !== undefined) {
        yield entry;
        next++;
        continue;
      }
      try {
        await once(this.news, 'change', { signal });
      } catch {
        return; // The signal: nobody follows any more.
      }
    }
  }
}

const NO_SAGAS = () => new RequestError('saga-unknown', 'There is no invocation.');

/** Behaviors and Sagas that were handed in. */
class SampleSagas implements SagaFace {
  readonly added: BehaviorFile[] = [];
  readonly deployed: SagaReport[] = [];
  traced: SagaTrace | null = null;
  stands: SagasStatus = {
    ...{ known: 0, open: 0, started: 0, completed: 0, compensated: 0, refused: 0 },
    awaiting: [],
  };

  behaviors(): BehaviorReport[] {
    return this.added.map(({ fileName: name, kind }) => {
      const none = { consumes: [], accesses: [], produces: [], devices: [], requires: [] };
      return { id: 'b'.repeat(64), name, kind, ...none, undoes: false, idempotent: false };
    });
  }

  async addBehavior(file: BehaviorFile): Promise<BehaviorReport> {
    this.added.push(file);
    return this.behaviors().at(-1)!;
  }

  list(): SagaReport[] {
    return this.deployed;
  }

  status(): SagasStatus {
    return this.stands;
  }

  async deploy(file: unknown, owners: readonly string[]): Promise<SagaReport> {
    const { name } = file as { name: string };
    const ids = { id: 'd'.repeat(64), stateGroup: 'e'.repeat(64) };
    const rest = { initiating: owners.join(), scope: 'saga', stages: [], invocations: [] };
    this.deployed.push({ ...ids, name, ...rest });
    return this.deployed.at(-1)!;
  }

  trace(id: string): SagaTrace {
    if (this.traced?.id.startsWith(id)) return this.traced;
    throw NO_SAGAS();
  }

  async replay(id: string): Promise<SagaReplay> {
    this.trace(id);
    return { same: false, steps: [{ step: 0, differs: 'other Entries' }] };
  }
}

/** A Participant of one process, without disk, network or agreement. */
export class SampleFace implements ParticipantFace {
  readonly channels = new Map<string, SampleChannel>();
  readonly urls: string[] = [];
  readonly knownForks: ForkReport[] = [];
  readonly knownLogs: LogReport[] = [];
  readonly blocks: LogBlockReport[] = [];
  readonly invalid: { author: string; fault: string }[] = [];
  readonly devices: DeviceStatus[] = [];
  readonly sagas = new SampleSagas();
  /** What was asked of logs. */
  readonly tails: [group: string, author: string, limit: number][] = [];
  readonly logs: LogFace = {
    list: () => this.knownLogs,
    tail: (...asked) => {
      this.tails.push(asked);
      if (!this.channels.has(asked[0])) {
        throw new RequestError('group-unknown', `There is no Sync Group ${asked[0]}.`);
      }
      return this.blocks;
    },
    forks: () => this.knownForks,
    followForks: async function* () {},
  };
  closed = false;
  /** What was asked to change of Sync Groups. */
  readonly changes: Record<string, unknown>[] = [];

  channel(target: string): SampleChannel {
    const channel = this.channels.get(target);
    if (channel !== undefined) return channel;
    throw new RequestError('group-unknown', `there is no Sync Group ${target}`, { where: target });
  }

  open(name: string): SampleChannel {
    const channel = new SampleChannel(name);
    this.channels.set(name, channel);
    return channel;
  }

  status(): StatusReport {
    return {
      version: '0.1.0',
      world: 'farm',
      avatar: SELF,
      name: 'attic',
      home: '/home/ann/vertebra',
      pid: process.pid,
      upMs: 61_000,
      kernel: 'simd',
      listening: ['tcp://0.0.0.0:7411'],
      peers: this.peers(),
      groups: this.groups(),
      finalizedEntries: 3,
      generations: 2,
      finalityMs: { p50: 12.5, p99: 40.25, count: 3 },
      sentBytes: 2048,
      receivedBytes: 1024,
      framesByKind: { tcp: 12 },
      halted: null,
      forks: this.logs.forks(),
      invalid: this.invalid,
      devices: this.devices,
      sagas: this.sagas.status(),
    };
  }

  peers(): PeerReport[] {
    return this.urls.map((url) => ({
      avatar: idOf(url),
      name: 'cellar\u001b[2J',
      url,
      kind: 'tcp',
      state: 'connected',
      upMs: 5000,
      roundTripMs: 1.25,
      sentBytes: 10,
      receivedBytes: 20,
      sentBytesPerSecond: 12.5,
      receivedBytesPerSecond: 0,
      queuedBytes: 0,
      bytesPerSecond: null,
      brokenFrames: null,
      repeatedFrames: null,
      droppedNews: 0,
      sentRatio: 2.5,
      receivedRatio: 1,
      lastError: null,
    }));
  }

  addPeer(url: string): void {
    if (!url.includes('://')) throw new RequestError('url-invalid', `${url} is no URL`);
    this.urls.push(url);
  }

  pacts(): PactReport[] {
    return [...this.channels.values()].map(({ pact }) => ({
      id: pact.id,
      name: pact.name,
      table: pact.name,
      quorum: pact.quorumPolicy,
      availability: pact.availability,
      priority: pact.priority,
      key: pact.key,
      fields: pact.fields,
      definition: pact.definition,
    }));
  }

  async addPact(fileText: string): Promise<PactReport> {
    const value = JSON.parse(fileText) as { name: string };
    if (typeof value.name !== 'string') throw new RequestError('pact-invalid', '/name is missing');
    this.open(value.name);
    return this.pacts().at(-1)!;
  }

  groups(): GroupReport[] {
    return [...this.channels.values()].map(({ group, pact, final, waiting }) => ({
      id: group.id,
      number: 7,
      pact: pact.name,
      owners: [{ avatar: SELF, name: 'attic' }],
      own: true,
      quorum: 1,
      quorumPolicy: pact.quorumPolicy,
      availability: pact.availability,
      ended: null,
      predecessor: null,
      successors: [],
      approvals: [],
      leftBlocks: 0,
      ballot: 0,
      finalizedLevel: -1,
      highestCertified: -1,
      highestFinalizable: -1,
      lastSequence: final.length,
      firstSequence: 1,
      retainedBytes: 4096,
      pendingBlocks: 0,
      bufferedEntries: waiting.length,
      awaited: [],
      alarm: null,
    }));
  }

  async addGroup(pact: string, owners: readonly string[]): Promise<GroupReport> {
    if (!this.channels.has(pact))
      throw new RequestError('pact-unknown', `there is no Pact ${pact}`);
    if (!owners.includes('self')) throw new RequestError('owner-unknown', 'nobody is called so');
    return this.groups().find((group) => group.pact === pact)!;
  }

  async changeGroup(target: string, change: GroupChange): Promise<GroupReport> {
    return this.noteChange('change', target, change);
  }

  async splitGroup(target: string, change: GroupChange): Promise<GroupReport> {
    return this.noteChange('split', target, change);
  }

  private noteChange(act: string, target: string, change: GroupChange): GroupReport {
    this.changes.push({ act, target, ...change });
    return this.groups().find((group) => group.pact === target)!;
  }

  trace(target: string, sequence: number): TraceReport {
    if (sequence > 9) throw new RequestError('entry-unknown', `No Entry ${sequence} of ${target}.`);
    const [avatar, other] = [idOf('a'), idOf('b')];
    return {
      pact: target,
      group: idOf('g'),
      sequence,
      block: idOf('block'),
      index: 0,
      issuer: avatar,
      issuerName: 'cellar\u001b[2J',
      atMs: 0,
      metablock: null,
      owners: [
        { avatar, name: 'cellar\u001b[2J', state: 'issued' },
        { avatar: other, name: null, state: 'unknown' },
      ],
    };
  }

  dag(limit: number): DagReport {
    return { nodes: SAMPLE_DAG.nodes.slice(-limit) };
  }

  async drain(): Promise<boolean> {
    for (const channel of this.channels.values()) channel.drain();
    return true;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

export const SAMPLE_DAG: DagReport = sampleDag();

/** Three owners, two groups that fork and meet again. */
function sampleDag(): DagReport {
  const door = idOf('door');
  const lamp = idOf('lamp');
  const node = (
    name: string,
    generation: number,
    before: readonly [string, string | null][],
    state: 'prepared' | 'finalizable' | 'finalized',
  ) => ({
    id: idOf(name),
    generation,
    issuer: name[0]!,
    predecessors: before.map(([group, metablock]) => ({
      group: group === 'door' ? door : lamp,
      metablock: metablock === null ? null : idOf(metablock),
    })),
    blocks: generation % 3,
    state,
    groups: before.map(([group]) => `${group}#${(group === 'door' ? door : lamp).slice(0, 6)}`),
    certificates: 3,
  });
  return {
    nodes: [
      node('a0', 0, [['door', null]], 'finalized'),
      node('b0', 0, [['lamp', null]], 'finalized'),
      node(
        'a1',
        1,
        [
          ['door', 'a0'],
          ['lamp', 'b0'],
        ],
        'finalized',
      ),
      node('c2', 2, [['door', 'a1']], 'finalized'),
      node('b2', 2, [['lamp', 'a1']], 'finalizable'),
      node('a3', 3, [['door', 'c2']], 'finalizable'),
      node('b3', 3, [['lamp', 'b2']], 'prepared'),
      node('c3', 3, [['lamp', 'b2']], 'prepared'),
      node('b4', 4, [['door', 'a3']], 'prepared'),
    ],
  };
}
