import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { DemoResult } from '../../src/cli/demo/demo-run.ts';
import { DEMO_WORLD } from '../../src/cli/demo/demo-world.ts';
import { type Comparison, compareWorlds } from '../../src/storage/world-digest.ts';
import { AgentProcess } from './agent-process.ts';
import { processesWith } from './processes.ts';
import { buildProgram, cleanEnvironment, PROGRAM, runCommand } from './program.ts';
import { until } from './waiting.ts';

let folder: string;
/** Where the demo makes its cable. */
let temporary: string;
let child: ChildProcess | null = null;

beforeAll(buildProgram);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vb-demo-'));
  temporary = mkdtempSync(join(tmpdir(), 'vb-demo-cable-'));
});

afterEach(async () => {
  child?.kill('SIGKILL');
  child = null;
  await until('nobody is left', () =>
    [folder, temporary].every((each) => processesWith(each).length === 0),
  );
  for (const each of [folder, temporary]) rmSync(each, { recursive: true, force: true });
});

/** The homes go into `folder`, by which its processes can be told. */
function startDemo(...args: string[]): ChildProcess {
  child = spawn(process.execPath, [PROGRAM, 'demo', '--keep', folder, ...args], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: cleanEnvironment({ TMPDIR: temporary }),
  });
  return child;
}

/** The three agents, without the demo itself. */
function agents(): number[] {
  return processesWith(folder).filter((pid) => pid !== child?.pid);
}

function participants(): AgentProcess[] {
  const homes = readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory());
  return homes.map(({ name }) => {
    const place = { name, folder: join(folder, name), world: DEMO_WORLD };
    return new AgentProcess({ ...place, url: '', peers: [] });
  });
}

async function untilTheyAgree(): Promise<void> {
  await until('the demo has Finalized Entries', async () => {
    const statuses = await Promise.all(participants().map((each) => each.status()));
    return statuses.length === 3 && statuses.every((each) => (each?.finalizedEntries ?? 0) > 20);
  });
}

function compare(): Comparison {
  return compareWorlds(participants().map((each) => each.world.databaseFile));
}

test('the demo ends by itself, and its last line says what three databases agree on', async () => {
  const { exit, stdout } = await runCommand(['demo', '--seconds', '8', '--json'], {
    withinMs: 50_000,
  });
  const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as DemoResult;
  expect(result).toEqual({
    participants: 3,
    agree: true,
    finalizedEntries: expect.any(Number),
    generations: expect.any(Number),
    finalityMs: { p50: expect.any(Number), p99: expect.any(Number) },
    links: { tcp: 1, mqtt: 1, serial: 1 },
    frames: {
      tcp: expect.any(Number),
      mqtt: expect.any(Number),
      serial: expect.any(Number),
    },
  });
  for (const frames of Object.values(result.frames)) expect(frames).toBeGreaterThan(10);
  expect(result.finalizedEntries).toBeGreaterThan(0);
  expect(result.generations).toBeGreaterThan(0);
  expect(result.finalityMs.p50).toBeGreaterThan(0);
  expect(result.finalityMs.p99).toBeGreaterThanOrEqual(result.finalityMs.p50);
  expect(exit).toBe(0);
}, 60_000);

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends the demo cleanly',
  async (signal) => {
    const demo = startDemo();
    await untilTheyAgree();
    expect(agents()).toHaveLength(3);
    const exit = once(demo, 'exit');
    demo.kill(signal);
    const [code] = await exit;
    expect([0, 130]).toContain(code);
    expect(agents()).toEqual([]);
    expect(compare()).toMatchObject({ agree: true });
  },
  60_000,
);

/** As a person at a terminal sees it, whose keys are what is written to the child. */
function startOnTerminal(): ChildProcess {
  const command = [process.execPath, PROGRAM, 'demo', '--keep', folder].join(' ');
  child = spawn('socat', ['-', `EXEC:${command},pty,setsid,ctty`], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: cleanEnvironment({ TMPDIR: temporary }),
  });
  return child;
}

async function finals(): Promise<number[]> {
  const statuses = await Promise.all(participants().map((each) => each.status()));
  return statuses.map((each) => each?.finalizedEntries ?? 0);
}

async function linksOf(kind: string): Promise<number> {
  const statuses = await Promise.all(participants().map((each) => each.status()));
  const peers = statuses.flatMap((each) => each?.peers ?? []);
  return peers.filter((each) => each.kind === kind && each.state === 'connected').length;
}

test('the World goes on whichever of its wires is cut, and uses it again', async () => {
  const demo = startOnTerminal();
  await untilTheyAgree();
  for (const [key, kind] of [
    ['t', 'tcp'],
    ['m', 'mqtt'],
    ['s', 'serial'],
  ] as const) {
    await until(`${kind} is used`, async () => (await linksOf(kind)) === 2);
    demo.stdin!.write(key);
    await until(`${kind} is gone`, async () => (await linksOf(kind)) === 0, { withinMs: 90_000 });
    const before = await finals();
    await until('all three go on', async () => {
      const now = await finals();
      return now.every((count, index) => count > before[index]! + 5);
    });
    demo.stdin!.write(key);
    await until(`${kind} is back`, async () => (await linksOf(kind)) === 2, { withinMs: 90_000 });
  }
  const exit = once(demo, 'exit');
  demo.stdin!.write('q');
  await exit;
  expect(agents()).toEqual([]);
  expect(compare()).toMatchObject({ agree: true });
}, 400_000);

test('a demo of whose agents one was killed brings it back, and all agree in the end', async () => {
  const demo = startDemo();
  await untilTheyAgree();
  const [victim] = participants();
  process.kill((await victim!.status())!.pid, 'SIGKILL');
  const before = await participants()[1]!.status();
  await until('the other two go on', async () => {
    const now = await participants()[1]!.status();
    return now !== null && now.finalizedEntries > before!.finalizedEntries + 5;
  });
  const exit = once(demo, 'exit');
  demo.kill('SIGINT');
  const [code] = await exit;
  expect([0, 130]).toContain(code);
  expect(agents()).toEqual([]);
  expect(compare()).toMatchObject({ agree: true });
}, 60_000);

test.each([
  ['while its agents start', () => until('one is there', () => agents().length > 0)],
  ['while its agents agree', untilTheyAgree],
])(
  'a demo that is killed %s leaves none of them behind',
  async (_when, moment) => {
    const demo = startDemo();
    await moment();
    const exit = once(demo, 'exit');
    demo.kill('SIGKILL');
    await exit;
    await until('the agents have ended', () => agents().length === 0);
    expect(agents()).toEqual([]);
    await until('its cable is gone', () => processesWith(temporary).length === 0);
  },
  60_000,
);
