import { afterEach, expect, test } from 'vitest';
import type { AgentProcess } from './agent-process.ts';
import { Relay } from './relay.ts';
import { NOTE, notes, World } from './world.ts';

let world: World | null = null;
const relays: Relay[] = [];

afterEach(async () => {
  await world?.end();
  for (const relay of relays.splice(0)) relay.close();
  world = null;
});

/** Waiting is what is tested, so there is a lot of time for it. */
const WITHIN_MS = 120_000;

async function openRelay(url: string, prepare: (relay: Relay) => void): Promise<string> {
  const relay = await Relay.open(url);
  relays.push(relay);
  prepare(relay);
  return relay.url;
}

test('owners two seconds apart agree, and go on agreeing', async () => {
  world = await World.start({
    names: ['ada', 'bert', 'cleo'],
    dialBetween: (url) => openRelay(url, () => undefined),
  });
  for (const relay of relays) relay.delayMs = 2000;
  for (let count = 1; count <= 2; count++) {
    for (const agent of world.agents) await agent.push(NOTE, notes(agent.name, count), 'durable');
    await world.settled(world.agents, 3 * count, WITHIN_MS);
  }
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 300_000);

test('a link that accepts and never delivers keeps nobody from agreeing', async () => {
  const made = await World.make({
    names: ['ada', 'bert', 'cleo'],
    settings: 'handshake_ms = 1500\nbackoff_max_ms = 1000',
    dialBetween: (url, dialler) =>
      openRelay(url, (relay) => {
        if (dialler === 'cleo') relay.silence();
      }),
  });
  world = made;
  const [ada, bert, cleo] = made.agents as [AgentProcess, AgentProcess, AgentProcess];
  for (const agent of made.agents) agent.start();
  await Promise.all(made.agents.map((agent) => agent.ready()));
  await made.linked([ada, bert]);
  for (const relay of relays) relay.heal();
  await made.linked();
  await made.deploy();
  for (const relay of relays.slice(1)) relay.silence();
  await ada.push(NOTE, notes('ada', 1, 5));
  await bert.push(NOTE, notes('bert', 1, 5));
  await made.settled([ada, bert], 10);
  expect(await cleo.pull(NOTE)).toEqual([]);
  for (const relay of relays) relay.heal();
  await made.settled(made.agents, 10, WITHIN_MS);
  expect(await made.compare()).toMatchObject({ agree: true, differences: [] });
}, 300_000);
