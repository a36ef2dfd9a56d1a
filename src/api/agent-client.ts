import type { GroupReport, PactReport, StatusReport } from '../participant/face.ts';
import type { WorldHome } from '../participant/home.ts';
import { readAgentNote } from '../participant/lease.ts';
import { ApiClient } from './client.ts';

const JSON_TYPE = 'application/json';

/** A running agent, asked in words of its face. Every answer throws as `ApiClient.ask` says. */
export class AgentClient {
  private readonly client: ApiClient;

  constructor(client: ApiClient) {
    this.client = client;
  }

  async status(): Promise<StatusReport> {
    return (await this.client.ask({ method: 'GET', path: '/v1/status' })) as StatusReport;
  }

  async addPact(fileText: string): Promise<PactReport> {
    const body = { type: JSON_TYPE, content: fileText };
    return (await this.client.ask({ method: 'POST', path: '/v1/pacts', body })) as PactReport;
  }

  async addGroup(pact: string, owners: readonly string[]): Promise<GroupReport> {
    const body = { type: JSON_TYPE, content: JSON.stringify({ pact, owners }) };
    return (await this.client.ask({ method: 'POST', path: '/v1/groups', body })) as GroupReport;
  }

  async addPeer(url: string): Promise<void> {
    const body = { type: JSON_TYPE, content: JSON.stringify({ url }) };
    await this.client.ask({ method: 'POST', path: '/v1/peers', body });
  }

  /** @returns whether everything taken so far is final. */
  async drain(timeoutMs: number): Promise<boolean> {
    const path = `/v1/drain?timeoutMs=${timeoutMs}`;
    const ask = { method: 'POST', path, timeoutMs: timeoutMs * 2 } as const;
    const answer = (await this.client.ask(ask)) as { readonly drained: boolean };
    return answer.drained;
  }
}

/** The agent that runs this World from its home now, as far as its note says. */
export function connectAgent(world: WorldHome): AgentClient {
  const socket = readAgentNote(world)?.socket ?? world.socketFile;
  return new AgentClient(new ApiClient(socket, 'Start it with: vertebra run'));
}
