import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StoreError } from '../../src/ports/store.ts';
import { openStore, openStoreReadOnly, type ReadOnlyStore } from '../../src/storage/open-store.ts';
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

const folder = mkdtempSync(join(tmpdir(), 'vertebra-query-'));
const file = join(folder, 'world.db');
const group = groupOf(door, ada);
let reading: ReadOnlyStore;

beforeAll(() => {
  const store = openStore({ file, hash: sha256 });
  introduce(store, door, group);
  const blocks = blocksOf(group, ada, [
    [
      ['front', true],
      ['back', false],
    ],
  ]);
  stack(store, ...blocks);
  finalize(store, group, blocks);
  store.close();
  reading = openStoreReadOnly({ file, hash: sha256 });
});

afterAll(() => {
  reading.close();
  rmSync(folder, { recursive: true });
});

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (cause) {
    if (cause instanceof StoreError) return `${cause.code}: ${cause.message}`;
    throw cause;
  }
  return 'done';
}

describe('a query', () => {
  test('gives columns and rows as they are read', () => {
    const { columns, rows } = reading.query('SELECT door, open AS is_open FROM door ORDER BY 1');
    expect(columns).toEqual(['door', 'is_open']);
    expect(rows.next().value).toEqual(['back', 0]);
    expect([...rows]).toEqual([['front', 1]]);
  });

  test('gives integers exactly', () => {
    const sql = 'SELECT 9007199254740991, 9007199254740993, -9223372036854775808';
    const [row] = [...reading.query(sql).rows];
    expect(row).toEqual([9007199254740991, 9007199254740993n, -9223372036854775808n]);
  });

  test('may be left before its end', () => {
    for (const row of reading.query('SELECT door FROM door').rows) {
      expect(row).toHaveLength(1);
      break;
    }
    expect([...reading.query('SELECT count(*) FROM door').rows]).toEqual([[2]]);
  });

  test.each([
    'DELETE FROM door',
    'INSERT INTO vb_peer VALUES (1)',
    'CREATE TABLE t (x)',
    'DROP TABLE door',
    'PRAGMA user_version = 9',
    "VACUUM INTO '/tmp/stolen.db'",
    "ATTACH '/tmp/other.db' AS other",
    'BEGIN',
    'INSERT INTO vb_peer VALUES (1) RETURNING url',
  ])('%s is not run', (sql) => {
    expect(codeOf(() => [...reading.query(sql).rows])).toMatch(/^STORE_READ_ONLY/);
  });

  test.each([
    ['SELECT 1; SELECT 2', 'one statement'],
    ['', 'one statement'],
    ['SELEKT', 'syntax error'],
    ['SELECT * FROM nowhere', 'no such table'],
  ])('%s is answered with what is wrong', (sql, words) => {
    const said = codeOf(() => [...reading.query(sql).rows]);
    expect(said).toMatch(/^STORE_FAILED/);
    expect(said).toContain(words);
  });
});

describe('a store for reading', () => {
  test('reads what the store reads, and writes nothing', () => {
    expect(reading.groups()).toEqual([group]);
    expect(reading.lastSequence(group.id)).toBe(2);
    expect(codeOf(() => reading.transaction(() => reading.putPeerUrl('a')))).toMatch(
      /^STORE_READ_ONLY/,
    );
  });

  test('reads beside an agent that writes, and sees what was committed', () => {
    const writer = openStore({ file, hash: sha256 });
    writer.transaction(() => {
      writer.putPeerUrl('tcp://a:1');
      expect(reading.peerUrls()).toEqual([]);
    });
    expect(reading.peerUrls()).toEqual(['tcp://a:1']);
    writer.close();
  });

  test('refuses what the store refuses, and makes no file', () => {
    const other = join(folder, 'other.db');
    expect(codeOf(() => openStoreReadOnly({ file: other, hash: sha256 }))).toContain(
      'no such database',
    );
    new Database(other).exec('CREATE TABLE t (x)').close();
    const foreign = codeOf(() => openStoreReadOnly({ file: other, hash: sha256 }));
    expect(foreign).toMatch(/^STORE_FOREIGN/);
  });
});
