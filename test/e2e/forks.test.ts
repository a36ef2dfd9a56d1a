import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { AgentProcess } from './agent-process.ts';
import { runCommand } from './program.ts';
import { until } from './waiting.ts';
import { freeUrls, NOTE, notes, World } from './world.ts';

let world: World;
const clones: AgentProcess[] = [];

afterEach(async () => {
  await Promise.all(clones.splice(0).map((each) => each.kill()));
  await world?.end();
});

async function start(): Promise<[AgentProcess, AgentProcess, AgentProcess, AgentProcess]> {
  world = await World.start({ names: ['ada', 'bert', 'cleo', 'dora'] });
  const [ada, bert, cleo, dora] = world.agents;
  await dora!.push(NOTE, notes('dora', 1, 3));
  await world.settled(world.agents, 3);
  return [ada!, bert!, cleo!, dora!];
}

function halted(agent: AgentProcess): Promise<string> {
  return until(`${agent.name} stops issuing`, async () => (await agent.status())?.halted ?? null, {
    detail: () => agent.logTail(),
  });
}

test('a cloned home is found out, the proof reaches all, and the others go on', async () => {
  const [ada, bert, cleo, dora] = await start();
  await dora.stop();
  const folder = join(world.folder, 'clone');
  cpSync(dora.home.folder, folder, { recursive: true });
  const [url] = await freeUrls(1);

  // The clone says something where nobody hears it, then the first says something else to all.
  const alone = new AgentProcess({ ...dora.place, folder, url: url!, peers: [] });
  clones.push(alone);
  await alone.run();
  await alone.push(NOTE, notes('clone', 1), 'durable');
  await alone.stop();
  await dora.run();
  await dora.push(NOTE, notes('dora', 4));
  await world.settled(world.agents, 4);
  await dora.stop();
  const clone = new AgentProcess({ ...dora.place, folder, url: url! });
  clones.push(clone);
  await clone.run();

  expect(await halted(clone)).toMatch(/vertebra log adopt/);
  for (const agent of [ada, bert, cleo]) {
    const forks = await until(
      `${agent.name} has the proof`,
      async () => {
        const found = await agent.client.forks();
        return found.length > 0 ? found : null;
      },
      { detail: () => agent.logTail() },
    );
    expect(forks[0]).toMatchObject({ pact: NOTE, name: 'dora', sequence: 2, own: false });
  }
  await clone.stop();
  await dora.run();
  expect(await halted(dora)).toMatch(/stopped issuing and voting/);
  await ada.push(NOTE, notes('ada', 1, 5));
  await world.settled([ada, bert, cleo], 9);
  await bert.stop();
  await bert.run();
  expect(await bert.client.forks()).toHaveLength(1);
  const shown = await runCommand(['log', 'forks', '--home', ada.home.folder]);
  expect(shown.stdout).toMatch(/The log of dora .* forks after.*a cloned card/s);
  const comparison = await world.compare([ada, bert, cleo]);
  expect(comparison).toMatchObject({ agree: true, differences: [] });
  const verified = await runCommand(['verify', '--home', ada.home.folder]);
  expect(verified).toMatchObject({ exit: 0 });
}, 240_000);

test('a restored backup stops, says why, and goes on under a new Avatar', async () => {
  const [ada, bert, cleo, dora] = await start();
  await dora.stop();
  const backup = join(world.folder, 'backup');
  cpSync(dora.world.folder, backup, { recursive: true });
  await dora.run();
  await dora.push(NOTE, notes('dora', 4, 6));
  await world.settled(world.agents, 6);
  await dora.stop();
  cpSync(backup, dora.world.folder, { recursive: true, force: true });

  await dora.run();
  expect(await halted(dora)).toMatch(/vertebra log adopt/);
  await world.settled(world.agents, 6);
  const before = await dora.status();
  await dora.stop();
  const flags = ['--home', dora.home.folder];
  const adopted = await runCommand(['log', 'adopt', ...flags]);
  expect(adopted).toMatchObject({ exit: 0, stderr: '' });
  expect(adopted.stdout).toMatch(/vertebra group change [0-9a-f]+ --owner/);

  const after = await dora.run();
  expect(after.avatar).not.toBe(before!.avatar);
  expect(after.halted).toBeNull();
  await ada.push(NOTE, notes('ada', 1, 4));
  await world.settled([ada, bert, cleo, dora], 10);
  await dora.stop();
  const again = await runCommand(['log', 'adopt', ...flags]);
  expect(again).toMatchObject({ exit: 4 });
}, 240_000);
