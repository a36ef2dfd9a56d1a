import { invariant } from '../model/invariant.ts';
import type { FieldType, Pact, PactField, Priority } from '../model/pact.ts';
import type { Availability, PactId, QuorumPolicy } from '../model/sync-group.ts';
import type { PactRecord } from '../ports/store.ts';
import type { Connection, Query, SqlRow } from './connection.ts';
import { copyNowSql, moveNowSql } from './current-state.ts';
import { guardSql, pushInstead, quoteName } from './guard.ts';
import { RowWriter } from './row-writer.ts';
import { toBlob, toBlobOrNull, toId, toIdOrNull, toText } from './sql-value.ts';

const COLUMN_TYPES: Readonly<Record<FieldType, string>> = {
  string: 'TEXT',
  integer: 'INTEGER',
  number: 'REAL',
  boolean: 'INTEGER',
  bytes: 'BLOB',
  array: 'TEXT',
  object: 'TEXT',
};

/** Pacts whose statements are kept ready; the one made ready longest ago gives way. */
const WRITERS_MAX = 64;

/** What every row says beside its fields; the same at every Participant. */
const OWN_COLUMNS = `
  _group INTEGER NOT NULL, _seq INTEGER NOT NULL, _entry INTEGER NOT NULL,
  _block BLOB NOT NULL, _issuer BLOB NOT NULL, _at INTEGER NOT NULL, _cause BLOB`;

/** The tables that Pacts have: one of their Entries, and with a key one of the current state. */
export class PactTables {
  private readonly connection: Connection;
  private readonly writers = new Map<PactId, RowWriter>();
  private readonly find: Query;
  private readonly insert: Query;
  private readonly all: Query;
  private readonly isTaken: Query;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.onRolledBack(() => this.writers.clear());
    this.find = connection.prepare('SELECT * FROM vb_pact WHERE id = ?');
    this.insert = connection.prepare(
      'INSERT INTO vb_pact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.all = connection.prepare('SELECT * FROM vb_pact ORDER BY name, id');
    this.isTaken = connection.prepare('SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE');
  }

  /** @returns the table's name. */
  put(pact: Pact): string {
    const known = this.find.get(toBlob(pact.id));
    if (known !== undefined) return toText(known['table_name']);
    const { table, now } = this.freeNames(pact);
    this.insert.run(
      toBlob(pact.id),
      pact.name,
      pact.description,
      table,
      now,
      toBlobOrNull(pact.extends),
      pact.quorumPolicy,
      pact.availability,
      JSON.stringify(pact.fields),
      JSON.stringify(pact.key),
      pact.retention === null ? null : JSON.stringify(pact.retention),
      pact.priority,
      pact.definition,
    );
    this.connection.exec(tableSql(table, pact.fields, '_group, _seq', pact.name));
    if (now !== null) {
      const key = ['_group', ...pact.key.map(quoteName)].join(', ');
      this.connection.exec(tableSql(now, pact.fields, key, pact.name));
    }
    return table;
  }

  records(): PactRecord[] {
    return this.all.all().map((row) => ({ pact: toPact(row), table: toText(row['table_name']) }));
  }

  /** Tables that this file should have, by Pact. */
  tables(): { pact: string; table: string }[] {
    return this.all
      .all()
      .flatMap((row) =>
        [row['table_name'], row['now_table']].flatMap((table) =>
          typeof table === 'string' ? [{ pact: toText(row['name']), table }] : [],
        ),
      );
  }

  writer(pact: PactId): RowWriter {
    const known = this.writers.get(pact);
    if (known !== undefined) return known;
    const row = this.find.get(toBlob(pact));
    invariant(row !== undefined, 'a Pact is put before its Entries');
    const now = row['now_table'];
    const writer = new RowWriter(this.connection, toPact(row), {
      table: toText(row['table_name']),
      now: typeof now === 'string' ? now : null,
    });
    this.writers.set(pact, writer);
    for (const oldest of this.writers.keys()) {
      if (this.writers.size <= WRITERS_MAX) break;
      this.writers.delete(oldest);
    }
    return writer;
  }

  /**
   * A group that goes on from another one begins with its current state. What was handed over
   * stands under the new number alone; where a group was split, each has its own.
   *
   * @param heir Numbers of both groups, and the last Entry of the first that belongs to the second.
   */
  inheritNow(
    pact: PactId,
    heir: { readonly from: number; readonly to: number; readonly last: number },
    isSplit: boolean,
  ): void {
    const row = this.find.get(toBlob(pact));
    invariant(row !== undefined, 'a Pact is put before its Sync Groups');
    const now = row['now_table'];
    if (typeof now !== 'string') return;
    const names = { table: toText(row['table_name']), now };
    const { from, to } = heir;
    if (!isSplit) this.connection.prepare(moveNowSql(names)).run({ from, to });
    else for (const sql of copyNowSql(names, toPact(row))) this.connection.prepare(sql).run(heir);
  }

  /** A table of the user, or another Pact of this name, keeps its name: ours gets a longer one. */
  private freeNames(pact: Pact): { table: string; now: string | null } {
    const suffixes = ['', `__${pact.id.slice(0, 8)}`, `__${pact.id}`];
    for (const suffix of suffixes) {
      const table = `${pact.name}${suffix}`;
      const now = pact.key.length === 0 ? null : `${table}_now`;
      if (this.isFree(table) && (now === null || this.isFree(now))) return { table, now };
    }
    invariant(false, 'no table bears the whole id of a Pact that is not here');
  }

  private isFree(name: string): boolean {
    return this.isTaken.get(name) === undefined;
  }
}

function tableSql(
  table: string,
  fields: readonly PactField[],
  primaryKey: string,
  pactName: string,
): string {
  const columns = fields.map(
    ({ name, type, optional }) =>
      `${quoteName(name)} ${COLUMN_TYPES[type]}${optional ? '' : ' NOT NULL'}`,
  );
  return `CREATE TABLE ${quoteName(table)} (
    ${columns.join(', ')}, ${OWN_COLUMNS},
    PRIMARY KEY (${primaryKey})) STRICT, WITHOUT ROWID;
    ${guardSql(table, pushInstead(pactName))}`;
}

function toPact(row: SqlRow): Pact {
  return {
    id: toId(row['id']),
    name: toText(row['name']),
    description: toText(row['description']),
    fields: JSON.parse(toText(row['fields'])) as PactField[],
    key: JSON.parse(toText(row['key'])) as string[],
    extends: toIdOrNull(row['extends']),
    quorumPolicy: toText(row['quorum']) as QuorumPolicy,
    availability: toText(row['availability']) as Availability,
    retention: typeof row['retention'] === 'string' ? JSON.parse(row['retention']) : null,
    priority: toText(row['priority']) as Priority,
    definition: toText(row['definition']),
  };
}
