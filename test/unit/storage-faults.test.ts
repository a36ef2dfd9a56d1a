import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EntrySequence } from '../../src/model/numbers.ts';
import { type Store, StoreError } from '../../src/ports/store.ts';
import { APPLICATION_ID, FORMAT_VERSION } from '../../src/storage/migrations.ts';
import { openStore, openStoreReadOnly, storeOver } from '../../src/storage/open-store.ts';
import {
  ada,
  blockAfter,
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

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-faults-'));
  file = join(folder, 'world.db');
});

afterEach(() => rmSync(folder, { recursive: true }));

const group = groupOf(door, ada);
const open = (path = file) => openStore({ file: path, hash: sha256 });

function errorOf(work: () => unknown): StoreError {
  try {
    work();
  } catch (cause) {
    if (cause instanceof StoreError) return cause;
    throw cause;
  }
  throw new Error('nothing was thrown');
}

/** A closed database with `count` Blocks of 100 Entries each, all final. */
function filled(count: number): void {
  const store = open();
  introduce(store, door, group);
  const rows = Array.from({ length: 100 }, (_, index) => [`door ${index}`, true]);
  const blocks = blocksOf(group, ada, Array(count).fill(rows));
  stack(store, ...blocks);
  finalize(store, group, blocks);
  store.close();
}

function foreign(sql: string): Buffer {
  const database = new Database(file);
  database.exec(sql);
  database.close();
  return readFileSync(file);
}

