import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Pact } from '../model/pact.ts';
import { StoreError } from '../ports/store.ts';
import type { SqlRow, SqlValue } from './connection.ts';
import { forgedNowSql, missedNowSql, type StateTables } from './current-state.ts';
import { quoteName } from './guard.ts';
import { APPLICATION_ID, FORMAT_VERSION } from './migrations.ts';
import { PayloadCutter } from './payload.ts';
import { toStoreError } from './store-fault.ts';

/** A group as its rows say, unjudged. */
export interface RawGroup {
  readonly number: number;
  readonly row: SqlRow;
  readonly owners: readonly SqlValue[];
}

/** The tables of a Pact. */
export interface PactTableNames {
  readonly table: string;
  readonly now: string | null;
}

/**
 * Reads the tables of one file row by row, at one moment in its life, and believes nothing of what
 * they say: what is right is for whoever asked to judge. Holds one row at a time.
 */
export class AuditReader {
  readonly #database: Database.Database;
  readonly #file: string;
  readonly #statements = new Map<string, Database.Statement<unknown[], SqlRow>>();

  private constructor(database: Database.Database, file: string) {
    this.#database = database;
    this.#file = file;
  }

  /**
   * @throws StoreError STORE_FAILED where there is no file, STORE_FOREIGN, STORE_NEWER,
   *   STORE_CORRUPT
   */
  static open(file: string): AuditReader {
    if (!existsSync(file)) throw new StoreError('STORE_FAILED', `${file}: there is no such file`);
    let database: Database.Database | null = null;
    try {
      database = new Database(file, { readonly: true });
      refuseForeign(database, file);
      // From here on what an agent writes meanwhile is not seen.
      database.exec('BEGIN');
      return new AuditReader(database, file);
    } catch (cause) {
      database?.close();
      throw toStoreError(cause, file);
    }
  }

  close(): void {
    this.#database.close();
  }

  /** @returns the first thing that SQLite itself finds wrong with pages and indexes, or null. */
  integrity(): string | null {
    const first = this.get('PRAGMA integrity_check(1)')?.['integrity_check'];
    return first === 'ok' ? null : String(first);
  }

  pacts(): Iterable<SqlRow> {
    return this.rows('SELECT * FROM vb_pact ORDER BY id');
  }

  *groups(): Generator<RawGroup> {
    for (const row of this.rows('SELECT * FROM vb_group ORDER BY id')) {
      const number = Number(row['number']);
      const owners = this.rows(
        'SELECT avatar FROM vb_owner WHERE group_number = ? ORDER BY place',
        number,
      );
      yield { number, row, owners: Array.from(owners, (owner) => owner['avatar']!) };
    }
  }

  /** Owners of a group that is not there. */
  strayOwner(): SqlRow | undefined {
    return this.get(
      'SELECT * FROM vb_owner WHERE group_number NOT IN (SELECT number FROM vb_group) LIMIT 1',
    );
  }

  /** Every Block, with its payload where that is here. */
  blocks(): Iterable<SqlRow> {
    return this.rows(
      `SELECT b.*, g.id AS group_id, p.bytes AS payload FROM vb_block b
        LEFT JOIN vb_group g ON g.number = b.group_number
        LEFT JOIN vb_payload p ON p.block = b.number ORDER BY b.number`,
    );
  }

  strayPayload(): SqlRow | undefined {
    return this.get(
      'SELECT block FROM vb_payload WHERE block NOT IN (SELECT number FROM vb_block) LIMIT 1',
    );
  }

  /** Blocks of one group that are final, in the order of their Entries. */
  finalBlocks(groupNumber: number, above: number): Iterable<SqlRow> {
    return this.rows(
      `SELECT b.*, p.bytes AS payload FROM vb_block b LEFT JOIN vb_payload p ON p.block = b.number
        WHERE b.group_number = ? AND b.first_seq > ? ORDER BY b.first_seq`,
      groupNumber,
      above,
    );
  }

  /** The hand-over Block that is final in a group, with its payload. */
  finalHandOver(groupNumber: number): SqlRow | undefined {
    return this.get(
      `SELECT b.*, p.bytes AS payload FROM vb_block b LEFT JOIN vb_payload p ON p.block = b.number
        WHERE b.group_number = ? AND b.first_seq IS NOT NULL AND b.entry_count = 0`,
      groupNumber,
    );
  }

  /** Final Entries of a group as they were signed; those whose payload is not here are left out. */
  *entryBytes(groupNumber: number): Generator<Uint8Array> {
    for (const row of this.finalBlocks(groupNumber, 0)) {
      const payload = row['payload'];
      if (!(payload instanceof Uint8Array)) continue;
      const cutter = new PayloadCutter(payload);
      for (let index = 0; index < Number(row['entry_count']); index++) yield cutter.at(index)!;
    }
  }

  /** Is this a Block of the group? */
  isBlockOf(id: Uint8Array, groupNumber: number): boolean {
    const sql = 'SELECT 1 FROM vb_block WHERE id = ? AND group_number = ?';
    return this.get(sql, id, groupNumber) !== undefined;
  }

  frontier(groupNumber: number): Iterable<SqlRow> {
    return this.rows('SELECT * FROM vb_causal WHERE group_number = ?', groupNumber);
  }

  metablocks(): Iterable<SqlRow> {
    return this.rows('SELECT * FROM vb_metablock ORDER BY id');
  }

  metablock(id: Uint8Array): SqlRow | undefined {
    return this.get('SELECT * FROM vb_metablock WHERE id = ?', id);
  }

