import type { Pact } from '../model/pact.ts';
import type { GroupId } from '../model/sync-group.ts';
import type { EntrySearchPort, SearchWish } from '../ports/entry-search.ts';
import type { Connection, SqlValue } from './connection.ts';
import type { GroupTable } from './group-table.ts';
import { quoteName } from './guard.ts';
import type { PactTables } from './pact-tables.ts';
import { toNumber } from './sql-value.ts';

/** Finds Entries by the values of their fields, in the table of their Pact. */
export class EntrySearch implements EntrySearchPort {
  private readonly connection: Connection;
  private readonly tables: PactTables;
  private readonly groups: GroupTable;

  constructor(connection: Connection, tables: PactTables, groups: GroupTable) {
    this.connection = connection;
    this.tables = tables;
    this.groups = groups;
  }

  find(pact: Pact, group: GroupId, wish: SearchWish): number[] {
    const number = this.groups.numberOrNull(group);
    const record = this.tables.records().find((each) => each.pact.id === pact.id);
    if (number === null || record === undefined) return [];
    const names = Object.keys(wish.where);
    const values: SqlValue[] = names.map((name) => toValue(wish.where[name]!));
    const matches = names.map((name) => ` AND ${quoteName(name)} IS ?`).join('');
    const order = wish.order === 'newest' ? 'DESC' : 'ASC';
    const sql = `SELECT _seq FROM ${quoteName(record.table)}
      WHERE _group = ? AND _seq <= ?${matches} ORDER BY _seq ${order} LIMIT ?`;
    const rows = this.connection.prepare(sql).all([number, wish.upTo, ...values, wish.limit]);
    return rows.map((row) => toNumber(row['_seq']));
  }
}

function toValue(value: string | number | boolean | Uint8Array): SqlValue {
  return typeof value === 'boolean' ? Number(value) : value;
}
