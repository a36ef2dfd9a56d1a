import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentProcess } from './agent-process.ts';
import { cleanEnvironment, type Outcome, PROGRAM, runCommand } from './program.ts';
import { NOTE, notes, World } from './world.ts';

let world: World;
let ada: AgentProcess;

beforeAll(async () => {
  world = await World.start({ names: ['ada', 'bert'] });
  ada = world.agents[0]!;
  await ada.push(NOTE, notes('ada', 1, 2000));
});

afterAll(async () => await world?.end());

const on = (...args: string[]): Promise<Outcome> =>
  runCommand([...args, '--home', ada.home.folder]);

/** A command that runs until something ends it. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--home', ada.home.folder], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([exit, signal]) => ({ exit, signal, stderr }));
  return { child, ended };
}

describe('a command', () => {
  test('of every kind works on a World of two, and ends with 0', async () => {
    const status = JSON.parse((await on('status', '--json')).stdout);
    expect(status.peers).toHaveLength(1);
    const { stdout } = await on('query', `SELECT count(*) AS n FROM ${NOTE}`, '--json');
    expect(JSON.parse(stdout)).toEqual({ n: 2000 });
    expect((await on('pull', NOTE, '--from', '1999')).stdout.trim().split('\n')).toHaveLength(2);
    const svg = join(world.folder, 'dag.svg');
    for (const args of [
      ['peer', 'list'],
      ['pact', 'list'],
      ['group', 'show', NOTE],
      ['dag'],
      ['dag', '--svg', svg],
      ['doctor'],
    ]) {
      const { exit, stderr } = await on(...args);
      expect([args, exit, stderr]).toEqual([args, 0, '']);
    }
    expect(readFileSync(svg, 'utf8')).toContain('</svg>');
    expect(JSON.parse((await on('verify', '--json')).stdout)).toMatchObject({ fault: null });
  });

  test('pushes what comes through a pipe, and waits until it is final', async () => {
    const before = (await ada.pull(NOTE)).length;
    const input = notes('pipe', 1, 500)
      .map((note) => `${JSON.stringify(note)}\n`)
      .join('');
    const args = ['push', NOTE, '--wait', 'final', '--home', ada.home.folder];
    expect(await runCommand(args, { input })).toMatchObject({
      exit: 0,
      stdout: '500 Entries final.\n',
    });
    expect(await ada.pull(NOTE)).toHaveLength(before + 500);
  });

  test('ends quietly when its output is closed', async () => {
    const { child, ended } = start('pull', NOTE, '--follow');
    await once(child.stdout, 'data');
    child.stdout.destroy();
    await ada.push(NOTE, notes('late', 1, 2000));
    expect(await ended).toEqual({ exit: 0, signal: null, stderr: '' });
  });

  test('that follows ends with 130 when interrupted', async () => {
    const { child, ended } = start('pull', NOTE, '--follow');
    await once(child.stdout, 'data');
    child.stdout.resume();
    child.kill('SIGINT');
    const { exit, stderr } = await ended;
    expect(exit).toBe(130);
    expect(stderr).toMatch(/^To go on from here: vertebra pull note --from \d+ --follow\n$/);
  });

  test('in the midst of a long SELECT can be interrupted', async () => {
    const endless =
      'WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) ' +
      "SELECT max(i) FROM n UNION ALL SELECT 'never'";
    const { child, ended } = start('query', endless);
    const cpu = () => Number(readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ')[13]);
    // It counts once it has used a second of the processor: by then nothing else is left to do.
    while (cpu() < 100) await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ exit: null, signal: 'SIGINT' });
  });

  test('that waits for its input can be interrupted', async () => {
    const args = ['push', NOTE, '--home', ada.home.folder];
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: cleanEnvironment(),
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = once(child, 'close');
    // No pipe holds so much: once it is gone, the command reads.
    await new Promise((resolve) => child.stdin.write(`"${'x'.repeat(4_000_000)}`, resolve));
    child.kill('SIGINT');
    expect(await ended).toEqual([null, 'SIGINT']);
  });
});

describe('an agent', () => {
  test('shows the World identifier in nothing that it or a command says', async () => {
    const secret = readFileSync(world.secretFile, 'utf8').split(' ')[1]!.trim();
    const hex = Buffer.from(secret, 'base64url').toString('hex');
    const said = [readFileSync(`/proc/${ada.pid}/cmdline`, 'utf8'), ada.logText];
    for (const args of [['status'], ['status', '--json'], ['doctor'], ['pact', 'list', '--json']]) {
      const { stdout, stderr } = await on(...args);
      said.push(stdout, stderr);
    }
    const text = said.join('\n');
    expect(text).toContain('--home');
    for (const form of [secret, hex, hex.toUpperCase()]) expect(text).not.toContain(form);
  });

  test('ends with 0 when it is told to, and leaves no socket', async () => {
    const bert = world.agents[1]!;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      if (!bert.isUp) await bert.run();
      expect(existsSync(bert.world.socketFile)).toBe(true);
      const exited = bert.exited();
      bert.signal(signal);
      expect(await exited).toEqual({ exit: 0, signal: null });
      expect(existsSync(bert.world.socketFile)).toBe(false);
      expect(existsSync(bert.world.agentFile)).toBe(false);
    }
    await bert.run();
  });

  test('that was killed is told from one that runs, and starts again', async () => {
    const bert = world.agents[1]!;
    await bert.kill();
    expect(existsSync(bert.world.socketFile)).toBe(true);
    const { exit, stderr } = await runCommand(['status', '--home', bert.home.folder]);
    expect(exit).toBe(3);
    expect(stderr).toContain('Start it with: vertebra run');
    await bert.run();
    expect((await runCommand(['status', '--home', bert.home.folder])).exit).toBe(0);
  });
});

test('a long home has its socket elsewhere, for its owner alone, and commands know', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vb-long-'));
  const home = join(folder, 'h'.repeat(100));
  const runtime = join(folder, 'run');
  const environment = { XDG_RUNTIME_DIR: runtime };
  const long = (...args: string[]) => runCommand([...args, '--home', home], { environment });
  await long('init');
  await long('world', 'create', 'w', '--secret-file', join(folder, 'w.secret'));
  const agent = spawn(
    process.execPath,
    [PROGRAM, 'run', '--home', home, '--listen', 'tcp://127.0.0.1:0'],
    {
      env: cleanEnvironment({ ...environment, VERTEBRA_LOG_FORMAT: 'json' }),
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const ended = once(agent, 'close');
  for await (const chunk of agent.stderr) if (String(chunk).includes('"ready"')) break;
  expect((await long('status')).exit).toBe(0);
  const [own] = readdirSync(runtime);
  expect(readdirSync(join(runtime, own!))).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.sock$/)]);
  agent.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  rmSync(folder, { recursive: true });
});

test('help and version load nothing heavy', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vb-coverage-'));
  const environment = { NODE_V8_COVERAGE: folder };
  await runCommand(['--help'], { environment });
  await runCommand(['version'], { environment });
  const reports = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  expect(reports).toHaveLength(2);
  for (const report of reports) {
    const scripts = (JSON.parse(report).result as { url: string }[]).map(({ url }) => url);
    const packages = scripts.flatMap((url) => /node_modules\/([^/]+)/.exec(url)?.[1] ?? []);
    expect([...new Set(packages)]).toEqual(['commander']);
    const rooms = scripts.flatMap((url) => /\/build\/([^/]+)\//.exec(url)?.[1] ?? []);
    expect([...new Set(rooms)].sort()).toEqual(['cli', 'model', 'participant']);
  }
  rmSync(folder, { recursive: true });
});
