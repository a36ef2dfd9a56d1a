import { rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { AgentProcess } from './agent-process.ts';
import { until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

let world: World;

afterEach(async () => {
  await world?.end();
});

function loseDatabase(agent: AgentProcess): void {
  for (const suffix of ['', '-wal', '-shm']) {
    rmSync(`${agent.world.databaseFile}${suffix}`, { force: true });
  }
}

// Who made the Pact and its Sync Group learns of them from its own Blocks alone.
test.each(['ada', 'bert'])(
  'an owner that lost its database gets all back, and never votes or issues again: %s',
  async (name) => {
    world = await World.start({ names: ['ada', 'bert', 'cleo'] });
    for (const each of world.agents) await each.push(NOTE, notes(each.name, 1, 20));
    await world.settled(world.agents, 60);
    const loser = world.agent(name);
    const others = world.agents.filter((each) => each !== loser);
    const before = await others[0]!.pull(NOTE);
    await loser.kill();
    loseDatabase(loser);
    await loser.run();
    await until('it has all again', async () => (await loser.standing(NOTE))?.last === 60, {
      detail: () => loser.logTail(),
    });
    expect(await loser.pull(NOTE)).toEqual(before);
    expect((await loser.status())?.halted).toContain('stopped issuing and voting');
    expect(loser.log('halted')).toHaveLength(1);
    await expect(loser.push(NOTE, notes(name, 21))).rejects.toMatchObject({ code: 'halted' });

    await loser.kill();
    expect((await loser.run()).halted).toContain('stopped issuing and voting');
    for (const each of others) await each.push(NOTE, notes(each.name, 21, 30));
    await until('it follows', async () => (await loser.standing(NOTE))?.last === 80);
    expect(await loser.pull(NOTE)).toEqual(await others[0]!.pull(NOTE));
    expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
  },
  60_000,
);

test('an owner that only ever voted, and lost its database, votes no more', async () => {
  world = await World.start({ names: ['ada', 'bert', 'cleo'] });
  const [ada, bert, cleo] = world.agents as [AgentProcess, AgentProcess, AgentProcess];
  await bert.kill();
  await ada.push(NOTE, notes('ada', 1, 20));
  await cleo.kill();
  loseDatabase(cleo);

  await cleo.run();
  await until('it has noticed', async () => (await cleo.status())?.halted, {
    detail: () => cleo.logTail(),
  });
  await bert.run();
  await ada.push(NOTE, notes('ada', 21, 30));
  await world.settled(world.agents, 30);
  expect((await cleo.status())?.halted).toContain('stopped issuing and voting');
}, 60_000);
