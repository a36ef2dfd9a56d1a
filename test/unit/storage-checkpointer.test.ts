import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/storage/open-store.ts';
import {
  ada,
  blocksOf,
  door,
  finalize,
  groupOf,
  introduce,
  sha256,
  stack,
} from '../contract/store-samples.ts';

let folder: string;
let file: string;
let store: Store;

const group = groupOf(door, ada);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-checkpoint-'));
  file = join(folder, 'world.db');
  store = openStore({ file, hash: sha256 });
  introduce(store, door, group);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Writes so many times 3,000 rows. Nothing of the thread is heard meanwhile. */
function* write(times: number): Generator<void> {
  const lists = Array.from({ length: times }, (_, block) =>
    Array.from({ length: 3000 }, (_, row) => [`door ${block} ${row} ${'.'.repeat(60)}`, true]),
  );
  for (const block of blocksOf(group, ada, lists)) {
    stack(store, block);
    yield;
    finalize(store, group, [block]);
    yield;
  }
}

/** More than the log gathers before it is moved. */
function writeMuch(): void {
  expect([...write(6)]).toHaveLength(12);
}

/** Pages that stand in the write-ahead log alone. */
function backlogOf(tool: Database.Database): number {
  const [state] = tool.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[];
  return state!.log - state!.checkpointed;
}

/** Files of the folder that this process has open, in whatever thread. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd')
    .map((name) => `/proc/self/fd/${name}`)
    .filter((path) => existsSync(path))
    .map((path) => readlinkSync(path))
    .filter((path) => path.startsWith(folder));
}

describe('the write-ahead log', () => {
  test('is moved into the database while the writer does nothing', async () => {
    const tool = new Database(file);
    writeMuch();
    await vi.waitFor(() => expect(backlogOf(tool)).toBeLessThan(1000), { timeout: 20_000 });
    tool.close();
    store.close();
  });

  test('is gone, and nothing holds the file, once the store is closed', () => {
    writeMuch();
    expect(openFiles().length).toBeGreaterThan(1);
    store.close();
    expect(openFiles()).toEqual([]);
    expect(readdirSync(folder)).toEqual(['world.db']);
  });

  test('stays within its bound while nothing is heard of the thread', () => {
    const tool = new Database(file);
    let longest = 0;
    for (const _ of write(36)) longest = Math.max(longest, backlogOf(tool));
    expect(longest).toBeGreaterThan(1000);
    expect(longest).toBeLessThan(4096 + 1000);
    tool.close();
    store.close();
  });
});
