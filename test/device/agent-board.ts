import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { id, levelOf } from './real-chips.ts';

const pathOf = (name: string) => new URL(`../../${name}`, import.meta.url).pathname;

let folder: string;
let agent: ChildProcess;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-pins-'));
});
afterEach(async () => {
  if (agent.exitCode === null && agent.signalCode === null) {
    const ended = once(agent, 'exit');
    agent.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true });
});

/** What the next line says. */
async function nextLine(): Promise<string> {
  let text = '';
  while (!text.includes('\n')) text += String((await once(agent.stdout!, 'data'))[0]);
  return text.trim();
}

async function command(...args: string[]): Promise<{ exit: number | null; said: string }> {
  const line = [pathOf('build/device/vertebra.mjs'), 'device', ...args, '--home', folder];
  const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += bytes));
  const [exit] = await once(child, 'close');
  return { exit, said };
}

test('an agent moves a pin, keeps it from others, and leaves it safe however it ends', async () => {
  agent = spawn(process.execPath, [pathOf('build/device/agent.mjs'), folder, id], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  expect(await nextLine()).toBe('ready');
  expect(levelOf(17)).toBe('low');
  agent.stdin!.write('set 1\n');
  expect(JSON.parse(await nextLine())).toMatchObject({
    ...{ name: 'fan', where: 'GPIO17 (J8:11)', state: 'ready', holder: 'this agent', value: true },
  });
  expect(levelOf(17)).toBe('high');
  const refused = await command('test', 'fan', '--output', '--seconds', '0');
  expect(refused).toMatchObject({ exit: 6 });
  expect(refused.said).toContain(`held by device fan (process ${agent.pid})`);
  expect(levelOf(17)).toBe('high');
  const ended = once(agent, 'exit');
  agent.kill('SIGKILL');
  await ended;
  // This kernel takes the line back; that of a Pi may not, and then this makes it safe.
  expect((await command('safe')).exit).toBe(0);
  expect(levelOf(17)).toBe('low');
});
