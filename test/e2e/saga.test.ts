import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { SagaReport, SagaTrace } from '../../src/participant/saga-face.ts';
import type { AgentProcess } from './agent-process.ts';
import { runCommand } from './program.ts';
import { until } from './waiting.ts';
import { World } from './world.ts';

const PACTS = ['shop_order', 'payment_request', 'order_notice'];
const EXAMPLE = new URL('../../examples/order/', import.meta.url).pathname;

let world: World;

afterEach(async () => {
  await world?.end();
});

/** Runs a command line at an agent. @returns what it said. @throws Error where it failed. */
async function say(at: AgentProcess, args: readonly string[], input = ''): Promise<string> {
  const place = ['--home', at.home.folder, '--world', at.world.name];
  const { exit, stdout, stderr } = await runCommand([...args, ...place], {
    input,
    withinMs: 60_000,
  });
  if (exit !== 0) throw new Error(`vertebra ${args.join(' ')}: ${exit}\n${stdout}\n${stderr}`);
  return stdout;
}

async function sagas(at: AgentProcess): Promise<SagaReport[]> {
  return JSON.parse(await say(at, ['saga', 'list', '--json'])) as SagaReport[];
}

/** Final Entries of the example's Pacts and of its States at an agent. */
async function countAt(at: AgentProcess): Promise<number> {
  const pulls = await Promise.all([...PACTS, 'saga_order'].map((pact) => at.pull(pact)));
  return pulls.reduce((sum, entries) => sum + entries.length, 0);
}

test('three agents run the order saga of the examples by the command line', async () => {
  world = await World.make({ names: ['ada', 'bert', 'cleo'] });
  const [ada, bert, cleo] = world.agents as [AgentProcess, AgentProcess, AgentProcess];
  await Promise.all(world.agents.map((each) => each.run()));
  const owners = ['self', 'bert', 'cleo'].flatMap((name) => ['--owner', name]);
  await until(
    'ada knows the others',
    async () => {
      const peers = (await ada.status())?.peers ?? [];
      return ['bert', 'cleo'].every((name) => peers.some((peer) => peer.name === name));
    },
    { withinMs: 90_000 },
  );
  for (const pact of PACTS) {
    await say(ada, ['pact', 'add', join(EXAMPLE, 'pacts', `${pact}.json`)]);
    await say(ada, ['group', 'add', pact, ...owners]);
  }
  await say(ada, ['saga', 'deploy', join(EXAMPLE, 'order.saga.ts'), ...owners]);
  await until(
    'all know the Saga',
    async () => {
      const known = await Promise.all(world.agents.map((each) => each.status()));
      return known.every((status) => status?.sagas.known === 1);
    },
    { withinMs: 90_000 },
  );

  const order = { order_id: 'A2', item: 'lamp', cents: 5000 };
  await say(bert, ['push', 'shop_order'], `${JSON.stringify(order)}\n`);
  await until(
    'all have the five Entries and the end',
    async () => {
      const counts = await Promise.all(world.agents.map(countAt));
      const stands = await Promise.all(world.agents.map((each) => each.status()));
      const isOver = stands.every((status) => status?.sagas.compensated === 1);
      return isOver && counts.every((count) => count === 5);
    },
    { withinMs: 90_000, detail: () => world.agents.map((each) => each.logTail()).join('\n') },
  );
  const [notice] = await cleo.pull('order_notice');
  expect(notice?.entry).toMatchObject({ order_id: 'A2' });

  const [saga] = await sagas(cleo);
  expect(saga).toMatchObject({ name: 'order', initiating: 'shop_order' });
  const [invocation] = saga!.invocations;
  expect(invocation).toMatchObject({ state: 'compensated', failure: 'insufficient funds' });
  const trace = await say(cleo, ['saga', 'trace', invocation!.id, '--json']);
  expect((JSON.parse(trace) as SagaTrace).states.filter(({ counts }) => counts)).toMatchObject([
    { kind: 'partial', stage: 'retrieve' },
    { kind: 'final-failed', stage: 'charge', undone: ['retrieve'], stuck: [] },
  ]);
  expect(await say(bert, ['saga', 'replay', invocation!.id])).toMatch(/Every State is the same/);

  await world.stop();
  const verdicts = await Promise.all(world.agents.map((each) => say(each, ['verify', '--json'])));
  for (const verdict of verdicts) expect(JSON.parse(verdict)).toMatchObject({ fault: null });
}, 400_000);
