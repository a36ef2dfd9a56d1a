import { decodeCutBody } from '../model/cut.ts';
import type { Connection, Query } from './connection.ts';
import { quoteName } from './guard.ts';
import { toBlob, toBytes, toNumber, toText } from './sql-value.ts';
import { corruptRow } from './store-fault.ts';

/** Rows of a Pact's table cost little: so many go for one Block. */
const ROWS_PER_BLOCK = 8;

interface RowQueries {
  readonly first: Query;
  readonly delete: Query;
}

/** Throws away what lies below the cut of a group, some at a time; whatever is left is found. */
export class CutSweeper {
  private readonly connection: Connection;
  private readonly sql: Readonly<Record<keyof typeof SQL, Query>>;
  private readonly tables = new Map<string, RowQueries>();

  constructor(connection: Connection) {
    this.connection = connection;
    this.sql = Object.fromEntries(
      Object.entries(SQL).map(([name, text]) => [name, connection.prepare(text)]),
    ) as Record<keyof typeof SQL, Query>;
  }

  /**
   * @param deleteMetablock Deletes one whose place in the chain is gone, unless it is needed.
   * @returns whether there may be more.
   */
  sweep(group: number, limit: number, deleteMetablock: (id: Uint8Array) => void): boolean {
    const row = this.sql.cut.get(group);
    if (row === undefined || row['cut_seq'] === 0) return false;
    const sequence = toNumber(row['cut_seq']);
    const hasRows = this.sweepRows(group, toNumber(row['cut_rows']), limit * ROWS_PER_BLOCK);
    const hasBlocks = this.sweepBlocks(group, toBytes(row['body']), limit);
    const levels = this.sql.levels.all(group, row['cut_level']!, limit);
    for (const { level, metablock } of levels) {
      this.sql.deleteLevel.run(group, level!);
      deleteMetablock(toBytes(metablock));
    }
    this.sql.deleteSignatures.run(group, sequence);
    this.sql.deleteCuts.run(group, sequence);
    this.sql.deleteCauses.run(group, sequence);
    this.sql.deleteVoids.run(group, sequence);
    return hasRows || hasBlocks || levels.length === limit;
  }

  private sweepRows(group: number, upTo: number, limit: number): boolean {
    if (upTo === 0) return false;
    const queries = this.rowsOf(toText(this.sql.table.get(group)?.['table_name']));
    const first = queries.first.get(group, upTo)?.['_seq'];
    if (first === undefined) return false;
    const last = Math.min(upTo, toNumber(first) + limit - 1);
    queries.delete.run(group, last);
    return last < upTo;
  }

  private sweepBlocks(group: number, body: Uint8Array, limit: number): boolean {
    const read = decodeCutBody(body);
    if (!read.ok) throw corruptRow(this.connection.file, 'a cut');
    for (const { issuer, sequence } of read.value.tips) {
      const rows = this.sql.blocks.all(group, toBlob(issuer), sequence, limit);
      for (const { number } of rows) {
        this.sql.deletePayload.run(number!);
        this.sql.deleteBlock.run(number!);
      }
      if (rows.length > 0) return true;
    }
    return false;
  }

  private rowsOf(table: string): RowQueries {
    const known = this.tables.get(table);
    if (known !== undefined) return known;
    const name = quoteName(table);
    const made = {
      first: this.connection.prepare(
        `SELECT _seq FROM ${name} WHERE _group = ? AND _seq <= ? ORDER BY _seq LIMIT 1`,
      ),
      delete: this.connection.prepare(`DELETE FROM ${name} WHERE _group = ? AND _seq <= ?`),
    };
    this.tables.set(table, made);
    return made;
  }
}

const SQL = {
  cut: `SELECT g.cut_seq, g.cut_level, g.cut_rows, c.body FROM vb_group g
    LEFT JOIN vb_cut c ON c.group_number = g.number AND c.last_seq = g.cut_seq
    WHERE g.number = ?`,
  table: `SELECT p.table_name FROM vb_group g JOIN vb_pact p ON p.id = g.pact
    WHERE g.number = ?`,
  blocks: `SELECT number FROM vb_block WHERE group_number = ? AND issuer = ? AND sequence <= ?
    ORDER BY sequence LIMIT ?`,
  deletePayload: 'DELETE FROM vb_payload WHERE block = ?',
  deleteBlock: 'DELETE FROM vb_block WHERE number = ?',
  levels: `SELECT level, metablock FROM vb_chain WHERE group_number = ? AND level < ?
    ORDER BY level LIMIT ?`,
  deleteLevel: 'DELETE FROM vb_chain WHERE group_number = ? AND level = ?',
  deleteSignatures: 'DELETE FROM vb_cut_signature WHERE group_number = ? AND last_seq < ?',
  deleteCauses: 'DELETE FROM vb_cause WHERE group_number = ? AND seq <= ?',
  deleteVoids: 'DELETE FROM vb_void WHERE group_number = ? AND seq <= ?',
  deleteCuts: 'DELETE FROM vb_cut WHERE group_number = ? AND last_seq < ?',
} as const;
