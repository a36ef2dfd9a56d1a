import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { AgentLaunch, AgentProcess } from './agent-process.ts';
import { until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

const DAY_MS = 86_400_000;
const SHIFTED_CLOCK = new URL('shifted-clock.mjs', import.meta.url);

let world: World;

afterEach(async () => {
  await world?.end();
});

/** Runs an agent with a clock of its own, which `set` puts off by so much from now on. */
function clockOf(agent: AgentProcess): { launch: AgentLaunch; set: (shiftMs: number) => void } {
  const file = join(agent.home.folder, 'clock');
  const set = (shiftMs: number) => {
    writeFileSync(`${file}.new`, String(Math.round(shiftMs)));
    renameSync(`${file}.new`, file);
  };
  set(0);
  const NODE_OPTIONS = `--import ${SHIFTED_CLOCK.href}`;
  return { launch: { environment: { NODE_OPTIONS, E2E_CLOCK_FILE: file } }, set };
}

test('a clock that jumps changes neither agreement nor order nor links', async () => {
  world = await World.make({ names: ['ada', 'bert', 'cleo'] });
  const [ada, bert, cleo] = world.agents as [AgentProcess, AgentProcess, AgentProcess];
  const clock = clockOf(ada);
  await Promise.all([ada.run(clock.launch), bert.run(), cleo.run()]);
  await world.deploy();

  const shifts = [0, DAY_MS, -2 * DAY_MS, 30 * 365 * DAY_MS, 3_600_000 - Date.now(), 0];
  let count = 0;
  for (const shiftMs of shifts) {
    clock.set(shiftMs);
    const isShifted = (at: number) => Math.abs(at - (Date.now() + shiftMs)) < DAY_MS / 24;
    await until('the jump is felt', async () => {
      count += 1;
      await ada.push(NOTE, notes('ada', count));
      await bert.push(NOTE, notes('bert', count));
      return isShifted((await bert.pull(NOTE)).at(-2)!.atMs);
    });
  }
  await world.settled(world.agents, 2 * count);

  const pulled = await cleo.pull(NOTE);
  const said = pulled.map(({ entry }) => `${entry?.['writer']} ${entry?.['count']}`);
  const expected = Array.from({ length: count }, (_, index) => [
    `ada ${index + 1}`,
    `bert ${index + 1}`,
  ]);
  expect(said).toEqual(expected.flat());
  for (const each of world.agents) expect(each.log('peer-down')).toEqual([]);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 60_000);

test('an owner whose clock begins in 1970, as without a battery, takes part', async () => {
  world = await World.make({ names: ['ada', 'bert'] });
  const [ada, bert] = world.agents as [AgentProcess, AgentProcess];
  const clock = clockOf(ada);
  clock.set(60_000 - Date.now());
  await Promise.all([ada.run(clock.launch), bert.run()]);
  await world.deploy();
  await ada.push(NOTE, notes('ada', 1, 5));
  await ada.kill();
  clock.set(0);
  await ada.run(clock.launch);
  await ada.push(NOTE, notes('ada', 6, 10));
  await bert.push(NOTE, notes('bert', 1, 5));
  await world.settled(world.agents, 15);
  const [first] = await bert.pull(NOTE);
  expect(first!.atMs).toBeLessThan(DAY_MS);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 60_000);
