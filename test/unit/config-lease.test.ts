import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readAgentNote } from '../../src/participant/agent-note.ts';
import { homeAt, makeWorldHome, type WorldHome, worldAt } from '../../src/participant/home.ts';
import { LeaseError, WorldLease } from '../../src/participant/lease.ts';

let folder: string;
let world: WorldHome;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-lease-'));
  world = worldAt(homeAt(folder), 'farm');
  makeWorldHome(world);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A process that holds the lock file as an agent does, until it is killed. */
async function holder(path: string) {
  const sqlite = resolve('node_modules/better-sqlite3');
  const program = `new (require(${JSON.stringify(sqlite)}))(${JSON.stringify(path)})
    .exec('BEGIN EXCLUSIVE'); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

function refusal(run: () => unknown): LeaseError {
  try {
    run();
  } catch (error) {
    if (error instanceof LeaseError) return error;
    throw error;
  }
  throw new Error('was given twice');
}

describe('a World of a home', () => {
  test('is held by one process, which the second one names', async () => {
    const child = await holder(world.lockFile);
    writeFileSync(world.agentFile, JSON.stringify({ pid: child.pid, socket: null }));
    const error = refusal(() => WorldLease.take(world));
    expect(error.pid).toBe(child.pid);
    expect(error.message).toContain(`the process ${child.pid} runs the World farm`);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  test('is free the moment its holder was killed, whatever it left', async () => {
    const child = await holder(world.lockFile);
    writeFileSync(world.agentFile, JSON.stringify({ pid: child.pid, socket: null }));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lease = WorldLease.take(world);
    expect(readAgentNote(world)).toEqual({ pid: process.pid, socket: null });
    lease.release();
  });

  test('is held once within one process', () => {
    const lease = WorldLease.take(world);
    expect(refusal(() => WorldLease.take(world)).pid).toBe(process.pid);
    lease.release();
    WorldLease.take(world).release();
  });

  test('is free again when its note cannot be written, and the error says so', () => {
    mkdirSync(`${world.agentFile}.new`);
    expect(() => WorldLease.take(world)).toThrow(/agent\.json cannot be written \(EISDIR\)/);
    rmSync(`${world.agentFile}.new`, { recursive: true });
    WorldLease.take(world).release();
  });

  test('says where its socket is, until it is given back', () => {
    const lease = WorldLease.take(world);
    lease.note('/run/x.sock');
    expect(readAgentNote(world)).toEqual({ pid: process.pid, socket: '/run/x.sock' });
    lease.release();
    expect(readAgentNote(world)).toBeNull();
  });

  test.each(['', '{', '[]', 'null', '{"pid":"1"}', '{"pid":-1}'])(
    'with the note %j counts as without one',
    (text) => {
      writeFileSync(world.agentFile, text);
      expect(readAgentNote(world)).toBeNull();
      expect(readFileSync(world.agentFile, 'utf8')).toBe(text);
    },
  );
});
