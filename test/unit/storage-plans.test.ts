import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { storeOver } from '../../src/storage/open-store.ts';
import {
  ada,
  bert,
  blocksOf,
  door,
  finalize,
  groupOf,
  introduce,
  sha256,
  stack,
} from '../contract/store-samples.ts';

/** Tables with a few rows for each Pact, group, peer or offender: reading all of one is no harm. */
const SMALL = [
  'vb_setting',
  'vb_avatar',
  'vb_peer',
  'vb_pact',
  'vb_group',
  'vb_vote',
  'vb_fork',
  'vb_evidence',
];

/** Every statement that a store over `database` prepares from here on. */
function recording(database: Database.Database): string[] {
  const statements: string[] = [];
  const prepare = database.prepare.bind(database);
  database.prepare = ((sql: string) => {
    statements.push(sql);
    return prepare(sql);
  }) as typeof database.prepare;
  return statements;
}

function plansOf(database: Database.Database, sql: string): string[] {
  const plan = database.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
  const names = [...sql.matchAll(/@([a-z]+)/g)].map((match) => [match[1]!, 1]);
  const anonymous = sql.split('?').length - 1;
  const named = names.length === 0 ? [] : [Object.fromEntries(names)];
  return plan.all(...Array(anonymous).fill(1), ...named).map((row) => row.detail);
}

/** Does this step of a plan go through all of a table that grows, or sort what it gives? */
function isWhole(detail: string, sql: string): boolean {
  if (/^USE TEMP B-TREE FOR (ORDER|GROUP|DISTINCT)/.test(detail))
    return !SMALL.some((t) => sql.includes(t));
  const scanned = /^SCAN (\w+)/.exec(detail)?.[1];
  if (scanned === undefined || /ROW VALUES CLAUSE|CONSTANT ROW/.test(detail)) return false;
  return !SMALL.some((table) => table === scanned || sql.includes(`${table} ${scanned}`));
}

test('the check of plans sees a scan, also behind another name', () => {
  expect(isWhole('SCAN vb_block', 'SELECT * FROM vb_block')).toBe(true);
  expect(isWhole('SCAN b', 'SELECT * FROM vb_group g, vb_block b')).toBe(true);
  expect(isWhole('SCAN g', 'SELECT * FROM vb_group g, vb_block b')).toBe(false);
  expect(isWhole('USE TEMP B-TREE FOR ORDER BY', 'SELECT * FROM vb_block')).toBe(true);
});

test('no statement of the store reads a whole table that grows', () => {
  const database = new Database(':memory:');
  const statements = recording(database);
  const store: Store = storeOver(database, { file: ':memory:', hash: sha256 });
  const group = groupOf(door, ada, bert);
  introduce(store, door, group);
  const blocks = blocksOf(group, ada, [[['front', true]]]);
  stack(store, ...blocks);
  finalize(store, group, blocks);
  const own = [...new Set(statements)].filter((sql) => /vb_|door/.test(sql));
  expect(own.length).toBeGreaterThan(40);
  const scans = own.flatMap((sql) =>
    plansOf(database, sql)
      .filter((detail) => isWhole(detail, sql))
      .map((detail) => `${detail}: ${sql}`),
  );
  expect(scans).toEqual([]);
  store.close();
});
