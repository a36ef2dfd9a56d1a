import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sealCut } from '../../src/model/cut.ts';
import { type Ballot, type Level, NO_GENERATION } from '../../src/model/numbers.ts';
import type { EntryValue } from '../../src/model/pact.ts';
import { NO_VALUE } from '../../src/model/saga-progress.ts';
import { groupNumberOf, type SyncGroup } from '../../src/model/sync-group.ts';
import type { Store } from '../../src/ports/store.ts';
import { freshProgress } from '../../src/saga/matching.ts';
import { INTERNAL_TABLES } from '../../src/storage/migrations.ts';
import { openStore } from '../../src/storage/open-store.ts';
import {
  ada,
  bert,
  blocksOf,
  certificateOf,
  door,
  finalize,
  forkOf,
  groupOf,
  introduce,
  metablockAfter,
  pactOf,
  type Rows,
  sha256,
  stack,
} from '../contract/store-samples.ts';

let folder: string;
let file: string;
let store: Store;
/** What any SQLite tool sees: a connection that is not ours. */
let tool: Database.Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-tables-'));
  file = join(folder, 'world.db');
  store = openStore({ file, hash: sha256 });
  tool = new Database(file);
});

afterEach(() => {
  tool.close();
  store.close();
  rmSync(folder, { recursive: true });
});

const rowsOf = (sql: string, from = tool) => from.prepare<[], unknown[]>(sql).raw().all();

const group = groupOf(door, ada, bert);

/** Pushes rows of `door` in one Block each list, all final. */
function fill(...lists: Rows[]): void {
  introduce(store, door, group);
  const blocks = blocksOf(group, ada, lists);
  stack(store, ...blocks);
  finalize(store, group, blocks);
}

/** Puts at least one row into each internal table. */
function fillEveryTable(): void {
  const cause = new Uint8Array(36);
  fill([
    ['front', true],
    ['back', true, cause],
    ['back', true, cause],
  ]);
  const metablock = metablockAfter(null, [group]);
  finalize(store, group, [], { id: metablock.id, level: 0 });
  store.transaction(() => {
    store.putSetting('a', new Uint8Array());
    store.putAvatar({ id: ada, name: 'ada', seenAtMs: 1 });
    store.putPeerUrl('tcp://a:1');
    store.putMetablock(metablock);
    store.putCertificate(certificateOf(metablock.id, ada, group));
    store.putVote({
      group: group.id,
      ballot: 0 as Ballot,
      votedBallot: 0 as Ballot,
      votes: [],
      lock: null,
      highestCertified: NO_GENERATION,
      highestFinalizable: NO_GENERATION,
    });
    store.putFork(forkOf(group, ada), 1);
    store.sagas.putProgress(freshProgress(ada, 1));
    store.sagas.putScope(ada, bert, NO_VALUE);
    store.sagas.putCursor(ada, 1);
    const place = { group: group.id, level: 0 as Level, metablock: metablock.id };
    const cut = { ...place, lastSequence: store.lastSequence(group.id), tips: [] };
    store.cuts.putCutPlace(cut, 1);
    store.cuts.signCut(sealCut(cut, [{ owner: ada, signature: new Uint8Array(64) }]));
    const items = [new Uint8Array(1)];
    store.putEvidence({ id: ada, group: null, offender: ada, kind: 'k', items, seenAtMs: 1 });
  });
}

