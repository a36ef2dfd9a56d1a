import type { Block } from '../model/block.ts';
import { invariant } from '../model/invariant.ts';
import type { EntryValue, FieldType, Pact } from '../model/pact.ts';
import { CausedRows } from './caused-rows.ts';
import type { Connection, Query, SqlValue } from './connection.ts';
import { insertGuardSql, pushInstead, quoteName } from './guard.ts';
import { toBlob } from './sql-value.ts';

/** Rows in one INSERT: fewer crossings into SQLite. Measured: no gain beyond. */
const ROWS_PER_INSERT = 32;
/** From here on lifting the guard costs less than it saves. Measured: 0.6 us a row, 1 ms a lift. */
const ROWS_PER_LIFT = 2048;
/** SQLite takes at most 32,766 parameters in a statement. */
const PARAMETERS_MAX = 8192;

/** Where the rows of one Block stand. */
export interface RowPlace {
  readonly groupNumber: number;
  readonly firstSequence: number;
  /** Place of the first row in its Block. */
  readonly firstIndex: number;
  /** Groups whose current state these rows are part of: their own, or who went on from it. */
  readonly heirs: readonly number[];
  readonly block: Pick<Block, 'id' | 'issuer' | 'atMs'>;
}

type Row = readonly EntryValue[];

/** What is bound by name: the columns beside the fields, of the first row of a statement. */
type SharedColumns = {
  g: number;
  s: number;
  e: number;
  b: Uint8Array;
  i: Uint8Array;
  a: number;
};

/** Writes Entries into the tables of one Pact. */
export class RowWriter {
  private readonly pact: Pact;
  private readonly connection: Connection;
  private readonly guard: ReturnType<typeof insertGuardSql>;
  private readonly keyIndices: readonly number[];
  /** Do values go into SQLite as they are? */
  private readonly isPlain: boolean;
  private readonly rowsPerInsert: number;
  private readonly insertOne: Query;
  private readonly prepareMany: () => Query;
  private insertMany: Query | null = null;
  private readonly upsertNow: Query | null;
  private readonly names: { readonly table: string; readonly now: string | null };
  private causedRows: CausedRows | null = null;

  constructor(connection: Connection, pact: Pact, names: { table: string; now: string | null }) {
    this.pact = pact;
    this.names = names;
    this.connection = connection;
    this.guard = insertGuardSql(names.table, pushInstead(pact.name));
    this.keyIndices = pact.key.map((name) => pact.fields.findIndex((each) => each.name === name));
    this.isPlain = pact.fields.every(({ type }) => PLAIN.has(type));
    this.rowsPerInsert = Math.max(
      1,
      Math.min(ROWS_PER_INSERT, Math.floor(PARAMETERS_MAX / pact.fields.length)),
    );
    this.insertOne = connection.prepare(insertSql(names.table, pact, 1));
    this.prepareMany = () => connection.prepare(insertSql(names.table, pact, this.rowsPerInsert));
    this.upsertNow = names.now === null ? null : connection.prepare(upsertSql(names.now, pact));
  }

  /** Writes the rows of one Block, which stand at consecutive sequence numbers. */
  write(place: RowPlace, rows: readonly Row[]): void {
    const { firstSequence, firstIndex, heirs } = place;
    const shared = sharedOf(place);
    const isLifted = rows.length >= ROWS_PER_LIFT;
    if (isLifted) this.connection.exec(this.guard.lift);
    this.insert(place, shared, rows);
    if (isLifted) this.connection.exec(this.guard.restore);
    if (this.upsertNow === null) return;
    for (const index of this.lastOfEachKey(rows)) {
      shared.s = firstSequence + index;
      shared.e = firstIndex + index;
      for (const heir of heirs) {
        shared.g = heir;
        this.upsertNow.run(this.bind(rows, index, 1), shared);
      }
    }
  }

  /** The 36 bytes after the fields of an Entry that a Saga produced; null: it has none. */
  causeOf(row: Row): Uint8Array | null {
    return row.length > this.pact.fields.length ? (row.at(-1) as Uint8Array) : null;
  }

  /** Writes the one row of an Entry that a Saga produced. */
  writeCaused(place: RowPlace, row: Row, cause: Uint8Array): void {
    const values = this.bind([row.slice(0, -1)], 0, 1);
    this.caused().write(values, { ...sharedOf(place), c: cause }, place.heirs);
  }

  /** Takes such a row back: an Entry of the same cause stands before it. */
  withdraw(groupNumber: number, sequence: number, heirs: readonly number[]): void {
    this.caused().withdraw(groupNumber, sequence, heirs);
  }

