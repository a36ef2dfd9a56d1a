import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WorkerSandbox } from '../../src/behavior/worker-sandbox.ts';
import type { Agent } from '../../src/participant/agent.ts';
import { readSagaModule } from '../../src/participant/saga-module.ts';
import { Hub } from './participant-hub.ts';

const folder = new URL('../../examples/order/', import.meta.url);
const fileOf = (name: string) => new URL(name, folder).pathname;

let agent: Agent;

beforeEach(async () => {
  const hub = new Hub();
  hub.sandboxOf = () => new WorkerSandbox();
  agent = hub.open('a', 1);
  await agent.start();
  for (const name of ['shop_order', 'payment_request', 'order_notice']) {
    await agent.addPact(readFileSync(fileOf(`pacts/${name}.json`), 'utf8'));
    await agent.addGroup(name, ['self']);
  }
  const { saga, behaviors } = await readSagaModule(fileOf('order.saga.ts'));
  for (const each of behaviors) await agent.sagas.addBehavior(each);
  await agent.sagas.deploy(saga, []);
});

afterEach(() => agent.close());

/** Resolves when so many notices are final. */
async function notices(count: number): Promise<unknown[]> {
  const found: unknown[] = [];
  const ended = new AbortController();
  for await (const { entry } of agent.channel('order_notice').follow(1, ended.signal)) {
    found.push(entry);
    if (found.length === count) ended.abort();
  }
  return found;
}

describe('the order saga of the examples', { timeout: 60_000 }, () => {
  it('takes at most five Entries to a failure notice, and the stock is as before', async () => {
    const order = { order_id: 'A1', item: 'lamp', cents: 500 };
    await agent.channel('shop_order').push([order]);
    await notices(1);
    await agent.channel('shop_order').push([{ ...order, order_id: 'A2', cents: 5000 }]);
    expect(await notices(2)).toEqual([
      { order_id: 'A1', text: 'on its way' },
      { order_id: 'A2', text: 'insufficient funds: nothing is charged' },
    ]);
    const [failed, paid] = agent.sagas.list()[0]!.invocations;
    expect(paid).toMatchObject({ state: 'completed' });
    expect(failed).toMatchObject({ state: 'compensated', failure: 'insufficient funds' });
    const pacts = ['shop_order', 'payment_request', 'order_notice', 'saga_order'];
    const all = pacts.reduce((sum, name) => sum + agent.channel(name).pull(1, 99).length, 0);
    expect(all).toBe(10);
    const states = agent
      .channel('saga_order')
      .pull(1, 9)
      .map(({ entry }) => entry?.['state']);
    const stocks = states.map((state) =>
      state === undefined ? null : Buffer.from(String(state), 'base64').toString(),
    );
    expect(stocks).toEqual(['9', null, '8', '9']);
    for (const { id } of [failed!, paid!]) {
      expect(await agent.sagas.replay(id)).toMatchObject({ same: true });
    }
  });
});
