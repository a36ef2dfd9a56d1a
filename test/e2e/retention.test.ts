import { afterEach, expect, test } from 'vitest';
import { verifyWorld } from '../../src/participant/verify.ts';
import type { AgentProcess } from './agent-process.ts';
import { until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

const KEPT = 1000;
const BATCH = 100;
const BATCHES = 200;

let world: World;

afterEach(async () => {
  await world?.end();
});

async function firstOf(agent: AgentProcess): Promise<number> {
  const status = await agent.status();
  return status?.groups.find((each) => each.pact === NOTE)?.firstSequence ?? 0;
}

test('a newcomer, and an owner who was away, begin where the others cut', async () => {
  world = await World.start({
    names: ['ada', 'bert', 'cleo', 'dora'],
    owners: 3,
    absent: ['dora'],
    settings: `retention = "own"\nretention_count = ${KEPT}`,
  });
  const [ada, bert, cleo, dora] = world.agents as [
    AgentProcess,
    AgentProcess,
    AgentProcess,
    AgentProcess,
  ];
  await cleo.stop();
  for (let batch = 0; batch < BATCHES; batch++) {
    await ada.push(NOTE, notes('ada', batch * BATCH + 1, (batch + 1) * BATCH));
  }
  const count = BATCH * BATCHES;
  await world.settled([ada, bert], count);
  await until('ada has cut', async () => (await firstOf(ada)) > count / 2);

  await dora.run();
  await cleo.run();
  await world.settled(world.agents, count);
  await cleo.push(NOTE, notes('cleo', 1, 10));
  await world.settled(world.agents, count + 10);
  expect(await firstOf(dora)).toBeGreaterThan(count / 2);
  expect(count - (await firstOf(ada))).toBeGreaterThanOrEqual(KEPT - 1);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
  for (const agent of world.agents) {
    expect(verifyWorld({ file: agent.world.databaseFile }).fault, agent.name).toBeNull();
  }
}, 110_000);
