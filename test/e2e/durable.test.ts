import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { need } from '../../.ci/debian.mjs';
import { Prng } from '../sim/prng.ts';
import type { AgentProcess } from './agent-process.ts';
import { judgeCalls, readCalls, traceArguments } from './system-calls.ts';
import { findBrokenPromises, findForgotten, findForks, readTestimony } from './testimony.ts';
import { elapse, until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

const CALM_MS = 800;
const ROUNDS = 4;
const KILLS = 3;

let strace: string;
let world: World;

beforeAll(async () => {
  ({ strace } = await need(['strace']));
  const { status, stderr } = spawnSync(strace, ['-qq', '-o', '/dev/null', 'true'], {
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new Error(`processes cannot be traced here, so this cannot be tested: ${stderr.trim()}`);
  }
}, 120_000);

afterEach(async () => {
  await world?.end();
});

test('a real owner says nothing that it has not synced to its disk', async () => {
  world = await World.make({ names: ['ada', 'bert', 'cleo'] });
  const [ada, bert, cleo] = world.agents as [AgentProcess, AgentProcess, AgentProcess];
  const output = join(world.folder, 'trace');
  ada.start({ through: [strace, ...traceArguments(output)] });
  bert.start();
  cleo.start();
  await Promise.all(world.agents.map((each) => each.ready()));
  await world.deploy();
  for (let round = 1; round <= ROUNDS; round++) {
    for (const each of [ada, bert]) {
      await elapse(CALM_MS);
      await each.push(NOTE, notes(each.name, round));
    }
  }
  await world.settled(world.agents, 2 * ROUNDS);
  await endTraced(ada);
  const trace = readFileSync(output, 'utf8');
  const log = `${ada.world.databaseFile}-wal`;
  const found = judgeCalls(readCalls(trace, log));
  expect(found.faults).toEqual([]);
  expect(found.acknowledged).toBe(ROUNDS);
  expect(found.answered).toBeGreaterThanOrEqual(ROUNDS);
  // On a slow machine one frame says what several would.
  expect(found.said).toBeGreaterThanOrEqual(2 * ROUNDS);

  // The same trace, had it not synced, or synced later, or spoken first.
  const lines = trace.split('\n');
  const isSync = (line: string) => /\bf(data)?sync\b/.test(line);
  const unsynced = lines.filter((line) => !isSync(line));
  expect(judgeCalls(readCalls(unsynced.join('\n'), log)).faults.length).toBeGreaterThan(ROUNDS);
  const late = lines.filter((line) => !isSync(line)).concat(lines.filter(isSync));
  expect(judgeCalls(readCalls(late.join('\n'), log)).faults.length).toBeGreaterThan(ROUNDS);
  const rash = lines.filter((line) => !line.includes(`<${log}>`));
  expect(judgeCalls(readCalls(rash.join('\n'), log)).faults.length).toBeGreaterThan(ROUNDS);
}, 120_000);

/** Ends the agent itself: a signal to strace would end the trace alone. */
async function endTraced(agent: AgentProcess): Promise<void> {
  const status = await agent.ready();
  process.kill(status.pid, 'SIGTERM');
  await agent.exited();
}

test('an owner that is killed at a write to its log has said nothing of it', async () => {
  const seed = Number(process.env['E2E_SEED'] ?? randomInt(2 ** 32));
  console.log(`durable seed: E2E_SEED=${seed}`);
  const chance = new Prng(seed);
  world = await World.start({ names: ['ada', 'bert', 'cleo'] });
  const [ada, bert, cleo] = world.agents as [AgentProcess, AgentProcess, AgentProcess];
  const avatars = new Map<AgentProcess, Awaited<ReturnType<typeof ada.ready>>['avatar']>();
  for (const each of world.agents) avatars.set(each, (await each.ready()).avatar);
  const testimonies = () =>
    world.agents.map((each) => readTestimony(each.world.databaseFile, avatars.get(each)!));
  const log = `${ada.world.databaseFile}-wal`;
  let count = 0;
  const pushNext = async (agent: AgentProcess) => {
    count += 1;
    await agent.push(NOTE, notes(agent.name, count), 'final');
  };
  await ada.stop();
  for (let kill = 0; kill < KILLS; kill++) {
    const inject = `inject=pwrite64:signal=SIGKILL:when=${10 + chance.below(70)}`;
    const filter = ['-P', log, '-e', 'trace=pwrite64', '-e', inject];
    ada.start({ through: [strace, '-f', '-qq', '-o', '/dev/null', ...filter] });
    const [writer] = chance.shuffle([bert, cleo]);
    await until(
      'it was killed',
      async () => {
        await pushNext(writer!);
        return ada.ended !== null;
      },
      {
        detail: () => `${inject}\n${ada.logTail()}`,
      },
    );
    const [dead, ...others] = testimonies();
    expect(findForgotten(others, [dead!])).toEqual([]);
    expect(existsSync(log)).toBe(true);
  }
  await ada.run();
  await pushNext(ada);
  await world.settled(world.agents, count);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
  expect(findForgotten(testimonies())).toEqual([]);
  expect(findBrokenPromises(testimonies())).toEqual([]);
  expect(findForks(testimonies())).toEqual([]);
}, 90_000);
