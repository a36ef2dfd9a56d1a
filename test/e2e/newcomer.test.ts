import { afterEach, expect, test } from 'vitest';
import type { AgentProcess } from './agent-process.ts';
import { until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

const LEVELS = 300;
const LARGE_BATCHES = 20;
const LARGE_BATCH = 200;

let world: World;

afterEach(async () => {
  await world?.end();
});

async function levelOf(agent: AgentProcess): Promise<number> {
  const status = await agent.status();
  return status?.groups.find((each) => each.pact === NOTE)?.finalizedLevel ?? 0;
}

/** Pushes until the chain has so many Levels. @returns how many notes it were. */
async function pushLevels(agent: AgentProcess, levels: number, from: number): Promise<number> {
  let next = from;
  await until(
    `the chain has ${levels} Levels`,
    async () => {
      await agent.push(NOTE, notes(agent.name, next));
      next += 1;
      return (await levelOf(agent)) >= levels;
    },
    { withinMs: 45_000 },
  );
  return next - 1;
}

test('who comes late, and who was away for long, gets everything', async () => {
  world = await World.start({
    names: ['ada', 'bert', 'cleo', 'dora'],
    owners: 3,
    absent: ['dora'],
  });
  const [ada, bert, cleo, dora] = world.agents as [
    AgentProcess,
    AgentProcess,
    AgentProcess,
    AgentProcess,
  ];
  await cleo.stop();
  let count = await pushLevels(ada, LEVELS, 1);
  for (let batch = 0; batch < LARGE_BATCHES; batch++) {
    await bert.push(NOTE, notes('bert', batch * LARGE_BATCH + 1, (batch + 1) * LARGE_BATCH));
  }
  count += LARGE_BATCHES * LARGE_BATCH;
  const upTo = await world.settled([ada, bert], count);
  expect(upTo).toBe(count);

  await dora.run();
  await world.settled([ada, bert, dora], count);
  expect(await dora.pull(NOTE)).toEqual(await ada.pull(NOTE));

  await cleo.run();
  await world.settled(world.agents, count);
  await cleo.push(NOTE, notes('cleo', 1, 10));
  await world.settled(world.agents, count + 10);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 110_000);