describe('the table of a Pact', () => {
  test('has a fitting column for each field, and says where each row comes from', () => {
    const pact = pactOf('every_type', {
      s: { type: 'string' },
      i: { type: 'integer' },
      n: { type: 'number' },
      t: { type: 'boolean' },
      b: { type: 'string', contentEncoding: 'base64' },
      a: { type: 'array', items: { type: 'integer' } },
      o: { type: 'object', properties: { y: { type: 'string', contentEncoding: 'base64' } } },
    });
    const owned = groupOf(pact, ada);
    introduce(store, pact, owned);
    const values: EntryValue[] = [
      'text "quoted"',
      Number.MAX_SAFE_INTEGER,
      2,
      true,
      new Uint8Array([0, 255]),
      [1, 2],
      { y: new Uint8Array([1]) },
    ];
    const [block] = blocksOf(owned, ada, [[values]]);
    stack(store, block!);
    finalize(store, owned, [block!]);
    expect(rowsOf('SELECT s, i, n, t, b, a, o FROM every_type')).toEqual([
      [
        'text "quoted"',
        Number.MAX_SAFE_INTEGER,
        2,
        1,
        Buffer.from([0, 255]),
        '[1,2]',
        '{"y":"AQ=="}',
      ],
    ]);
    expect(rowsOf('SELECT typeof(n), typeof(i), typeof(b) FROM every_type')).toEqual([
      ['real', 'integer', 'blob'],
    ]);
    expect(rowsOf('SELECT _group, _seq, _entry, _block, _issuer, _at FROM every_type')).toEqual([
      [
        groupNumberOf(owned.id),
        1,
        0,
        Buffer.from(block!.block.id, 'hex'),
        Buffer.from(ada, 'hex'),
        block!.block.atMs,
      ],
    ]);
    const strict = rowsOf("SELECT strict, wr FROM pragma_table_list WHERE name = 'every_type'");
    expect(strict).toEqual([[1, 1]]);
  });

  test('has null where a field was left out, and only there', () => {
    const file = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } };
    const pact = {
      ...pactOf('loose', file.properties),
      fields: [
        { name: 'a', type: 'string' as const, optional: false },
        { name: 'b', type: 'string' as const, optional: true },
      ],
    };
    const owned = groupOf(pact, ada);
    introduce(store, pact, owned);
    const [block] = blocksOf(owned, ada, [[['x', null]]]);
    stack(store, block!);
    finalize(store, owned, [block!]);
    expect(rowsOf('SELECT a, b FROM loose')).toEqual([['x', null]]);
    const notNull = rowsOf('SELECT name, "notnull" FROM pragma_table_info(\'loose\') LIMIT 2');
    expect(notNull).toEqual([
      ['a', 1],
      ['b', 0],
    ]);
  });

  test.each([1, 31, 32, 33, 64, 100])('holds every row of a Block of %i, in order', (count) => {
    const rows = Array.from({ length: count }, (_, index) => [`door ${index}`, index % 3 === 0]);
    fill(rows, [['last', true]]);
    expect(rowsOf('SELECT door, open, _seq, _entry FROM door ORDER BY _group, _seq')).toEqual([
      ...rows.map(([name, open], index) => [name, open ? 1 : 0, index + 1, index]),
      ['last', 1, count + 1, 0],
    ]);
  });

  test('keeps current state by key: the last Entry in finalized order', () => {
    fill(
      [
        ['front', true],
        ['back', true],
        ['front', false],
      ],
      [
        ['side', true],
        ['back', false],
      ],
    );
    expect(rowsOf('SELECT door, open, _seq FROM door_now ORDER BY door')).toEqual([
      ['back', 0, 5],
      ['front', 0, 3],
      ['side', 1, 4],
    ]);
  });

  test('does not lose its current state to a payload that comes late', () => {
    introduce(store, door, group);
    const blocks = blocksOf(group, ada, [
      [
        ['front', true],
        ['back', true],
      ],
      [['front', false]],
    ]);
    store.transaction(() => {
      store.putBlock(blocks[0]!.block, null);
      store.putBlock(blocks[1]!.block, blocks[1]!.payload);
    });
    finalize(store, group, blocks);
    expect(rowsOf('SELECT door, _seq FROM door')).toEqual([['front', 3]]);
    store.transaction(() => {
      store.putBlock(blocks[0]!.block, blocks[0]!.payload);
      store.projectLate(blocks[0]!.block.id, blocks[0]!.entries);
    });
    expect(rowsOf('SELECT door, _seq FROM door ORDER BY _seq')).toEqual([
      ['front', 1],
      ['back', 2],
      ['front', 3],
    ]);
    expect(rowsOf('SELECT door, open, _seq FROM door_now ORDER BY door')).toEqual([
      ['back', 1, 2],
      ['front', 0, 3],
    ]);
  });

  test('a key of several fields tells its things apart', () => {
    const pact = pactOf(
      'traffic',
      { host: { type: 'string' }, port: { type: 'integer' }, bytes: { type: 'integer' } },
      { key: ['host', 'port'] },
    );
    const owned = groupOf(pact, ada);
    introduce(store, pact, owned);
    const blocks = blocksOf(owned, ada, [
      [
        ['a', 1, 10],
        ['a', 2, 20],
        ['b', 1, 30],
        ['a', 1, 40],
      ],
      [['a', 2, 50]],
    ]);
    stack(store, ...blocks);
    finalize(store, owned, blocks);
    expect(rowsOf('SELECT host, port, bytes FROM traffic_now ORDER BY host, port')).toEqual([
      ['a', 1, 40],
      ['a', 2, 50],
      ['b', 1, 30],
    ]);
  });

  test('groups of one Pact share it, each with its own numbers and current state', () => {
    const other = groupOf(door, bert);
    introduce(store, door, group, other);
    const groups: [SyncGroup, typeof ada, boolean][] = [
      [group, ada, true],
      [other, bert, false],
    ];
    for (const [each, owner, open] of groups) {
      const blocks = blocksOf(each, owner, [[['front', open]]]);
      stack(store, ...blocks);
      finalize(store, each, blocks);
    }
    const numbers = [groupNumberOf(group.id), groupNumberOf(other.id)];
    const expected = [
      [numbers[0], 1, 1],
      [numbers[1], 1, 0],
    ].sort((a, b) => a[0]! - b[0]!);
    expect(rowsOf('SELECT _group, _seq, open FROM door ORDER BY _group, _seq')).toEqual(expected);
    expect(rowsOf('SELECT _group, _seq, open FROM door_now ORDER BY _group')).toEqual(expected);
  });

  test('is the same at Participants whose Blocks came in another order', () => {
    const mine = blocksOf(group, ada, [
      [
        ['front', true],
        ['back', true],
      ],
      [['front', false]],
    ]);
    const others = blocksOf(group, bert, [[['side', true]]]);
    const second = openStore({ file: join(folder, 'second.db'), hash: sha256 });
    const elsewhere = new Database(join(folder, 'second.db'));
    introduce(second, pactOf('another', { x: { type: 'string' } }));
    for (const each of [store, second]) introduce(each, door, group);
    stack(store, ...mine, ...others);
    stack(second, ...others, ...mine);
    const order = [mine[0]!, others[0]!, mine[1]!];
    finalize(store, group, order);
    for (const block of order) finalize(second, group, [block]);
    for (const table of ['door', 'door_now']) {
      const sql = `SELECT * FROM ${table} ORDER BY _group, _seq`;
      expect(rowsOf(sql)).toEqual(rowsOf(sql, elsewhere));
      expect(rowsOf(sql).length).toBeGreaterThan(2);
    }
    elsewhere.close();
    second.close();
  });
});

