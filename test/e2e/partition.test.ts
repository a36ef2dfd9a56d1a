import { afterEach, expect, test } from 'vitest';
import type { AgentProcess } from './agent-process.ts';
import { Relay } from './relay.ts';
import { elapse, until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

/** Long enough for Ballots to time out many times over. */
const APART_MS = 4000;

let world: World;
const relays: Relay[] = [];

afterEach(async () => {
  await world?.end();
  for (const relay of relays.splice(0)) relay.close();
});

/** Each two of them are linked through a relay of their own. */
async function startApart(names: readonly string[]): Promise<Map<string, Relay>> {
  const between = new Map<string, Relay>();
  world = await World.start({
    names,
    settings: 'ping_ms = 1000\nmissed_pings_max = 1\nbackoff_max_ms = 1000',
    dialBetween: async (url, dialler, listener) => {
      const relay = await Relay.open(url);
      relays.push(relay);
      between.set(`${dialler} ${listener}`, relay);
      return relay.url;
    },
  });
  return between;
}

test.each(['cut', 'silence'] as const)(
  'a minority that is apart (%s) finalizes nothing, and joins in when it is healed',
  async (how) => {
    const between = await startApart(['ada', 'bert', 'cleo']);
    const [ada, bert, cleo] = world.agents as [AgentProcess, AgentProcess, AgentProcess];
    await ada.push(NOTE, notes('ada', 1, 5));
    await world.settled(world.agents, 5);
    const around = [between.get('cleo ada')!, between.get('cleo bert')!];
    for (const relay of around) relay[how]();
    const alone = cleo.push(NOTE, notes('cleo', 1, 5));
    await ada.push(NOTE, notes('ada', 6, 10));
    await elapse(APART_MS);
    await bert.push(NOTE, notes('bert', 1, 5));
    await world.settled([ada, bert], 15);
    expect(await cleo.pull(NOTE)).toHaveLength(5);
    for (const relay of around) relay.heal();
    await alone;
    await world.settled(world.agents, 20);
    expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
  },
  60_000,
);

test('two halves of four finalize nothing until they are one again', async () => {
  const between = await startApart(['ada', 'bert', 'cleo', 'dora']);
  const { agents } = world;
  await agents[0]!.push(NOTE, notes('ada', 1, 5));
  await world.settled(agents, 5);
  const across = ['cleo ada', 'cleo bert', 'dora ada', 'dora bert'].map((key) => between.get(key)!);
  for (const relay of across) relay.cut();
  const pushes = agents.map((each) => each.push(NOTE, notes(each.name, 6, 10)));
  await elapse(APART_MS);
  for (const each of agents) expect(await each.pull(NOTE)).toHaveLength(5);
  for (const relay of across) relay.heal();
  await Promise.all(pushes);
  await world.settled(agents, 25);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 60_000);

test('owners that reach each other only through a third agree through it', async () => {
  const between = await startApart(['ada', 'bert', 'cleo', 'dora']);
  const { agents } = world;
  // A chain is left: ada, bert, cleo, dora.
  for (const key of ['cleo ada', 'dora ada', 'dora bert']) between.get(key)!.cut();
  await until('the links are gone', async () => {
    const statuses = await Promise.all(agents.map((each) => each.status()));
    const links = statuses.map(
      (status) => status?.peers.filter((peer) => peer.state === 'connected').length,
    );
    return JSON.stringify(links) === '[1,2,2,1]';
  });
  for (const each of agents) await each.push(NOTE, notes(each.name, 1, 5));
  await world.settled(agents, 20);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 60_000);

test('links that flap hold up agreement no longer than they flap', async () => {
  await startApart(['ada', 'bert', 'cleo']);
  const pushes = world.agents.map((each) => each.push(NOTE, notes(each.name, 1, 50)));
  for (let flap = 0; flap < 12; flap++) {
    for (const relay of relays) relay.cut();
    await elapse(40);
    for (const relay of relays) relay.heal();
    await elapse(flap * 40);
  }
  await Promise.all(pushes);
  await world.settled(world.agents, 150);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 60_000);
