import { afterEach, expect, test } from 'vitest';
import { readAgentNote } from '../../src/participant/agent-note.ts';
import type { AgentProcess } from './agent-process.ts';
import { runCommand } from './program.ts';
import { NOTE, notes, World } from './world.ts';

let world: World;

afterEach(async () => {
  await world?.end();
});

/** `run` of a home on a port of its own choosing. */
function runAgain(agent: AgentProcess, ...args: string[]) {
  const home = ['--home', agent.home.folder, '--world', agent.world.name];
  return runCommand(['run', ...home, '--listen', 'tcp://127.0.0.1:0', ...args]);
}

test('a second process on a home refuses and names the first, which goes on', async () => {
  world = await World.start({ names: ['ada'] });
  const [ada] = world.agents as [AgentProcess];
  for (const args of [[], ['--json']]) {
    const second = await runAgain(ada, ...args);
    expect(second.exit).toBe(6);
    expect(second.stdout).toBe('');
    expect(second.stderr).toContain(`process ${ada.pid}`);
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
  }
  expect(readAgentNote(ada.world)?.pid).toBe(ada.pid);
  await ada.push(NOTE, notes('ada', 1, 3));
  expect(await ada.pull(NOTE)).toHaveLength(3);
});

test('a home is free at once when its process is killed, and goes on where it stood', async () => {
  world = await World.start({ names: ['ada'] });
  const [ada] = world.agents as [AgentProcess];
  const { avatar } = await ada.ready();
  for (const round of [0, 1, 2]) {
    await ada.push(NOTE, notes('ada', round * 3 + 1, round * 3 + 3));
    await ada.kill();
    expect((await ada.run()).avatar).toBe(avatar);
  }
  const pulled = await ada.pull(NOTE);
  expect(pulled.map((each) => each.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(pulled.map((each) => each.entry?.['count'])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
