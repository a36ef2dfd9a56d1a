import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { HashFunction } from '../model/bytes.ts';
import { type Store, StoreError } from '../ports/store.ts';
import { Checkpointer } from './checkpointer.ts';
import { Connection } from './connection.ts';
import { guardSql, pushInstead } from './guard.ts';
import {
  APPLICATION_ID,
  FORMAT_VERSION,
  INTERNAL,
  INTERNAL_TABLES,
  MIGRATIONS,
} from './migrations.ts';
import { type QueryResult, runQuery } from './query.ts';
import { SqliteStore } from './sqlite-store.ts';
import { CORRUPT_ADVICE, toStoreError } from './store-fault.ts';

export interface StorageSettings {
  /** SQLite's page cache. */
  readonly databaseCacheBytes: number;
  /** Wait for another process's lock on the database. */
  readonly databaseBusyMs: number;
  /** Proofs of others' faults that are kept. */
  readonly evidenceMax: number;
}

export interface StoreOptions {
  /** Path of the database; made if it is not there. `:memory:` in tests. */
  readonly file: string;
  readonly hash: HashFunction;
  readonly config?: StorageSettings;
}

const DEFAULTS: StorageSettings = {
  databaseCacheBytes: 8 * 1024 * 1024,
  databaseBusyMs: 5000,
  evidenceMax: 1000,
};

/** The write-ahead log goes back to this size after a checkpoint. */
const WAL_BYTES_KEPT = 16 * 1024 * 1024;

/**
 * Opens the database of one World for its agent. A file that is refused is not changed.
 *
 * @throws StoreError of any code.
 */
export function openStore({ file, hash, config = DEFAULTS }: StoreOptions): Store {
  const isNew = !isFilled(file);
  if (!isNew) inspect(file, config.databaseBusyMs);
  return opening(file, () => {
    const database = new Database(file, { timeout: config.databaseBusyMs });
    return closingOnThrow(database, () => {
      judge(database, file); // Another file may have come there since.
      return storeOver(database, { file, hash, config });
    });
  });
}

/** The store over a database that is open for writing and ours or empty. @throws SqliteError */
export function storeOver(database: Database.Database, options: StoreOptions): Store {
  const { file, hash, config = DEFAULTS } = options;
  prepare(database, file, config);
  migrate(database);
  const parts = { hash, evidenceMax: config.evidenceMax };
  const checkpointer = file === ':memory:' ? null : new Checkpointer(database, file);
  const store = new SqliteStore(new Connection(database, file, checkpointer), parts);
  checkTables(database, store, file);
  restoreGuards(database, store);
  return store;
}

/** A store that only reads: its own reads, and SQL of the user. Its writes throw. */
export interface ReadOnlyStore extends Store {
  /**
   * Runs one SELECT, as any SQLite tool would.
   *
   * @throws StoreError STORE_READ_ONLY for anything that is not one reading statement; STORE_FAILED
   *   with SQLite's words for what it does not understand.
   */
  query(sql: string): QueryResult;
}

/** Opens a database without writing, also beside a running agent. @throws StoreError */
export function openStoreReadOnly(options: StoreOptions): ReadOnlyStore {
  const { file, hash, config = DEFAULTS } = options;
  if (!isFilled(file)) throw new StoreError('STORE_FAILED', `${file}: there is no such database`);
  inspect(file, config.databaseBusyMs);
  return opening(file, () => {
    const database = new Database(file, { readonly: true, timeout: config.databaseBusyMs });
    return closingOnThrow(database, () => {
      const connection = new Connection(database, file, null);
      const store = new SqliteStore(connection, { hash, evidenceMax: config.evidenceMax });
      return Object.assign(store, { query: (sql: string) => runQuery(database, file, sql) });
    });
  });
}

/** Is there a file with something in it? */
function isFilled(file: string): boolean {
  if (file === ':memory:' || !existsSync(file)) return false;
  const status = statSync(file);
  if (status.isDirectory()) throw new StoreError('STORE_FAILED', `${file}: is a folder`);
  return status.size > 0;
}

