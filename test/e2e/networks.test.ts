import { afterEach, expect, test } from 'vitest';
import type { AgentProcess } from './agent-process.ts';
import { Networks } from './networks.ts';
import { elapse } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

/** VERTEBRA_PARTITION_MS=300000 keeps them apart for minutes. */
const APART_MS = Number(process.env['VERTEBRA_PARTITION_MS'] ?? 8000);
const NAMES = ['ada', 'bert', 'cleo'] as const;
const PORT = 7411;

let world: World | null = null;
let networks: Networks | null = null;

afterEach(async () => {
  await world?.end();
  await networks?.close();
  world = null;
  networks = null;
});

/** Each on a host of its own, with an address of its own. */
async function startOnHosts(settings: string): Promise<{ world: World; networks: Networks }> {
  const opened = await Networks.open();
  networks = opened;
  const urls = NAMES.map((name) => `tcp://${opened.addHost(name)}:${PORT}`);
  const made = await World.start({
    names: NAMES,
    settings,
    urls,
    launchOf: (name) => ({ through: opened.through(name) }),
  });
  world = made;
  return { world: made, networks: opened };
}

test('a host whose cable is pulled for long finalizes nothing alone, and catches up', async () => {
  const { world, networks } = await startOnHosts('ping_ms = 1000\nmissed_pings_max = 1');
  const [ada, bert, cleo] = world.agents as [AgentProcess, AgentProcess, AgentProcess];
  await ada.push(NOTE, notes('ada', 1, 5));
  await world.settled(world.agents, 5);
  networks.cut('cleo');
  const alone = cleo.push(NOTE, notes('cleo', 1, 5), 'durable');
  await ada.push(NOTE, notes('ada', 6, 10));
  await bert.push(NOTE, notes('bert', 1, 5));
  await elapse(APART_MS);
  await world.settled([ada, bert], 15);
  expect(await cleo.pull(NOTE)).toHaveLength(5);
  networks.clear('cleo');
  await alone;
  await world.settled(world.agents, 20);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 600_000);

test('three hosts agree while each loses thirty of a hundred packets', async () => {
  const { world, networks } = await startOnHosts('');
  for (const name of NAMES) networks.weather(name, { lossPercent: 30 });
  for (const agent of world.agents) await agent.push(NOTE, notes(agent.name, 1, 20), 'durable');
  // TCP waits longer after each loss in a row, up to two minutes.
  await world.settled(world.agents, 60, 240_000);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 300_000);
