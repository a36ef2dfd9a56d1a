import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sealBlock } from '../../src/model/block.ts';
import type { EntrySequence } from '../../src/model/numbers.ts';
import {
  type GroupOrigin,
  groupNumberOf,
  makeSuccessor,
  type SyncGroup,
} from '../../src/model/sync-group.ts';
import type { Store } from '../../src/ports/store.ts';
import { AuditReader } from '../../src/storage/audit-reader.ts';
import { openStore } from '../../src/storage/open-store.ts';
import {
  ada,
  bert,
  blockAfter,
  door,
  finalize,
  groupOf,
  introduce,
  type Rows,
  type Stackable,
  sha256,
  stack,
} from '../contract/store-samples.ts';

let folder: string;
let file: string;
let store: Store;
let tool: Database.Database;
const old = groupOf(door, ada);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-succession-'));
  file = join(folder, 'world.db');
  store = openStore({ file, hash: sha256 });
  tool = new Database(file);
  introduce(store, door, old);
});

afterEach(() => {
  tool.close();
  store.close();
  rmSync(folder, { recursive: true });
});

function push(group: SyncGroup, before: Stackable | null, rows: Rows): Stackable {
  const block = blockAfter(before, group, group.owners[0]!, rows);
  stack(store, block);
  finalize(store, group, [block]);
  return block;
}

function goOn(group: SyncGroup, kind: GroupOrigin['kind'], sequence: number): SyncGroup {
  const origin = { kind, group: group.id, at: null, sequence: sequence as EntrySequence };
  const { quorumPolicy, availability } = group;
  const next = { owners: [bert], quorumPolicy, availability };
  const made = makeSuccessor(sha256, door.id, origin, next);
  store.transaction(() => store.putGroup(made));
  return made;
}

/** The current state of a group: door, open or not, number of the Entry. */
function now(group: SyncGroup): unknown[] {
  const sql = 'SELECT door, open, _seq FROM door_now WHERE _group = ? ORDER BY door';
  return tool.prepare<[number], unknown[]>(sql).raw().all(groupNumberOf(group.id));
}

/** What a proof of the database finds wrong with the current state. */
function wrong(): unknown[] {
  const reader = AuditReader.open(file);
  const both = { table: 'door', now: 'door_now' };
  const found = [reader.forgedNow(both, door), reader.missedNow(both, door)];
  reader.close();
  return found.filter((each) => each !== undefined);
}

test('a hand-over moves the current state, and numbers of Entries go on', () => {
  push(old, null, [
    ['front', true],
    ['back', true],
  ]);
  const next = goOn(old, 'hand-over', 2);
  expect(now(old)).toEqual([]);
  expect(now(next)).toEqual([
    ['back', 1, 2],
    ['front', 1, 1],
  ]);
  push(next, null, [['front', false]]);
  expect(now(next)).toEqual([
    ['back', 1, 2],
    ['front', 0, 3],
  ]);
  expect(store.lastSequence(next.id)).toBe(3);
  expect(store.entries(next.id, 1 as EntrySequence, 9).map(({ sequence }) => sequence)).toEqual([
    3,
  ]);
  expect(wrong()).toEqual([]);
});

test('Entries of the old group that come late find their place in the state that goes on', () => {
  const late = blockAfter(null, old, ada, [
    ['front', true],
    ['back', true],
  ]);
  store.transaction(() => store.putBlock(late.block, null));
  finalize(store, old, [late]);
  const middle = goOn(old, 'hand-over', 2);
  const last = goOn(middle, 'hand-over', 2);
  push(last, null, [['front', false]]);
  stack(store, late);
  store.transaction(() => store.projectLate(late.block.id, late.entries));
  expect([now(old), now(middle)]).toEqual([[], []]);
  expect(now(last)).toEqual([
    ['back', 1, 2],
    ['front', 0, 3],
  ]);
  expect(wrong()).toEqual([]);
});

test('a split leaves each group a state of its own, from the same Entry on', () => {
  const first = push(old, null, [['front', true]]);
  const second = push(old, first, [
    ['front', false],
    ['side', true],
  ]);
  const split = goOn(old, 'split', 1);
  expect(now(split)).toEqual([['front', 1, 1]]);
  push(split, null, [['back', true]]);
  push(old, second, [['front', true]]);
  expect(now(old)).toEqual([
    ['front', 1, 4],
    ['side', 1, 3],
  ]);
  expect(now(split)).toEqual([
    ['back', 1, 2],
    ['front', 1, 1],
  ]);
  const again = goOn(split, 'hand-over', 2);
  expect(now(split)).toEqual([]);
  const other = goOn(old, 'split', 3);
  expect(now(other)).toEqual([
    ['front', 0, 2],
    ['side', 1, 3],
  ]);
  expect(goOn(split, 'split', 1) && now(again)).toHaveLength(2);
  expect(wrong()).toEqual([]);
});

test('a state that was taken from elsewhere, or is missing, is found', () => {
  push(old, null, [['front', true]]);
  const next = goOn(old, 'hand-over', 1);
  const spoil = (sql: string) => {
    const database = new Database(file);
    database.exec(`UPDATE vb_guard SET open = 1; ${sql}; UPDATE vb_guard SET open = 0;`);
    database.close();
  };
  spoil(`UPDATE door_now SET _group = ${groupNumberOf(old.id)}`);
  expect(wrong()).toHaveLength(1);
  spoil(`UPDATE door_now SET _group = ${groupNumberOf(next.id)}, open = 0`);
  expect(wrong()).toHaveLength(1);
});

test('a hand-over Block is the last that is final, has no Entries, and is found again', () => {
  const before = push(old, null, [['front', true]]);
  expect(store.handOver(old.id)).toBeNull();
  const made = blockAfter(before, old, ada, [['back', true]]);
  const payload = new Uint8Array(120);
  const header = { ...made.block, entryCount: 0, byteLength: payload.length };
  const block = sealBlock(sha256, header, made.block.signature);
  store.transaction(() => {
    store.putBlock(block, payload);
    store.finalize({ group: old.id, chain: null, blocks: [{ block, entries: null }] });
  });
  expect(store.handOver(old.id)).toBe(block.id);
  expect(store.lastSequence(old.id)).toBe(1);
  expect(store.entries(old.id, 1 as EntrySequence, 9)).toHaveLength(1);
  expect(store.entries(old.id, 2 as EntrySequence, 9)).toEqual([]);
  expect(store.groups().map(({ id }) => id)).toEqual([old.id]);
});

test('what a group goes on from reads back', () => {
  const next = goOn(old, 'hand-over', 0);
  expect(store.groups()).toContainEqual(next);
  expect(store.groups()).toContainEqual(old);
});
