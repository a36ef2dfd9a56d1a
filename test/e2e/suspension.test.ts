import { afterEach, expect, test } from 'vitest';
import type { AgentProcess } from './agent-process.ts';
import { elapse, until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

const SUSPENDED_MS = 3000;

let world: World;

afterEach(async () => {
  await world?.end();
});

test('an owner that is suspended for a while holds up nobody, and catches up', async () => {
  world = await World.start({ names: ['ada', 'bert', 'cleo'] });
  const [ada, bert, cleo] = world.agents as [AgentProcess, AgentProcess, AgentProcess];
  await world.settled();
  cleo.signal('SIGSTOP');
  await ada.push(NOTE, notes('ada', 1, 10));
  await elapse(SUSPENDED_MS);
  await bert.push(NOTE, notes('bert', 1, 10));
  await world.settled([ada, bert], 20);
  cleo.signal('SIGCONT');
  await world.settled(world.agents, 20);
  await cleo.push(NOTE, notes('cleo', 1, 10));
  await world.settled(world.agents, 30);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 60_000);

test('owners that are suspended all together go on where they stood', async () => {
  world = await World.start({ names: ['ada', 'bert', 'cleo'] });
  await world.agents[0]!.push(NOTE, notes('ada', 1, 10));
  const pushes = world.agents.map((each) => each.push(NOTE, notes(each.name, 11, 20)));
  for (const each of world.agents) each.signal('SIGSTOP');
  await elapse(SUSPENDED_MS);
  for (const each of world.agents) each.signal('SIGCONT');
  await Promise.all(pushes);
  await world.settled(world.agents, 40);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 60_000);

test('a peer that is suspended for long is given up, and met again when it goes on', async () => {
  const settings = 'ping_ms = 1000\nmissed_pings_max = 1';
  world = await World.start({ names: ['ada', 'bert', 'cleo'], settings });
  const [ada, bert, cleo] = world.agents as [AgentProcess, AgentProcess, AgentProcess];
  cleo.signal('SIGSTOP');
  await until(
    'it is given up',
    () => ada.log('peer-down').length + bert.log('peer-down').length > 1,
  );
  await ada.push(NOTE, notes('ada', 1, 10));
  cleo.signal('SIGCONT');
  await world.linked();
  await world.settled(world.agents, 10);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 60_000);
