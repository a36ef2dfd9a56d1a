import { type Block, type BlockId, decodeBlock, isHandOver } from '../model/block.ts';
import type { HashFunction } from '../model/bytes.ts';
import type { CausalSequence, EntrySequence } from '../model/numbers.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { BlockRecord, FrontierRecord } from '../ports/store.ts';
import type { Connection, Query, SqlRow } from './connection.ts';
import { toBlob, toBytes, toId, toIdOrNull, toNumber } from './sql-value.ts';
import { corruptRow } from './store-fault.ts';

/** A stacked Block as the other tables refer to it. */
export interface StackedBlock {
  readonly number: number;
  readonly held: boolean;
  /** Sequence number of its first Entry; null while it is not final. */
  readonly firstSequence: EntrySequence | null;
}

const RECORD = 'SELECT b.header, b.held, b.first_seq FROM vb_block b';

/** The Block Stack: headers, payloads, and how far each Causal Group stands. */
export class BlockTable {
  private readonly hash: HashFunction;
  private readonly file: string;
  private readonly sql: Readonly<Record<keyof typeof SQL, Query>>;

  constructor(connection: Connection, hash: HashFunction) {
    this.hash = hash;
    this.file = connection.file;
    this.sql = Object.fromEntries(
      Object.entries(SQL).map(([name, text]) => [name, connection.prepare(text)]),
    ) as Record<keyof typeof SQL, Query>;
  }

  put(groupNumber: number, block: Block, payload: Uint8Array | null): void {
    const known = this.find(block.id);
    if (known !== null && (known.held || payload === null)) return;
    const number = known?.number ?? this.insert(groupNumber, block, payload !== null);
    if (known !== null) this.sql.hold.run(number);
    if (payload !== null) this.sql.insertPayload.run(number, payload);
  }

  find(id: BlockId): StackedBlock | null {
    const row = this.sql.find.get(toBlob(id));
    if (row === undefined) return null;
    return {
      number: toNumber(row['number']),
      held: row['held'] === 1,
      firstSequence: row['first_seq'] as EntrySequence | null,
    };
  }

  record(id: BlockId): BlockRecord | null {
    const row = this.sql.record.get(toBlob(id));
    return row === undefined ? null : this.toRecord(row);
  }

  payload(id: BlockId): Uint8Array | null {
    const row = this.sql.payload.get(toBlob(id));
    return row === undefined ? null : toBytes(row['bytes']);
  }

  blocks(
    groupNumber: number,
    issuer: AvatarId,
    from: CausalSequence,
    limit: number,
  ): BlockRecord[] {
    const rows = this.sql.blocks.all(groupNumber, toBlob(issuer), from, limit);
    return rows.map((row) => this.toRecord(row));
  }

  pending(groupNumber: number): BlockRecord[] {
    return this.sql.pending.all(groupNumber).map((row) => this.toRecord(row));
  }

  missing(groupNumber: number, limit: number): BlockId[] {
    return this.sql.missing.all(groupNumber, limit).map((row) => toId(row['id']));
  }

  /** The hand-over Block that ended the group: it is the last that became final. */
  handOver(groupNumber: number): BlockId | null {
    const row = this.sql.finalLast.get(groupNumber);
    return row?.['entry_count'] === 0 ? toId(row['id']) : null;
  }

  frontier(groupNumber: number): FrontierRecord[] {
    return toFrontier(this.sql.causal.all(groupNumber), 'sequence', 'block');
  }

  finalFrontier(groupNumber: number): FrontierRecord[] {
    return toFrontier(this.sql.causal.all(groupNumber), 'final_sequence', 'final_block');
  }

  setFinal(
    stacked: StackedBlock,
    place: { group: number; first: EntrySequence },
    block: Block,
  ): void {
    this.sql.setFinal.run(place.first, stacked.number);
    const { issuer, sequence, id } = block;
    this.setCausalFinal(place.group, { issuer, sequence, block: id });
    const beside = { g: place.group, i: toBlob(issuer), s: sequence, b: toBlob(id) };
    if (this.sql.beside.get(beside) === undefined) return;
    // The log forks here: what continues the other branch leads nowhere any more.
    this.follow(place.group, block);
  }

  /** Where one Causal Group ends; null where nothing stands. */
  tip(groupNumber: number, issuer: AvatarId): FrontierRecord | null {
    const row = this.sql.tip.get(groupNumber, toBlob(issuer));
    const block = toIdOrNull(row?.['block']);
    if (row === undefined || block === null) return null;
    return { issuer, sequence: toNumber(row['sequence']) as CausalSequence, block };
  }

  /** The Causal Group is final up to here, and stands here at least. */
  setCausalFinal(groupNumber: number, { issuer, sequence, block }: FrontierRecord): void {
    const place = { g: groupNumber, i: toBlob(issuer), s: sequence, b: toBlob(block) };
    this.sql.setCausalFinal.run(place);
  }

  /** Final Blocks from the one that holds `from` on, ascending, with their payloads. */
  *finalFrom(groupNumber: number, from: EntrySequence): Generator<FinalBlock> {
    let row = this.sql.finalAt.get(groupNumber, from);
    while (row !== undefined) {
      const block: FinalBlock = {
        block: this.decode(row),
        firstSequence: toNumber(row['first_seq']) as EntrySequence,
        payload: row['bytes'] === null ? null : toBytes(row['bytes']),
      };
      yield block;
      // Nothing follows a hand-over Block, and it has no Entries to count on from.
      if (isHandOver(block.block)) return;
      const next = block.firstSequence + block.block.entryCount;
      row = this.sql.finalNext.get(groupNumber, next);
    }
  }

