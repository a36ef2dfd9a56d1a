import type Database from 'better-sqlite3';
import { invariant } from '../model/invariant.ts';
import type { Checkpointer } from './checkpointer.ts';
import { toStoreError } from './store-fault.ts';

/** What SQLite stores and gives back. */
export type SqlValue = string | number | bigint | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;
type Bound = SqlValue | readonly SqlValue[] | SqlRow;

/** One prepared statement; what goes wrong on the disk is a StoreError. */
export class Query<Row = SqlRow> {
  private readonly statement: Database.Statement<unknown[], Row>;
  private readonly connection: Connection;

  constructor(connection: Connection, sql: string) {
    this.connection = connection;
    this.statement = this.tried(() => connection.database.prepare<unknown[], Row>(sql));
  }

  get(...bound: readonly Bound[]): Row | undefined {
    return this.tried(() => this.statement.get(...bound));
  }

  all(...bound: readonly Bound[]): Row[] {
    return this.tried(() => this.statement.all(...bound));
  }

  /** @returns how many rows changed. Only inside a transaction. */
  run(...bound: readonly Bound[]): number {
    this.connection.openGuard();
    return this.tried(() => this.statement.run(...bound).changes);
  }

  /** Inserts one row. @returns its number (rowid). Only inside a transaction. */
  insert(...bound: readonly Bound[]): number {
    this.connection.openGuard();
    return this.tried(() => Number(this.statement.run(...bound).lastInsertRowid));
  }

  private tried<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (cause) {
      throw toStoreError(cause, this.connection.file);
    }
  }
}

/** An open database and its one transaction. */
export class Connection {
  readonly database: Database.Database;
  readonly file: string;
  private readonly checkpointer: Checkpointer | null;
  private readonly onRollback: (() => void)[] = [];
  private readonly begin: Database.Statement;
  private readonly commit: Database.Statement;
  private readonly setGuard: Database.Statement<[number]>;
  private isWriting = false;
  private isGuardOpen = false;

  /**
   * @param database Ours, and of the present format.
   * @param checkpointer Null where nothing is written, or not into a file.
   */
  constructor(database: Database.Database, file: string, checkpointer: Checkpointer | null) {
    this.database = database;
    this.file = file;
    this.checkpointer = checkpointer;
    this.begin = database.prepare('BEGIN IMMEDIATE');
    this.commit = database.prepare('COMMIT');
    this.setGuard = database.prepare('UPDATE vb_guard SET open = ? WHERE one = 1');
  }

  prepare<Row = SqlRow>(sql: string): Query<Row> {
    return new Query<Row>(this, sql);
  }

  /** Statements that make or drop things; only inside a transaction. */
  exec(sql: string): void {
    invariant(this.isWriting, 'the store is written inside a transaction');
    this.tried(() => this.database.exec(sql));
  }

  /** `forget` drops what was remembered of rows that a rollback took back. */
  onRolledBack(forget: () => void): void {
    this.onRollback.push(forget);
  }

  /**
   * Runs `work` in a transaction that is durable when this returns.
   *
   * @throws whatever `work` throws, with nothing of it kept; StoreError from the disk.
   */
  transaction<Result>(work: () => Result): Result {
    const result = this.committed(work);
    this.checkpointer?.committed();
    return result;
  }

  private committed<Result>(work: () => Result): Result {
    invariant(!this.isWriting, 'transactions of the store do not nest');
    this.tried(() => this.begin.run());
    this.isWriting = true;
    try {
      const result = work();
      invariant(!(result instanceof Promise), 'a transaction does not wait for anything');
      this.closeGuard();
      this.tried(() => this.commit.run());
      return result;
    } catch (cause) {
      this.rollBack();
      throw cause;
    } finally {
      this.isWriting = false;
    }
  }

  /** Lets this transaction write what triggers keep everybody else from writing. */
  openGuard(): void {
    if (this.isGuardOpen) return;
    invariant(this.isWriting, 'the store is written inside a transaction');
    this.tried(() => this.setGuard.run(1));
    this.isGuardOpen = true;
  }

  close(): void {
    this.checkpointer?.close();
    this.tried(() => this.database.close());
  }

  private closeGuard(): void {
    if (this.isGuardOpen) this.tried(() => this.setGuard.run(0));
    this.isGuardOpen = false;
  }

  private rollBack(): void {
    this.isGuardOpen = false;
    for (const forget of this.onRollback) forget();
    // A full disk or a damaged page may have rolled back already.
    if (this.database.inTransaction) this.tried(() => this.database.exec('ROLLBACK'));
  }

  private tried<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (cause) {
      throw toStoreError(cause, this.file);
    }
  }
}
