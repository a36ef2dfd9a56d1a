import Database from 'better-sqlite3';
import { StoreError } from '../ports/store.ts';
import type { SqlValue } from './connection.ts';
import { toStoreError } from './store-fault.ts';

export interface QueryResult {
  readonly columns: readonly string[];
  /** Row after row as it is read; integers beyond 2^53 as bigint. */
  readonly rows: IterableIterator<readonly SqlValue[]>;
}

/** Runs one reading statement on a read-only connection. */
export function runQuery(database: Database.Database, file: string, sql: string): QueryResult {
  const statement = prepared(database, file, sql);
  if (!statement.readonly || !statement.reader) {
    throw new StoreError('STORE_READ_ONLY', 'only statements that read are run: SELECT ...');
  }
  statement.raw(true).safeIntegers(true);
  const columns = statement.columns().map((column) => column.name);
  return { columns, rows: rowsOf(statement, file) };
}

function prepared(database: Database.Database, file: string, sql: string): Database.Statement {
  try {
    return database.prepare(sql);
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) {
      throw new StoreError('STORE_FAILED', `one statement at a time: ${cause.message}`, { cause });
    }
    if (cause instanceof Database.SqliteError && cause.code === 'SQLITE_ERROR') {
      throw new StoreError('STORE_FAILED', cause.message, { cause });
    }
    throw toStoreError(cause, file);
  }
}

function* rowsOf(statement: Database.Statement, file: string): Generator<readonly SqlValue[]> {
  try {
    for (const row of statement.iterate() as IterableIterator<SqlValue[]>) {
      yield row.map(toPlain);
    }
  } catch (cause) {
    throw toStoreError(cause, file);
  }
}

function toPlain(value: SqlValue): SqlValue {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