  decode(row: SqlRow): Block {
    const read = decodeBlock(this.hash, toBytes(row['header']));
    if (!read.ok) throw corruptRow(this.file, 'a Block Header');
    return read.value;
  }

  private insert(groupNumber: number, block: Block, held: boolean): number {
    const number = this.sql.insert.insert(
      toBlob(block.id),
      groupNumber,
      toBlob(block.issuer),
      block.sequence,
      block.entryCount,
      held ? 1 : 0,
      block.bytes,
    );
    this.extendCausal(groupNumber, block);
    return number;
  }

  /** Moves the end of the Causal Group past this Block and those that waited for it. */
  private extendCausal(groupNumber: number, block: Block): void {
    const issuer = toBlob(block.issuer);
    const tip = this.sql.tip.get(groupNumber, issuer);
    const sequence = tip === undefined ? 0 : toNumber(tip['sequence']);
    const id = toIdOrNull(tip?.['block']);
    if (block.sequence !== sequence + 1 || block.previous !== id) return;
    this.follow(groupNumber, block);
  }

  /** The Causal Group ends where what continues this Block ends. */
  private follow(groupNumber: number, from: Block): void {
    let end = from;
    for (let next: Block | null = from; next !== null; ) {
      end = next;
      next = this.following(groupNumber, next);
    }
    const issuer = toBlob(end.issuer);
    this.sql.setTip.run({ g: groupNumber, i: issuer, s: end.sequence, b: toBlob(end.id) });
  }

  private following(groupNumber: number, block: Block): Block | null {
    const at = block.sequence + 1;
    for (const row of this.sql.at.all(groupNumber, toBlob(block.issuer), at)) {
      const next = this.decode(row);
      if (next.previous === block.id) return next;
    }
    return null;
  }

  private toRecord(row: SqlRow): BlockRecord {
    return {
      block: this.decode(row),
      held: row['held'] === 1,
      final: row['first_seq'] !== null,
    };
  }
}

export interface FinalBlock {
  readonly block: Block;
  readonly firstSequence: EntrySequence;
  readonly payload: Uint8Array | null;
}

const SQL = {
  insert: `INSERT INTO vb_block
    (id, group_number, issuer, sequence, entry_count, held, header) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  insertPayload: 'INSERT INTO vb_payload VALUES (?, ?)',
  hold: 'UPDATE vb_block SET held = 1 WHERE number = ?',
  find: 'SELECT number, held, first_seq FROM vb_block WHERE id = ?',
  record: `${RECORD} WHERE b.id = ?`,
  payload: `SELECT p.bytes FROM vb_block b JOIN vb_payload p ON p.block = b.number
    WHERE b.id = ?`,
  blocks: `${RECORD} WHERE b.group_number = ? AND b.issuer = ? AND b.sequence >= ?
    ORDER BY b.sequence, b.first_seq IS NULL, b.number LIMIT ?`,
  at: `${RECORD} WHERE b.group_number = ? AND b.issuer = ? AND b.sequence = ?`,
  beside: `SELECT 1 FROM vb_block
    WHERE group_number = @g AND issuer = @i AND sequence = @s AND id <> @b LIMIT 1`,
  pending: `${RECORD}
    LEFT JOIN vb_causal c ON c.group_number = b.group_number AND c.issuer = b.issuer
    WHERE b.group_number = ? AND b.first_seq IS NULL AND b.sequence > ifnull(c.final_sequence, 0)
    ORDER BY b.issuer, b.sequence, b.number`,
  missing: 'SELECT id FROM vb_block WHERE group_number = ? AND held = 0 ORDER BY number LIMIT ?',
  causal: 'SELECT * FROM vb_causal WHERE group_number = ? ORDER BY issuer',
  tip: 'SELECT sequence, block FROM vb_causal WHERE group_number = ? AND issuer = ?',
  setTip: `INSERT INTO vb_causal VALUES (@g, @i, @s, @b, 0, NULL)
    ON CONFLICT DO UPDATE SET sequence = @s, block = @b`,
  setFinal: 'UPDATE vb_block SET first_seq = ? WHERE number = ?',
  setCausalFinal: `INSERT INTO vb_causal VALUES (@g, @i, @s, @b, @s, @b)
    ON CONFLICT DO UPDATE SET final_sequence = @s, final_block = @b,
      block = iif(sequence > @s, block, @b), sequence = max(sequence, @s)`,
  finalAt: `SELECT b.header, b.first_seq, p.bytes FROM vb_block b
    LEFT JOIN vb_payload p ON p.block = b.number
    WHERE b.group_number = ? AND b.first_seq <= ? ORDER BY b.first_seq DESC LIMIT 1`,
  finalLast: `SELECT id, entry_count FROM vb_block
    WHERE group_number = ? AND first_seq IS NOT NULL ORDER BY first_seq DESC LIMIT 1`,
  finalNext: `SELECT b.header, b.first_seq, p.bytes FROM vb_block b
    LEFT JOIN vb_payload p ON p.block = b.number
    WHERE b.group_number = ? AND b.first_seq = ?`,
} as const;

function toFrontier(rows: readonly SqlRow[], sequence: string, block: string): FrontierRecord[] {
  return rows
    .filter((row) => row[block] !== null)
    .map((row) => ({
      issuer: toId(row['issuer']),
      sequence: toNumber(row[sequence]) as CausalSequence,
      block: toId(row[block]),
    }));
}