describe('the names of tables', () => {
  const tables = () => store.pacts().map((each) => each.table);

  test('a second Pact of one name gets a longer one', () => {
    const other = pactOf('door', { locked: { type: 'boolean' } });
    introduce(store, door);
    introduce(store, other);
    expect(tables().sort()).toEqual(['door', `door__${other.id.slice(0, 8)}`]);
  });

  test('a table, view or index of the user keeps its name', () => {
    tool.exec('CREATE TABLE Door (mine TEXT); INSERT INTO Door VALUES (1)');
    tool.exec('CREATE TABLE lamp_now (mine TEXT)');
    const lamp = pactOf('lamp', { lamp: { type: 'string' } }, { key: ['lamp'] });
    introduce(store, door);
    introduce(store, lamp);
    expect(tables().sort()).toEqual([
      `door__${door.id.slice(0, 8)}`,
      `lamp__${lamp.id.slice(0, 8)}`,
    ]);
    expect(rowsOf('SELECT mine FROM Door')).toEqual([['1']]);
  });

  test('every name that a Pact may bear can be a table and a column', () => {
    for (const name of ['select', 'table', 'order', 'rowid', 'index', 'group', 'a__b', 'x_now']) {
      const pact = pactOf(name, { [name]: { type: 'string' }, values: { type: 'integer' } });
      const owned = groupOf(pact, ada);
      introduce(store, pact, owned);
      const blocks = blocksOf(owned, ada, [[['v', 1]]]);
      stack(store, ...blocks);
      finalize(store, owned, blocks);
      expect(rowsOf(`SELECT "${name}", "values" FROM "${name}"`)).toEqual([['v', 1]]);
    }
  });
});