  private caused(): CausedRows {
    const { pact, names } = this;
    const { table, now } = names;
    this.causedRows ??= new CausedRows(this.connection, pact, {
      table,
      now,
      insert: insertSql(table, pact, 1, true),
      upsert: now === null ? null : upsertSql(now, pact, true),
    });
    return this.causedRows;
  }

  private insert(place: RowPlace, shared: SharedColumns, rows: readonly Row[]): void {
    const { firstSequence, firstIndex } = place;
    const many = rows.length - (rows.length % this.rowsPerInsert);
    for (let start = 0; start < many; start += this.rowsPerInsert) {
      shared.s = firstSequence + start;
      shared.e = firstIndex + start;
      this.insertMany ??= this.prepareMany();
      this.insertMany.run(this.bind(rows, start, this.rowsPerInsert), shared);
    }
    for (let start = many; start < rows.length; start++) {
      shared.s = firstSequence + start;
      shared.e = firstIndex + start;
      this.insertOne.run(this.bind(rows, start, 1), shared);
    }
  }

  private bind(rows: readonly Row[], start: number, count: number): SqlValue[] {
    const { fields } = this.pact;
    const bound: SqlValue[] = new Array(count * fields.length);
    let at = 0;
    for (let index = start; index < start + count; index++) {
      const row = rows[index]!;
      invariant(row.length === fields.length, 'a row has a value for each field');
      for (let place = 0; place < fields.length; place++) {
        const value = row[place]!;
        bound[at++] = this.isPlain ? (value as SqlValue) : toSql(fields[place]!.type, value);
      }
    }
    return bound;
  }

  /** Index of the last row of each key, ascending: rows before it would be written over at once. */
  private lastOfEachKey(rows: readonly Row[]): number[] {
    const last = new Map<EntryValue, number>();
    const [only] = this.keyIndices;
    const isText = this.keyIndices.length === 1 && this.pact.fields[only!]!.type === 'string';
    rows.forEach((row, index) => {
      const key = isText ? row[only!]! : JSON.stringify(this.keyIndices.map((at) => row[at]));
      last.set(key, index);
    });
    return [...last.values()].sort((a, b) => a - b);
  }
}

const PLAIN: ReadonlySet<FieldType> = new Set(['string', 'integer', 'number', 'bytes']);

/** A value as its column holds it. */
export function toSql(type: FieldType, value: EntryValue): SqlValue {
  if (value === null) return null;
  if (type === 'boolean') return value ? 1 : 0;
  if (type === 'array' || type === 'object') return JSON.stringify(value, bytesAsBase64);
  return value as SqlValue;
}

function bytesAsBase64(_name: string, value: EntryValue): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

function sharedOf({ groupNumber, firstSequence, firstIndex, block }: RowPlace): SharedColumns {
  return {
    g: groupNumber,
    s: firstSequence,
    e: firstIndex,
    b: toBlob(block.id),
    i: toBlob(block.issuer),
    a: block.atMs,
  };
}

function columnsOf(pact: Pact): string {
  const names = pact.fields.map(({ name }) => quoteName(name));
  return [...names, '_group', '_seq', '_entry', '_block', '_issuer', '_at'].join(', ');
}

/** Most rows have no cause: theirs is null without being bound. */
function insertSql(table: string, pact: Pact, rowCount: number, isCaused = false): string {
  const fields = pact.fields.map(() => '?').join(', ');
  const rows = Array.from(
    { length: rowCount },
    (_, index) =>
      `(${fields}, @g, @s + ${index}, @e + ${index}, @b, @i, @a${isCaused ? ', @c' : ''})`,
  );
  const columns = `${columnsOf(pact)}${isCaused ? ', _cause' : ''}`;
  return `INSERT INTO ${quoteName(table)} (${columns}) VALUES ${rows.join(', ')}`;
}

/** Writes the current state of a key, unless it is that of a later Entry already. */
function upsertSql(table: string, pact: Pact, isCaused = false): string {
  const changing = pact.fields.map(({ name }) => name).filter((name) => !pact.key.includes(name));
  const own = ['_seq', '_entry', '_block', '_issuer', '_at', '_cause'];
  const changes = [...changing.map(quoteName), ...own].map((name) => `${name} = excluded.${name}`);
  return `${insertSql(table, pact, 1, isCaused)}
    ON CONFLICT (_group, ${pact.key.map(quoteName).join(', ')}) DO UPDATE
    SET ${changes.join(', ')} WHERE excluded._seq > ${quoteName(table)}._seq`;
}
