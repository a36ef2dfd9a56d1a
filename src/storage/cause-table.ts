import type { Connection, Query } from './connection.ts';
import { toNumber } from './sql-value.ts';

/** Where the Entry of one cause stands. */
export interface CausedEntry {
  readonly groupNumber: number;
  readonly sequence: number;
}

/**
 * Which produced Entries came first: of those with one cause in one line of groups the first takes
 * effect, and every later one is void, at every Participant alike.
 */
export class CauseTable {
  private readonly sql: Readonly<Record<keyof typeof SQL, Query>>;

  constructor(connection: Connection) {
    this.sql = Object.fromEntries(
      Object.entries(SQL).map(([name, text]) => [name, connection.prepare(text)]),
    ) as Record<keyof typeof SQL, Query>;
  }

  /**
   * An Entry with a cause is final here.
   *
   * @returns whether it takes effect, and which one no longer does: payloads may come in any order.
   */
  observe(
    groupNumber: number,
    sequence: number,
    cause: Uint8Array,
  ): { readonly isFirst: boolean; readonly displaced: CausedEntry | null } {
    const first = this.find(groupNumber, cause);
    if (first !== null && first.sequence < sequence) {
      this.sql.void.run(groupNumber, sequence);
      return { isFirst: false, displaced: null };
    }
    if (first !== null) {
      this.sql.forget.run(first.groupNumber, cause);
      this.sql.void.run(first.groupNumber, first.sequence);
    }
    this.sql.put.run(groupNumber, cause, sequence);
    return { isFirst: true, displaced: first };
  }

  /** The first of a cause in a line of groups, as far as it is known. */
  private find(groupNumber: number, cause: Uint8Array): CausedEntry | null {
    const rows = this.sql.find.all(cause);
    if (rows.length === 0) return null;
    const line = this.lineOf(groupNumber);
    const found = rows
      .map((row) => {
        return { groupNumber: toNumber(row['group_number']), sequence: toNumber(row['seq']) };
      })
      .filter((each) => line.has(each.groupNumber));
    return found.sort((a, b) => a.sequence - b.sequence)[0] ?? null;
  }

  /** A group, and those that it went on from. */
  private lineOf(groupNumber: number): Set<number> {
    const line = new Set<number>();
    let next: number | null = groupNumber;
    while (next !== null && !line.has(next)) {
      line.add(next);
      const row = this.sql.before.get(next);
      next = row === undefined ? null : toNumber(row['number']);
    }
    return line;
  }

  /** Sequence numbers of void Entries of a group, from one to another, both included. */
  voids(groupNumber: number, from: number, to: number): Set<number> {
    const rows = this.sql.voids.all(groupNumber, from, to);
    return new Set(rows.map((row) => toNumber(row['seq'])));
  }
}

const SQL = {
  find: 'SELECT group_number, seq FROM vb_cause WHERE cause = ?',
  before: `SELECT p.number FROM vb_group g JOIN vb_group p ON p.id = g.predecessor
    WHERE g.number = ?`,
  put: 'INSERT INTO vb_cause (group_number, cause, seq) VALUES (?, ?, ?)',
  forget: 'DELETE FROM vb_cause WHERE group_number = ? AND cause = ?',
  void: 'INSERT INTO vb_void VALUES (?, ?) ON CONFLICT DO NOTHING',
  voids: 'SELECT seq FROM vb_void WHERE group_number = ? AND seq BETWEEN ? AND ?',
} as const;
