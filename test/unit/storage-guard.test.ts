import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
let store: Store;
/** What any SQLite tool sees. */
let tool: Database.Database;

const group = groupOf(door, ada);
/** So many that the guard of the table is lifted while they are written. */
const MANY = Array.from({ length: 5000 }, (_, row) => [`door ${row}`, row % 2 === 0]);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-guard-'));
  const file = join(folder, 'world.db');
  store = openStore({ file, hash: sha256 });
  tool = new Database(file, { timeout: 0 });
  introduce(store, door, group);
});

afterEach(() => {
  tool.close();
  store.close();
  rmSync(folder, { recursive: true });
});

const COPY = `INSERT INTO door
  SELECT door, open, _group, _seq + 10000, _entry, _block, _issuer, _at, NULL FROM door`;
const triggers = (): unknown[] =>
  tool.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name").all();
const count = (): unknown => tool.prepare('SELECT count(*) FROM door').pluck().get();

describe('a Block of many Entries', () => {
  test('leaves the guard of its table as it was', () => {
    const before = triggers();
    const blocks = blocksOf(group, ada, [MANY, [['last', true]]]);
    stack(store, ...blocks);
    finalize(store, group, blocks);
    expect(count()).toBe(5001);
    expect(triggers()).toEqual(before);
    expect(() => tool.exec(COPY)).toThrow(/door is written by vertebra alone/);
  });

  test('opens the table to nobody else while it is written', () => {
    const [first, second] = blocksOf(group, ada, [[['first', true]], MANY]);
    stack(store, first!, second!);
    finalize(store, group, [first!]);
    const before = triggers();
    store.transaction(() => {
      store.finalize({
        group: group.id,
        chain: null,
        blocks: [{ block: second!.block, entries: second!.entries }],
      });
      expect(triggers()).toEqual(before);
      expect(() => tool.exec(COPY)).toThrow(/locked/);
    });
    expect(count()).toBe(5001);
  });

  test('that is rolled back leaves guard and rows as they were, and can be written again', () => {
    const blocks = blocksOf(group, ada, [MANY]);
    stack(store, ...blocks);
    const before = triggers();
    expect(() =>
      store.transaction(() => {
        const [{ block, entries }] = blocks as [(typeof blocks)[0]];
        store.finalize({ group: group.id, chain: null, blocks: [{ block, entries }] });
        throw new Error('after the rows');
      }),
    ).toThrow('after the rows');
    expect([count(), triggers()]).toEqual([0, before]);
    finalize(store, group, blocks);
    expect([count(), triggers()]).toEqual([5000, before]);
  });
});

describe('a guard that somebody dropped', () => {
  test('stops no large Block, and is back after it', () => {
    tool.exec('DROP TRIGGER vb_guard_insert_door');
    const blocks = blocksOf(group, ada, [MANY]);
    stack(store, ...blocks);
    finalize(store, group, blocks);
    expect(() => tool.exec(COPY)).toThrow(/door is written by vertebra alone/);
  });

  test('is back when the store is opened again', () => {
    const before = triggers();
    for (const { name } of before as { name: string }[]) tool.exec(`DROP TRIGGER "${name}"`);
    expect(triggers()).toEqual([]);
    store.close();
    store = openStore({ file: join(folder, 'world.db'), hash: sha256 });
    expect(triggers()).toEqual(before);
  });
});

test('an index of a user that refuses Entries is named, with the way out', () => {
  tool.exec('CREATE UNIQUE INDEX my_doors ON door (door)');
  const blocks = blocksOf(group, ada, [
    [
      ['front', true],
      ['front', false],
    ],
  ]);
  stack(store, ...blocks);
  expect(() => finalize(store, group, blocks)).toThrow(
    /not of vertebra stands in the way: drop it.*door\.door/,
  );
  tool.exec('DROP INDEX my_doors');
  finalize(store, group, blocks);
  expect(count()).toBe(2);
});