describe('a file that is not ours is refused and stays as it is', () => {
  test.each([
    ['one with tables', 'CREATE TABLE customer (name TEXT)', 'customer'],
    ['one with an application id', 'PRAGMA application_id = 7; CREATE TABLE t (x)', 't'],
    ['one with an application id and no tables', 'PRAGMA application_id = 7', 'no tables'],
    ['one in WAL mode', 'PRAGMA journal_mode = WAL; CREATE TABLE customer (name)', 'customer'],
  ])('%s', (_name, sql, words) => {
    const before = foreign(sql);
    const error = errorOf(open);
    expect(error.code).toBe('STORE_FOREIGN');
    expect(error.message).toContain(file);
    expect(error.message).toContain(words);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('one of a newer format', () => {
    const before = foreign(`PRAGMA application_id = ${APPLICATION_ID};
      PRAGMA user_version = ${FORMAT_VERSION + 1}; CREATE TABLE t (x)`);
    expect(errorOf(open)).toMatchObject({ code: 'STORE_NEWER' });
    expect(errorOf(open).message).toContain('newer vertebra');
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('one that is no database', () => {
    writeFileSync(file, 'Dear diary, '.repeat(1000));
    expect(errorOf(open).code).toBe('STORE_CORRUPT');
    expect(readFileSync(file, 'utf8')).toBe('Dear diary, '.repeat(1000));
  });

  test('a folder, and a file in a folder that is not there', () => {
    mkdirSync(file);
    expect(errorOf(open)).toMatchObject({ code: 'STORE_FAILED' });
    expect(errorOf(open).message).toContain('is a folder');
    expect(errorOf(() => open(join(folder, 'no', 'world.db'))).message).toContain('folder');
  });
});

describe('a damaged file', () => {
  test('that is cut short is found at the start, with what to do', () => {
    filled(50);
    const whole = statSync(file).size;
    for (const size of [whole - 1000, whole - 4096, Math.floor(whole / 2), 4096, 5000, 100, 99]) {
      truncateSync(file, size);
      const error = errorOf(open);
      expect(error.code).toBe('STORE_CORRUPT');
      expect(error.message).toContain('move it away');
      expect(statSync(file).size).toBe(size);
    }
  });

  test('with a page of noise is named whenever it is read, and nothing else is thrown', () => {
    filled(50);
    const whole = join(folder, 'whole.db');
    copyFileSync(file, whole);
    const noise = Buffer.alloc(4096, 0xa5);
    const codes = new Set<string>();
    const pages = statSync(file).size / 4096;
    for (let page = 0; page < pages; page += 7) {
      copyFileSync(whole, file);
      const descriptor = openSync(file, 'r+');
      writeSync(descriptor, noise, 0, noise.length, page * 4096);
      codes.add(outcomeOf(readAll));
    }
    codes.delete('read');
    expect([...codes]).toEqual(['STORE_CORRUPT']);
  });

  test('without one of our tables, or one of a Pact', () => {
    filled(1);
    const drop = (table: string) => {
      const tool = new Database(file);
      tool.exec(`DROP TABLE ${table}`);
      tool.close();
      return errorOf(open);
    };
    expect(drop('door_now')).toMatchObject({ code: 'STORE_CORRUPT' });
    expect(errorOf(open).message).toContain('door_now');
    expect(drop('vb_vote').message).toContain('vb_vote');
  });

  function outcomeOf(work: () => void): string {
    try {
      work();
      return 'read';
    } catch (cause) {
      if (cause instanceof StoreError) return cause.code;
      throw cause;
    }
  }

  function readAll(): void {
    const store = open();
    try {
      for (const { block } of store.blocks(group.id, ada, 1 as never, 1000)) {
        store.payload(block.id);
      }
      store.entries(group.id, 1 as EntrySequence, 10_000);
      for (const _row of openStoreReadOnly({ file, hash: sha256 }).query(
        'SELECT * FROM door JOIN door_now USING (door)',
      ).rows);
    } finally {
      store.close();
    }
  }
});

describe('an unfinished start', () => {
  test('an empty file, and an empty database, become ours', () => {
    writeFileSync(file, '');
    open().close();
    rmSync(file);
    foreign('VACUUM');
    open().close();
    expect(open().pacts()).toEqual([]);
  });
});

describe('a full disk', () => {
  /** A store whose database may not grow beyond `pages` more pages. */
  function limited(pages: number): { store: Store; free: () => void } {
    const database = new Database(file);
    const store = storeOver(database, { file, hash: sha256 });
    introduce(store, door, group);
    const used = database.pragma('page_count', { simple: true }) as number;
    database.pragma(`max_page_count = ${used + pages}`);
    return { store, free: () => database.pragma('max_page_count = 1000000') };
  }

  test('is said, nothing half is kept, and work goes on when there is space again', () => {
    const { store, free } = limited(40);
    const rows = Array.from({ length: 100 }, (_, index) => [`door ${index}`, true]);
    let last = null as ReturnType<typeof blockAfter> | null;
    let count = 0;
    const push = () => {
      const next = blockAfter(last, group, ada, rows);
      store.transaction(() => {
        store.putBlock(next.block, next.payload);
        store.finalize({ group: group.id, chain: null, blocks: [next] });
      });
      last = next;
      count += 1;
    };
    const error = errorOf(() => {
      for (;;) push();
    });
    expect(error.code).toBe('STORE_FULL');
    expect(error.message).toContain('free some space');
    expect(count).toBeGreaterThan(0);
    const standing = () => [
      store.lastSequence(group.id),
      store.entries(group.id, 1 as EntrySequence, 100_000).length,
      store.frontier(group.id)[0]!.sequence,
    ];
    expect(standing()).toEqual([count * 100, count * 100, count]);
    expect(errorOf(push).code).toBe('STORE_FULL');
    free();
    push();
    expect(standing()).toEqual([count * 100, count * 100, count]);
    store.close();
    const again = open();
    expect(again.lastSequence(group.id)).toBe(count * 100);
    again.close();
  });
});

describe('another process', () => {
  test('that holds the database is waited for, then named', () => {
    const config = { databaseCacheBytes: 1_000_000, databaseBusyMs: 10, evidenceMax: 10 };
    const store = openStore({ file, hash: sha256, config });
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    const put = () => store.transaction(() => store.putPeerUrl('tcp://a:1'));
    const error = errorOf(put);
    expect(error.code).toBe('STORE_BUSY');
    expect(error.message).toContain('another process');
    other.exec('COMMIT');
    put();
    expect(store.peerUrls()).toEqual(['tcp://a:1']);
    other.close();
    store.close();
  });
});

describe('what is committed survives the end of the process', () => {
  test('a store that is opened again holds all of it', () => {
    filled(3);
    const store = open();
    expect(store.lastSequence(group.id)).toBe(300);
    expect(store.pacts()).toEqual([{ pact: door, table: 'door' }]);
    expect(store.frontier(group.id)).toEqual(store.finalFrontier(group.id));
    const next = blockAfter(null, groupOf(door, ada), ada);
    expect(store.block(next.block.id)).toBeNull();
    store.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
  });

  test('a commit waits for the disk, and the log of changes stays small', () => {
    const database = new Database(file);
    const store = storeOver(database, { file, hash: sha256 });
    const pragma = (name: string) => database.pragma(name, { simple: true });
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')]).toEqual([
      'wal',
      2,
      1,
    ]);
    expect(pragma('application_id')).toBe(APPLICATION_ID);
    expect(pragma('user_version')).toBe(FORMAT_VERSION);
    expect(pragma('cache_size')).toBe(-8192);
    expect(pragma('journal_size_limit')).toBe(16 * 1024 * 1024);
    store.close();
  });
});
