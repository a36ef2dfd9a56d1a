import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EntrySequence } from '../../src/model/numbers.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { sha256 } from '../contract/store-samples.ts';

const CHILD = fileURLToPath(new URL('storage-crash-child.mjs', import.meta.url));

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-crash-'));
  file = join(folder, 'world.db');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the child until it says something that `isLast`, and kills it there if it still runs. */
async function runUntil(
  isLast: (line: string) => boolean,
  start: () => ChildProcess,
): Promise<string[]> {
  const child = start();
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line);
    if (isLast(line)) child.kill('SIGKILL');
  }
  await ended;
  return lines;
}

function child(rowCount: number, stopAt: number): ChildProcess {
  const args = [CHILD, file, String(rowCount), String(stopAt)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

const committed = (lines: readonly string[]) =>
  Math.max(
    0,
    ...lines.filter((each) => each.startsWith('committed')).map((each) => +each.slice(10)),
  );

/** How many Blocks the database holds; every part of it must say the same. */
function blocksHeld(rowCount: number): number {
  const store = openStore({ file, hash: sha256 });
  const [group] = store.groups();
  const count = store.frontier(group!.id)[0]?.sequence ?? 0;
  expect(store.finalFrontier(group!.id)[0]?.sequence ?? 0).toBe(count);
  expect(store.votes()[0]?.ballot ?? 0).toBe(count);
  expect(store.lastSequence(group!.id)).toBe(count * rowCount);
  expect(store.pendingBlocks(group!.id)).toEqual([]);
  const last = store.entries(group!.id, (count * rowCount) as EntrySequence, 9);
  expect(last).toHaveLength(count === 0 ? 0 : 1);
  store.close();
  const tool = new Database(file);
  expect(tool.pragma('integrity_check', { simple: true })).toBe('ok');
  const rows = tool.prepare('SELECT count(*), max(_seq) FROM door').raw().get();
  expect(rows).toEqual([count * rowCount, count === 0 ? null : count * rowCount]);
  expect(tool.prepare('SELECT open FROM vb_guard').pluck().get()).toBe(0);
  expect(() => tool.exec('DELETE FROM vb_group')).toThrow('vertebra alone');
  tool.close();
  return count;
}

describe('kill -9', () => {
  test('within a transaction takes back that one, and nothing that was committed', async () => {
    let held = 0;
    for (const stopAt of [1, 2, 5]) {
      const lines = await runUntil(
        (line) => line.startsWith('within'),
        () => child(20_000, stopAt),
      );
      expect(lines.at(-1)).toBe(`within ${stopAt}`);
      expect(Math.max(held, committed(lines))).toBe(stopAt - 1);
      held = blocksHeld(20_000);
      expect(held).toBe(stopAt - 1);
    }
  });

  test('at any moment loses nothing that was committed', async () => {
    let held = 0;
    for (const after of [1, 3, 20, 77]) {
      const goal = held + after;
      const lines = await runUntil(
        (line) => line === `committed ${goal}`,
        () => child(50, 0),
      );
      const said = committed(lines);
      held = blocksHeld(50);
      expect(said).toBeGreaterThanOrEqual(goal);
      expect([said, said + 1]).toContain(held);
    }
  });
});

test('a file that may not grow ends in an error, with all that was committed', async () => {
  const limited = () =>
    spawn('sh', ['-c', `ulimit -f 2000 && exec "${process.execPath}" "${CHILD}" "${file}" 500 0`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const lines = await runUntil(() => false, limited);
  expect(lines.at(-1)).toMatch(/^stopped StoreError STORE_(FAILED|FULL)/);
  expect(committed(lines)).toBeGreaterThan(0);
  expect(blocksHeld(500)).toBe(committed(lines));
});
