import type { Pact } from '../model/pact.ts';
import type { Connection, Query, SqlRow, SqlValue } from './connection.ts';
import { copyNowSql } from './current-state.ts';
import { quoteName } from './guard.ts';

export interface CausedRowsSql {
  readonly table: string;
  readonly now: string | null;
  /** As for rows without a cause, with `_cause` as `@c`. */
  readonly insert: string;
  readonly upsert: string | null;
}

/** Rows of Entries that Sagas produced, in the tables of one Pact. They are few. */
export class CausedRows {
  private readonly insert: Query;
  private readonly upsert: Query | null;
  private readonly deleteRow: Query;
  private readonly deleteNow: Query | null;
  private readonly refill: Query | null;

  constructor(connection: Connection, pact: Pact, { table, now, insert, upsert }: CausedRowsSql) {
    const remove = (from: string) =>
      connection.prepare(`DELETE FROM ${quoteName(from)} WHERE _group = ? AND _seq = ?`);
    this.insert = connection.prepare(insert);
    this.upsert = upsert === null ? null : connection.prepare(upsert);
    this.deleteRow = remove(table);
    this.deleteNow = now === null ? null : remove(now);
    const [, fromHistory] = now === null ? [null, null] : copyNowSql({ table, now }, pact);
    this.refill = fromHistory === null ? null : connection.prepare(fromHistory);
  }

  write(values: SqlValue[], shared: SqlRow, heirs: readonly number[]): void {
    this.insert.run(values, shared);
    for (const g of heirs) this.upsert?.run(values, { ...shared, g });
  }

  /** Takes a row back; what its key was before comes from the history again. */
  withdraw(groupNumber: number, sequence: number, heirs: readonly number[]): void {
    this.deleteRow.run(groupNumber, sequence);
    for (const heir of heirs) {
      const taken = this.deleteNow?.run(heir, sequence) ?? 0;
      if (taken === 0) continue;
      this.refill?.run({ from: heir, to: heir, last: Number.MAX_SAFE_INTEGER });
    }
  }
}
