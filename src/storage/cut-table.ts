import {
  type Cut,
  type CutBody,
  type CutSignature,
  decodeCutBody,
  encodeCut,
  sealCut,
} from '../model/cut.ts';
import type { EntrySequence } from '../model/numbers.ts';
import type { CutBounds, GroupExtent } from '../ports/cut-store.ts';
import type { Connection, Query } from './connection.ts';
import { toBlob, toBytes, toId, toNumber } from './sql-value.ts';
import { corruptRow } from './store-fault.ts';

/** Places where groups may be cut, who signed them, and where each group was cut. */
export class CutTable {
  private readonly file: string;
  private readonly sql: Readonly<Record<keyof typeof SQL, Query>>;
  private readonly bases = new Map<number, Cut | null>();

  constructor(connection: Connection) {
    this.file = connection.file;
    connection.onRolledBack(() => this.bases.clear());
    this.sql = Object.fromEntries(
      Object.entries(SQL).map(([name, text]) => [name, connection.prepare(text)]),
    ) as Record<keyof typeof SQL, Query>;
  }

  putPlace(group: number, body: CutBody, atMs: number): void {
    this.sql.insert.run(group, body.lastSequence, body.level, atMs, encodeCut(body), group);
  }

  place(group: number, lastSequence: EntrySequence): CutBody | null {
    const row = this.sql.find.get(group, lastSequence);
    if (row === undefined) return null;
    const read = decodeCutBody(toBytes(row['body']));
    if (!read.ok) throw corruptRow(this.file, 'a cut');
    return read.value;
  }

  sign(group: number, lastSequence: EntrySequence, signatures: readonly CutSignature[]): void {
    for (const { owner, signature } of signatures) {
      this.sql.sign.run(group, lastSequence, toBlob(owner), signature);
    }
  }

  at(group: number, lastSequence: EntrySequence): Cut | null {
    const body = this.place(group, lastSequence);
    const signatures = this.sql.signatures.all(group, lastSequence).map((row) => ({
      owner: toId(row['owner']),
      signature: new Uint8Array(toBytes(row['signature'])),
    }));
    return body === null || signatures.length === 0 ? null : sealCut(body, signatures);
  }

  base(group: number): Cut | null {
    const known = this.bases.get(group);
    if (known !== undefined) return known;
    const sequence = toNumber(this.sql.base.get(group)?.['cut_seq']) as EntrySequence;
    const cut = sequence === 0 ? null : this.at(group, sequence);
    if (sequence !== 0 && cut === null) throw corruptRow(this.file, 'a cut');
    this.bases.set(group, cut);
    return cut;
  }

  beyond(group: number, quorum: number, bounds: CutBounds): EntrySequence | null {
    const { lastSequence, bytes, atMs } = bounds;
    const row = this.sql.beyond.get({ g: group, q: quorum, s: lastSequence, b: bytes, t: atMs });
    return row === undefined ? null : (toNumber(row['last_seq']) as EntrySequence);
  }

  /** @param hasRows Shall the rows of the Pact's table go as well? */
  setBase(group: number, cut: Cut, hasRows: boolean): void {
    const { lastSequence, level, metablock } = cut;
    const chainLevel = metablock === null ? -1 : level;
    this.sql.setBase.run({ g: group, s: lastSequence, l: chainLevel, r: hasRows ? 1 : 0 });
    this.bases.delete(group);
  }

  extent(group: number): GroupExtent {
    const row = this.sql.extent.get(group)!;
    return {
      first: (Math.max(toNumber(row['cut_seq']), toNumber(row['start_seq'])) + 1) as EntrySequence,
      last: toNumber(row['last_seq']) as EntrySequence,
      bytes: toNumber(row['bytes']),
      bytesBelow: toNumber(row['below']),
    };
  }

  addBytes(group: number, bytes: number): void {
    this.sql.addBytes.run(bytes, group);
  }
}

const SQL = {
  insert: `INSERT INTO vb_cut SELECT ?, ?, ?, ?, bytes, ? FROM vb_group WHERE number = ?
    ON CONFLICT DO NOTHING`,
  find: 'SELECT body FROM vb_cut WHERE group_number = ? AND last_seq = ?',
  sign: 'INSERT INTO vb_cut_signature VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  signatures: `SELECT owner, signature FROM vb_cut_signature
    WHERE group_number = ? AND last_seq = ? ORDER BY owner`,
  base: 'SELECT cut_seq FROM vb_group WHERE number = ?',
  beyond: `SELECT c.last_seq FROM vb_cut c WHERE c.group_number = @g
    AND c.last_seq > (SELECT cut_seq FROM vb_group WHERE number = @g)
    AND (c.last_seq <= @s OR c.bytes <= @b OR c.at <= @t)
    AND (SELECT count(*) FROM vb_cut_signature v
      WHERE v.group_number = c.group_number AND v.last_seq = c.last_seq) >= @q
    ORDER BY c.last_seq DESC LIMIT 1`,
  setBase: `UPDATE vb_group SET cut_seq = @s, cut_level = @l,
    cut_rows = iif(@r, @s, cut_rows) WHERE number = @g`,
  extent: `SELECT g.last_seq, g.cut_seq, g.start_seq, g.bytes, ifnull((SELECT c.bytes FROM vb_cut c
    WHERE c.group_number = g.number AND c.last_seq = g.cut_seq), 0) AS below
    FROM vb_group g WHERE g.number = ?`,
  addBytes: 'UPDATE vb_group SET bytes = bytes + ? WHERE number = ?',
} as const;
