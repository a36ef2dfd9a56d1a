import { readAgentNote } from '../participant/agent-note.ts';
import type {
  DagReport,
  GroupChange,
  GroupReport,
  PactReport,
  PeerReport,
  PulledEntry,
  StatusReport,
  TraceReport,
} from '../participant/face.ts';
import type { WorldHome } from '../participant/home.ts';
import type { ForkReport, LogBlockReport, LogReport } from '../participant/log-face.ts';
import type {
  BehaviorFile,
  BehaviorReport,
  SagaReplay,
  SagaReport,
  SagaTrace,
} from '../participant/saga-face.ts';
import { ApiClient, type Ask } from './client.ts';
import type { PushReport, PushState } from './entries.ts';

const JSON_TYPE = 'application/json';

/** What a push sends: a JSON text, or NDJSON that may have no end. */
export interface PushContent {
  readonly type: 'application/json' | 'application/x-ndjson';
  readonly content: string | AsyncIterable<Uint8Array>;
}

/** A running agent, asked in words of its face. Every answer throws as `ApiClient.ask` says. */
export class AgentClient {
  private readonly client: ApiClient;

  constructor(client: ApiClient) {
    this.client = client;
  }

  async isLive(): Promise<boolean> {
    await this.get('/livez');
    return true;
  }

  async status(): Promise<StatusReport> {
    return (await this.get('/v1/status')) as StatusReport;
  }

  async peers(): Promise<PeerReport[]> {
    return (await this.get('/v1/peers')) as PeerReport[];
  }

  async addPeer(url: string): Promise<void> {
    await this.post('/v1/peers', JSON.stringify({ url }));
  }

  async pacts(): Promise<PactReport[]> {
    return (await this.get('/v1/pacts')) as PactReport[];
  }

  async addPact(fileText: string): Promise<PactReport> {
    return (await this.post('/v1/pacts', fileText)) as PactReport;
  }

  async groups(): Promise<GroupReport[]> {
    return (await this.get('/v1/groups')) as GroupReport[];
  }

  async addGroup(pact: string, owners: readonly string[]): Promise<GroupReport> {
    return (await this.post('/v1/groups', JSON.stringify({ pact, owners }))) as GroupReport;
  }

  /** @param group A Pact's name, or the beginning of a group's id. */
  async changeGroup(group: string, change: GroupChange): Promise<GroupReport> {
    return (await this.post(pathOf(group, 'change'), JSON.stringify(change))) as GroupReport;
  }

  async splitGroup(
    group: string,
    change: GroupChange & { readonly acceptFork: boolean },
  ): Promise<GroupReport> {
    return (await this.post(pathOf(group, 'split'), JSON.stringify(change))) as GroupReport;
  }

  async logs(): Promise<LogReport[]> {
    return (await this.get('/v1/logs')) as LogReport[];
  }

  async logTail(group: string, author: string, limit: number): Promise<LogBlockReport[]> {
    const path = `${encodeURIComponent(group)}/${encodeURIComponent(author)}`;
    return (await this.get(`/v1/logs/${path}?limit=${limit}`)) as LogBlockReport[];
  }

  async forks(): Promise<ForkReport[]> {
    return (await this.get('/v1/forks')) as ForkReport[];
  }

  async trace(target: string, sequence: number): Promise<TraceReport> {
    const path = `/v1/pacts/${encodeURIComponent(target)}/trace?sequence=${sequence}`;
    return (await this.get(path)) as TraceReport;
  }

  async behaviors(): Promise<BehaviorReport[]> {
    return (await this.get('/v1/behaviors')) as BehaviorReport[];
  }

  async addBehavior(file: BehaviorFile): Promise<BehaviorReport> {
    return (await this.post('/v1/behaviors', JSON.stringify(file))) as BehaviorReport;
  }

  async sagas(): Promise<SagaReport[]> {
    return (await this.get('/v1/sagas')) as SagaReport[];
  }

  /** @param saga What `defineSaga` makes. */
  async deploySaga(saga: unknown, owners: readonly string[]): Promise<SagaReport> {
    return (await this.post('/v1/sagas', JSON.stringify({ saga, owners }))) as SagaReport;
  }

  async traceSaga(id: string): Promise<SagaTrace> {
    return (await this.get(`/v1/invocations/${encodeURIComponent(id)}`)) as SagaTrace;
  }

  async replaySaga(id: string): Promise<SagaReplay> {
    const path = `/v1/invocations/${encodeURIComponent(id)}/replay`;
    return (await this.post(path, '{}')) as SagaReplay;
  }

  async dag(generations: number): Promise<DagReport> {
    return (await this.get(`/v1/dag?limit=${generations}`)) as DagReport;
  }

  /** @param timeoutMs For all of it; null waits for as long as it takes. */
  async push(
    target: string,
    body: PushContent,
    options: {
      readonly wait: PushState;
      readonly timeoutMs: number | null;
      readonly signal: AbortSignal;
    },
  ): Promise<PushReport> {
    const { wait, timeoutMs, signal } = options;
    const path = `${entriesOf(target)}?wait=${wait}`;
    return (await this.client.ask({ method: 'POST', path, body, timeoutMs, signal })) as PushReport;
  }

  /** Finalized Entries from a sequence number on, at the pace of whoever takes them. */
  pull(
    target: string,
    range: { readonly from: number; readonly count: number | null; readonly follow: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<PulledEntry> {
    const limit = range.count === null ? '' : `&limit=${range.count}`;
    const path = `${entriesOf(target)}?from=${range.from}${limit}&follow=${range.follow}`;
    return this.client.stream({ method: 'GET', path, signal }) as AsyncGenerator<PulledEntry>;
  }

  /** @returns whether everything taken so far is final. */
  async drain(timeoutMs: number): Promise<boolean> {
    const path = `/v1/drain?timeoutMs=${timeoutMs}`;
    const ask: Ask = { method: 'POST', path, timeoutMs: timeoutMs * 2 };
    const answer = (await this.client.ask(ask)) as { readonly drained: boolean };
    return answer.drained;
  }

  private get(path: string): Promise<unknown> {
    return this.client.ask({ method: 'GET', path });
  }

  private post(path: string, content: string): Promise<unknown> {
    return this.client.ask({ method: 'POST', path, body: { type: JSON_TYPE, content } });
  }
}

function pathOf(group: string, act: string): string {
  return `/v1/groups/${encodeURIComponent(group)}/${act}`;
}

function entriesOf(target: string): string {
  return `/v1/pacts/${encodeURIComponent(target)}/entries`;
}

/** The agent that runs this World from its home now, as far as its note says. */
export function connectAgent(
  world: WorldHome,
  whenUnreachable = 'Start it with: vertebra run',
): AgentClient {
  const socket = readAgentNote(world)?.socket ?? world.socketFile;
  return new AgentClient(new ApiClient(socket, whenUnreachable));
}