  places(metablock: Uint8Array): SqlRow[] {
    return [
      ...this.rows('SELECT * FROM vb_place WHERE metablock = ? ORDER BY group_id', metablock),
    ];
  }

  strayPlace(): SqlRow | undefined {
    return this.get(
      'SELECT * FROM vb_place WHERE metablock NOT IN (SELECT id FROM vb_metablock) LIMIT 1',
    );
  }

  /** Metablocks that come after one in the chain of a group. */
  successors(group: Uint8Array, metablock: Uint8Array): SqlRow[] {
    const sql = `SELECT m.* FROM vb_place p JOIN vb_metablock m ON m.id = p.metablock
      WHERE p.group_id = ? AND p.predecessor = ?`;
    return [...this.rows(sql, group, metablock)];
  }

  certificates(): Iterable<SqlRow> {
    return this.rows('SELECT * FROM vb_certificate ORDER BY metablock, digest');
  }

  certificatesOf(metablock: Uint8Array): Iterable<SqlRow> {
    return this.rows('SELECT * FROM vb_certificate WHERE metablock = ?', metablock);
  }

  /** From a Level on. */
  chain(groupNumber: number, from: number): Iterable<SqlRow> {
    const sql = 'SELECT * FROM vb_chain WHERE group_number = ? AND level >= ? ORDER BY level';
    return this.rows(sql, groupNumber, from);
  }

  cuts(groupNumber: number): Iterable<SqlRow> {
    return this.rows('SELECT * FROM vb_cut WHERE group_number = ? ORDER BY last_seq', groupNumber);
  }

  cutSignatures(groupNumber: number, lastSequence: number): SqlRow[] {
    const sql = 'SELECT * FROM vb_cut_signature WHERE group_number = ? AND last_seq = ?';
    return [...this.rows(sql, groupNumber, lastSequence)];
  }

  forks(): Iterable<SqlRow> {
    return this.rows('SELECT * FROM vb_fork ORDER BY group_id, author');
  }

  /** A row of a table that belongs to no group that is known. */
  strayOf(table: 'vb_chain' | 'vb_causal'): SqlRow | undefined {
    return this.get(
      `SELECT * FROM ${table} WHERE group_number NOT IN (SELECT number FROM vb_group) LIMIT 1`,
    );
  }

  /** Rows of one group above a sequence number in the table of its Pact, ascending. */
  entries(table: string, groupNumber: number, above: number): Iterable<SqlRow> {
    const sql = `SELECT * FROM ${quoteName(table)} WHERE _group = ? AND _seq > ? ORDER BY _seq`;
    return this.rows(sql, groupNumber, above);
  }

  /**
   * Is the Entry noted as void, and does one of the same cause stand before it, in its group or in
   * those that it went on from? Of what a cut took nothing can be asked any more.
   */
  isVoid(table: string, at: { group: number; sequence: number }, cause: Uint8Array): boolean {
    const found = this.get(
      `WITH RECURSIVE line (number) AS (
        SELECT @g
        UNION
        SELECT p.number FROM line JOIN vb_group g ON g.number = line.number
          JOIN vb_group p ON p.id = g.predecessor)
      SELECT 1 FROM vb_void v WHERE v.group_number = @g AND v.seq = @s AND (
        EXISTS (SELECT 1 FROM line JOIN ${quoteName(table)} t ON t._group = line.number
          WHERE t._seq < @s AND t._cause = @c)
        OR EXISTS (SELECT 1 FROM line JOIN vb_group g ON g.number = line.number
          WHERE g.cut_seq > 0))`,
      { g: at.group, s: at.sequence, c: cause },
    );
    return found !== undefined;
  }

  strayEntry(table: string, pact: Uint8Array): SqlRow | undefined {
    return this.get(
      `SELECT _group, _seq FROM ${quoteName(table)}
        WHERE _group NOT IN (SELECT number FROM vb_group WHERE pact = ?) LIMIT 1`,
      pact,
    );
  }

  /** A row of the current state that is not a copy of an Entry's row. */
  forgedNow(names: StateTables, pact: Pact): SqlRow | undefined {
    return this.get(forgedNowSql(names, pact));
  }

  /** An Entry's row that the current state of its key has missed. */
  missedNow(names: StateTables, pact: Pact): SqlRow | undefined {
    return this.get(missedNowSql(names, pact));
  }

  private *rows(sql: string, ...bound: readonly SqlValue[]): Generator<SqlRow> {
    try {
      yield* this.prepare(sql).iterate(...bound);
    } catch (cause) {
      throw toStoreError(cause, this.#file);
    }
  }

  private get(sql: string, ...bound: readonly (SqlValue | SqlRow)[]): SqlRow | undefined {
    try {
      return this.prepare(sql, true).get(...bound);
    } catch (cause) {
      throw toStoreError(cause, this.#file);
    }
  }

  /** Statements that are iterated may be asked for again within themselves: each has its own. */
  private prepare(sql: string, isKept = false): Database.Statement<unknown[], SqlRow> {
    const known = this.#statements.get(sql);
    if (known !== undefined && isKept) return known;
    const statement = this.#database.prepare<unknown[], SqlRow>(sql);
    if (isKept) this.#statements.set(sql, statement);
    return statement;
  }
}

function refuseForeign(database: Database.Database, file: string): void {
  if (database.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new StoreError('STORE_FOREIGN', `${file} is no database of vertebra`);
  }
  const version = database.pragma('user_version', { simple: true });
  if (version === FORMAT_VERSION) return;
  const message = `${file} has format ${version}, this vertebra verifies ${FORMAT_VERSION}`;
  throw new StoreError('STORE_NEWER', message);
}