describe('writing from outside', () => {
  test.each(['door', 'door_now'])('%s refuses it, and says what to do instead', (table) => {
    fill([['front', true]]);
    const before = rowsOf(`SELECT * FROM ${table}`);
    const rest = '_entry, _block, _issuer, _at, _cause';
    for (const sql of [
      `INSERT INTO ${table} SELECT door || '2', open, _group, _seq + 1, ${rest} FROM ${table}`,
      `INSERT OR REPLACE INTO ${table} SELECT * FROM ${table}`,
      `INSERT INTO ${table} SELECT * FROM ${table} WHERE true
        ON CONFLICT DO UPDATE SET open = 1 - open`,
      `UPDATE ${table} SET open = 0`,
      `DELETE FROM ${table}`,
    ]) {
      expect(() => tool.exec(sql)).toThrow(/vertebra alone; push Entries instead \(vertebra push/);
    }
    expect(rowsOf(`SELECT * FROM ${table}`)).toEqual(before);
  });

  test.each(INTERNAL_TABLES)('%s refuses it', (table) => {
    fillEveryTable();
    const columns = tool
      .prepare<[], { name: string; type: string }>(`PRAGMA table_info(${table})`)
      .all();
    const fitting: Record<string, string> = { TEXT: "'x'", INTEGER: '7', BLOB: "x'07'" };
    const values = columns.map(({ type }) => fitting[type]).join(', ');
    const before = rowsOf(`SELECT * FROM ${table}`);
    expect(before.length).toBeGreaterThan(0);
    for (const sql of [
      `INSERT INTO ${table} VALUES (${values})`,
      `UPDATE ${table} SET ${columns[0]!.name} = ${columns[0]!.name}`,
      `DELETE FROM ${table}`,
    ]) {
      expect(() => tool.exec(sql)).toThrow(`${table} is written by vertebra alone`);
    }
    expect(rowsOf(`SELECT * FROM ${table}`)).toEqual(before);
  });

  test('is refused also after a transaction of ours was taken back', () => {
    fill([['front', true]]);
    const undo = () =>
      store.transaction(() => {
        store.putSetting('a', new Uint8Array());
        throw new RangeError('undo');
      });
    expect(undo).toThrow(RangeError);
    expect(() => tool.exec('DELETE FROM door')).toThrow(/vertebra alone/);
    expect(rowsOf('SELECT open FROM vb_guard')).toEqual([[0]]);
  });
});

describe('the user’s own tables, indexes and views', () => {
  test('join with those of Pacts, and live beside them', () => {
    fill([
      ['front', true],
      ['back', false],
    ]);
    tool.exec(`
      CREATE TABLE room (door TEXT PRIMARY KEY, room TEXT);
      INSERT INTO room VALUES ('front', 'hall'), ('back', 'kitchen');
      CREATE INDEX door_open ON door (open);
      CREATE VIEW open_rooms AS
        SELECT room FROM door_now JOIN room USING (door) WHERE open = 1;
      ALTER TABLE door ADD COLUMN remark TEXT;
    `);
    const [next] = blocksOf(groupOf(door, bert), bert, [[['back', true]]]);
    introduce(store, door, groupOf(door, bert));
    stack(store, next!);
    finalize(store, groupOf(door, bert), [next!]);
    expect(rowsOf('SELECT room FROM open_rooms ORDER BY room')).toEqual([['hall'], ['kitchen']]);
    expect(rowsOf('SELECT count(*), count(remark) FROM door')).toEqual([[3, 0]]);
  });
});