function opening<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof TypeError && !existsSync(dirname(file))) {
      throw new StoreError('STORE_FAILED', `${file}: its folder does not exist`, { cause });
    }
    throw toStoreError(cause, file);
  }
}

function closingOnThrow<Result>(database: Database.Database, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    database.close();
    throw cause;
  }
}

/** Opens a file for reading alone, so that one which is refused stays as it is. */
function inspect(file: string, busyMs: number): void {
  opening(file, () => {
    const database = new Database(file, { readonly: true, timeout: busyMs });
    try {
      judge(database, file);
      refuseCutPage(database, file);
    } finally {
      database.close();
    }
  });
}

/**
 * SQLite reads the missing end of a page that was cut as zeros. While a write-ahead log is there it
 * may hold that page whole: a power cut can end a checkpoint within a page.
 */
function refuseCutPage(database: Database.Database, file: string): void {
  const pageBytes = database.pragma('page_size', { simple: true }) as number;
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if (statSync(file).size % pageBytes === 0 || (log !== undefined && log.size > 0)) return;
  throw new StoreError('STORE_CORRUPT', `${file} was cut within a page: ${CORRUPT_ADVICE}`);
}

/** Refuses what is not ours, without writing. */
function judge(database: Database.Database, file: string): void {
  const applicationId = database.pragma('application_id', { simple: true });
  const version = database.pragma('user_version', { simple: true }) as number;
  const tables = database
    .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map((row) => row.name);
  if (applicationId !== APPLICATION_ID) {
    if (applicationId === 0 && tables.length === 0) return;
    const found = tables.slice(0, 5).join(', ') || 'no tables';
    throw new StoreError(
      'STORE_FOREIGN',
      `${file} is a database of another program (${found}): name another file, or move it away`,
    );
  }
  if (version > FORMAT_VERSION) {
    throw new StoreError(
      'STORE_NEWER',
      `${file} has format ${version}, this vertebra knows ${FORMAT_VERSION}: use a newer vertebra`,
    );
  }
  const missing = INTERNAL_TABLES.find((table) => !tables.includes(table));
  if (missing !== undefined && version === FORMAT_VERSION) throw lacks(file, missing);
}

/** A guard that somebody dropped comes back; what is there is left alone. */
function restoreGuards(database: Database.Database, store: SqliteStore): void {
  for (const table of INTERNAL_TABLES) database.exec(guardSql(table, INTERNAL));
  for (const { pact, table } of store.tables.tables()) {
    database.exec(guardSql(table, pushInstead(pact)));
  }
}

function lacks(file: string, table: string): StoreError {
  return new StoreError('STORE_CORRUPT', `${file} lacks the table ${table}: ${CORRUPT_ADVICE}`);
}

function prepare(database: Database.Database, file: string, config: StorageSettings): void {
  const mode = database.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal' && file !== ':memory:') {
    throw new StoreError('STORE_FAILED', `${file}: its file system cannot hold a WAL database`);
  }
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  database.pragma(`cache_size = -${Math.ceil(config.databaseCacheBytes / 1024)}`);
  database.pragma(`journal_size_limit = ${WAL_BYTES_KEPT}`);
}

function migrate(database: Database.Database): void {
  database
    .transaction(() => {
      const version = database.pragma('user_version', { simple: true }) as number;
      for (const step of MIGRATIONS.slice(version)) database.exec(step);
      if (version === FORMAT_VERSION) return;
      database.pragma(`application_id = ${APPLICATION_ID}`);
      database.pragma(`user_version = ${FORMAT_VERSION}`);
    })
    .immediate();
}

/** A table of a Pact that somebody dropped is missed now, not when it is written to. */
function checkTables(database: Database.Database, store: SqliteStore, file: string): void {
  const find = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  for (const { table } of store.tables.tables()) {
    if (find.get(table) === undefined) throw lacks(file, table);
  }
}
