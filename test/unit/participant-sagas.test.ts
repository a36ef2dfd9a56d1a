import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BehaviorManifest } from '../../src/model/behavior.ts';
import type { Agent } from '../../src/participant/agent.ts';
import type { InvocationReport } from '../../src/participant/saga-face.ts';
import { verifyWorld } from '../../src/participant/verify.ts';
import type { BehaviorOutcome, JsonRecord } from '../../src/ports/sandbox.ts';
import { Hub } from './participant-hub.ts';
import { type Script, ScriptedSandbox } from './scripted-sandbox.ts';

const pact = (name: string, properties: object) =>
  JSON.stringify({
    name,
    schema: { type: 'object', properties, required: Object.keys(properties) },
  });
const TEXT = { type: 'string', maxLength: 40 };
const ORDER = pact('shop_order', { order_id: TEXT });
const REQUEST = pact('payment_request', { order_id: TEXT });
const NOTICE = pact('notice', { order_id: TEXT, text: TEXT });

const NOTES = { fuelUsed: 0, log: [] };
const numberOf = (state: Uint8Array | null) => (state === null ? 10 : state[0]!);
const order = (entry: JsonRecord | null) => entry!['order_id']!;

/** Takes from the stock, and gives back. */
const retrieve: Script = {
  canUndo: true,
  run: async ({ purpose, state, entry }, _host, { produces }): Promise<BehaviorOutcome> => {
    const step = purpose === 'run' ? -1 : 1;
    const produced =
      purpose === 'run' ? [{ pact: produces[0]!, entry: { order_id: order(entry) } }] : [];
    const stock = new Uint8Array([numberOf(state) + step]);
    return { kind: 'done', produced, state: stock, ...NOTES };
  },
};

/** Orders that begin with `poor` cannot be paid. */
const charge: Script = {
  run: async ({ entry, state }, _host, { produces }): Promise<BehaviorOutcome> => {
    const id = String(order(entry));
    const notice = (text: string) => [{ pact: produces[0]!, entry: { order_id: id, text } }];
    if (!id.startsWith('poor')) {
      return { kind: 'done', produced: notice('paid'), state, ...NOTES };
    }
    return { kind: 'failed', reason: 'no money', produced: notice('no money'), ...NOTES };
  },
};

const SAGA = {
  name: 'shop',
  initiating: 'shop_order',
  key: 'order_id',
  scope: 'saga',
  stages: [
    { name: 'retrieve', behavior: 'retrieve' },
    { name: 'charge', behavior: 'charge' },
  ],
};

let folder: string;
/** So long that nobody takes over, but where that is what a test is about. */
let sagaTakeOverMs = 3_600_000;
let hub: Hub;
let agents: Agent[];
let sandboxes: Map<string, ScriptedSandbox>;

function openAgent(name: string, seed: number): Agent {
  return hub.open(name, seed, { sagaTakeOverMs }, join(folder, `${name}.db`));
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-sagas-'));
  hub = new Hub();
  sandboxes = new Map();
  hub.sandboxOf = (name) => {
    const made = new ScriptedSandbox({ retrieve, charge });
    sandboxes.set(name, made);
    return made;
  };
  agents = ['a', 'b', 'c'].map((name, index) => openAgent(name, index + 1));
  for (const agent of agents) await agent.start();
  const [a] = agents;
  for (const file of [ORDER, REQUEST, NOTICE]) {
    const { name } = await a!.addPact(file);
    await a!.addGroup(
      name,
      agents.map(({ avatar }) => avatar),
    );
  }
  await until(() => agents.every((each) => each.groups().length >= agents[0]!.groups().length - 1));
  const declare = (name: string, said: Partial<Record<keyof BehaviorManifest, string[]>>) =>
    a!.sagas.addBehavior({
      kind: 'javascript',
      code: Buffer.from(name).toString('base64'),
      fileName: name,
      declared: said,
    });
  await declare('retrieve', { consumes: ['shop_order'], produces: ['payment_request'] });
  await declare('charge', { consumes: ['payment_request'], produces: ['notice'] });
});

afterEach(async () => {
  for (const agent of agents) await agent.close();
  rmSync(folder, { recursive: true });
});

/** Looks again after each turn of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const owners = () => agents.map(({ avatar }) => avatar);
const invocations = (agent: Agent): readonly InvocationReport[] =>
  agent.sagas.list().flatMap((saga) => saga.invocations);

/** Everywhere so many invocations have ended. */
async function ended(count: number): Promise<void> {
  const isOver = ({ state }: InvocationReport) => state === 'completed' || state === 'compensated';
  await until(() => agents.every((each) => invocations(each).filter(isOver).length === count));
}

