import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EntrySequence } from '../../src/model/numbers.ts';
import { encodeCause, withCause } from '../../src/model/saga.ts';
import type { Store } from '../../src/ports/store.ts';
import { createPactReader } from '../../src/schema/pact-reader.ts';
import { openStore } from '../../src/storage/open-store.ts';
import {
  ada,
  blocksOf,
  door,
  groupOf,
  idOf,
  introduce,
  pactOf,
  type Rows,
  sha256,
} from '../contract/store-samples.ts';

let folder: string;
let store: Store;
let tool: Database.Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-causes-'));
  const file = join(folder, 'world.db');
  store = openStore({ file, hash: sha256 });
  tool = new Database(file);
});

afterEach(() => {
  tool.close();
  store.close();
  rmSync(folder, { recursive: true });
});

const group = groupOf(door, ada);
const one = encodeCause({ invocation: idOf('one'), step: 0, index: 0 });
const two = encodeCause({ invocation: idOf('one'), step: 0, index: 1 });
const rowsOf = (sql: string) => tool.prepare<[], unknown[]>(sql).raw().all();

/** Blocks become final in order; `late` is without its payload until then. */
function fill(lists: readonly Rows[], late: number | null = null): void {
  introduce(store, door, group);
  const blocks = blocksOf(group, ada, lists);
  store.transaction(() => {
    for (const [index, { block, payload }] of blocks.entries()) {
      store.putBlock(block, index === late ? null : payload);
    }
    const steps = blocks.map(({ block, entries }, index) => ({
      block,
      entries: index === late ? null : entries,
    }));
    store.finalize({ group: group.id, chain: null, blocks: steps });
  });
  if (late === null) return;
  const { block, payload, entries } = blocks[late]!;
  store.transaction(() => {
    store.putBlock(block, payload);
    store.projectLate(block.id, entries);
  });
}

const FRONT: Rows = [
  ['front', true],
  ['front', false, one],
  ['back', true, two],
];
const AGAIN: Rows = [
  ['front', true, one],
  ['front', true, two],
  ['side', true],
];

test('of Entries with one cause the first has a row, and the next have a number alone', () => {
  fill([FRONT, AGAIN]);
  expect(rowsOf('SELECT _seq, _entry, _cause IS NULL FROM door')).toEqual([
    [1, 0, 1],
    [2, 1, 0],
    [3, 2, 0],
    [6, 2, 1],
  ]);
  const stored = store.entries(group.id, 1 as EntrySequence, 10);
  expect(stored.map(({ isVoid }) => isVoid)).toEqual([false, false, false, true, true, false]);
  expect(rowsOf('SELECT door, open, _seq FROM door_now ORDER BY door')).toEqual([
    ['back', 1, 3],
    ['front', 0, 2],
    ['side', 1, 6],
  ]);
});

test('where the payload of the first comes later, the row of the second is taken back', () => {
  fill([FRONT, AGAIN], 0);
  expect(rowsOf('SELECT _seq FROM door')).toEqual([[1], [2], [3], [6]]);
  expect(rowsOf('SELECT door, open, _seq, _cause IS NULL FROM door_now ORDER BY door')).toEqual([
    ['back', 1, 3, 0],
    ['front', 0, 2, 0],
    ['side', 1, 6, 1],
  ]);
  expect(rowsOf('SELECT seq FROM vb_void')).toEqual([[4], [5]]);
});

test('an Entry reads back with its cause, and with no other item more', () => {
  const codec = createPactReader({ hash: sha256 }).codecOf(door);
  const plain = codec.encode({ door: 'front', open: true });
  if (!plain.ok) throw new Error(plain.message);
  const cause = { invocation: idOf('two'), step: 3, index: 1 };
  const caused = withCause(plain.value, cause);
  expect(codec.decode(caused)).toEqual({ ok: true, value: ['front', true, encodeCause(cause)] });
  expect(codec.toRecord(['front', true, encodeCause(cause)])).toEqual({
    door: 'front',
    open: true,
  });
  const short = new Uint8Array(caused.subarray(0, -1));
  const other = new Uint8Array(caused);
  other[plain.value.length + 1]!--;
  const twice = withCause(caused, cause);
  for (const bytes of [short, other, twice]) expect(codec.decode(bytes).ok).toBe(false);
});

test.each([1, 22, 23, 24, 254, 255, 256])('a Pact of %s fields has room for a cause', (count) => {
  const names = Array.from({ length: count }, (_, index) => `f${index}`);
  const pact = pactOf('many', Object.fromEntries(names.map((name) => [name, { type: 'boolean' }])));
  const codec = createPactReader({ hash: sha256 }).codecOf(pact);
  const plain = codec.encode(Object.fromEntries(names.map((name) => [name, true])));
  if (!plain.ok) throw new Error(plain.message);
  const cause = { invocation: idOf('two'), step: 3, index: 1 };
  const read = codec.decode(withCause(plain.value, cause));
  if (!read.ok) throw new Error(read.message);
  expect(read.value.length).toBe(count + 1);
  expect(read.value.at(-1)).toEqual(encodeCause(cause));
});