describe('an order', { timeout: 60_000 }, () => {
  it('that cannot be paid ends in five Entries, with the stock as it was', async () => {
    const [a, b] = agents;
    await a!.sagas.deploy(SAGA, owners());
    await until(() => agents.every((each) => each.sagas.list().length === 1));
    await b!.channel('shop_order').push([{ order_id: 'poor-1' }]);
    await ended(1);
    await until(() => a!.channel('notice').pull(1, 9).length === 1);
    const trace = a!.sagas.trace(invocations(a!)[0]!.id);
    expect(trace).toMatchObject({ state: 'compensated', saga: 'shop', failure: 'no money' });
    expect(trace.states.map(({ kind, stage, undone }) => [kind, stage, undone])).toEqual([
      ['partial', 'retrieve', []],
      ['final-failed', 'charge', ['retrieve']],
    ]);
    const pulls = ['shop_order', 'payment_request', 'notice', 'saga_shop'];
    const counts = pulls.map((name) => a!.channel(name).pull(1, 9).length);
    expect(counts).toEqual([1, 1, 1, 2]);
    const [, last] = a!.channel('saga_shop').pull(1, 9);
    expect(Buffer.from(String(last?.entry?.['state']), 'base64')[0]).toBe(10);
    expect(a!.channel('notice').pull(1, 1)[0]?.cause).toMatchObject({ step: 1, index: 0 });
    const replayed = await a!.sagas.replay(trace.id);
    expect(replayed).toMatchObject({ same: true });
    expect(replayed.steps.length).toBe(2);
  });

  it('of many is completed or undone, each once, and verify holds', async () => {
    const [a, b, c] = agents;
    await a!.sagas.deploy(SAGA, owners());
    await until(() => agents.every((each) => each.sagas.list().length === 1));
    const ids = ['x1', 'poor-2', 'x3', 'x4', 'poor-5'];
    for (const [index, order_id] of ids.entries()) {
      await agents[index % 3]!.channel('shop_order').push([{ order_id }]);
    }
    await ended(5);
    await until(() => agents.every((each) => each.channel('notice').pull(1, 9).length === 5));
    const states = invocations(b!)
      .map(({ state }) => state)
      .sort();
    expect(states).toEqual(['compensated', 'compensated', 'completed', 'completed', 'completed']);
    await c!.close();
    agents = agents.filter((each) => each !== c);
    const file = join(folder, 'c.db');
    expect(verifyWorld({ file }).fault).toBeNull();
  });
});

describe('a Behavior that does not load', { timeout: 60_000 }, () => {
  it('leaves its invocation Pending with the reason, and goes on when it does', async () => {
    const [a, b] = agents;
    await a!.sagas.deploy(SAGA, owners());
    await until(() => agents.every((each) => each.sagas.list().length === 1));
    for (const each of sandboxes.values()) each.refusal = 'not-available';
    await b!.channel('shop_order').push([{ order_id: 'x1' }]);
    const isTold = ({ awaits }: InvocationReport) => awaits?.includes('not-available') === true;
    await until(() => agents.some((each) => invocations(each).some(isTold)));
    const lines = hub.log.filter((line) => line.includes('behavior-refused'));
    expect(lines.length).toBe(1);
    for (const each of sandboxes.values()) each.refusal = null;
    await ended(1);
    expect(invocations(a!)[0]).toMatchObject({ state: 'completed', awaits: null });
  });
});

describe('with a short silence before a take-over', { timeout: 60_000 }, () => {
  beforeAll(() => {
    sagaTakeOverMs = 100;
  });

  afterAll(() => {
    sagaTakeOverMs = 3_600_000;
  });

  it('others end what a Participant left that is gone, and it knows after a restart', async () => {
    const [a, b] = agents;
    await a!.sagas.deploy(SAGA, owners());
    await until(() => agents.every((each) => each.sagas.list().length === 1));
    await b!.channel('shop_order').push([{ order_id: 'x9' }]);
    await until(() => invocations(a!).length > 0);
    await a!.close();
    hub.agents.splice(hub.agents.indexOf(a!), 1);
    agents = agents.filter((each) => each !== a);
    await ended(1);
    await b!.close();
    hub.agents.splice(hub.agents.indexOf(b!), 1);
    const again = openAgent('b', 2);
    agents = [again, ...agents.filter((each) => each !== b)];
    await again.start();
    expect(invocations(again).map(({ state }) => state)).toEqual(['completed']);
    expect(again.sagas.trace(invocations(again)[0]!.id).states.length).toBeGreaterThan(1);
  });
});

describe('what cannot be is refused with the reason', () => {
  it.each([
    ['a Stage that consumes another Pact', [SAGA.stages[1]], /must consume the initiating Pact/],
    ['a Stage without a Behavior', [{ name: 'x', behavior: 'nobody' }], /no Behavior nobody/],
    ['a Stage with an unknown member', [{ ...SAGA.stages[0], more: 1 }], /no more; permitted/],
    [
      'a later Stage whose Entry comes from nowhere',
      [SAGA.stages[0], { ...SAGA.stages[0], name: 'again' }],
      /no Stage before it produces shop_order/,
    ],
  ])('%s', async (_name, stages, reason) => {
    const [a] = agents;
    await expect(a!.sagas.deploy({ ...SAGA, stages }, [])).rejects.toThrow(reason);
    expect(a!.sagas.list()).toEqual([]);
  });
});
