import type { HashFunction } from '../model/bytes.ts';
import { type Certificate, decodeCertificate, encodeCertificate } from '../model/certificate.ts';
import { decodeMetablock, type Metablock, type MetablockId } from '../model/metablock.ts';
import type { GroupId } from '../model/sync-group.ts';
import type { Connection, Query, SqlRow } from './connection.ts';
import { toBlob, toBlobOrNull, toBytes, toId } from './sql-value.ts';
import { corruptRow } from './store-fault.ts';

/** What became of the place that a Metablock takes in the chain of one group. */
const OPEN = 0;
/** The last final one of its chain. */
const HEAD = 1;
const FINAL = 2;
/** A rival of a final one, or above such a rival: it can never become final. */
const DEAD = 3;

/** Metablocks with their places, and Certificates. */
export class MetablockTable {
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

  put(metablock: Metablock): void {
    const id = toBlob(metablock.id);
    if (this.sql.insert.run(id, metablock.generation, metablock.bytes) === 0) return;
    for (const { group, metablock: predecessor } of metablock.predecessors) {
      this.sql.insertPlace.run(id, toBlob(group), toBlobOrNull(predecessor), OPEN);
      if (this.isDeadAfter(group, predecessor)) this.kill(group, metablock.id);
    }
  }

  find(id: MetablockId): Metablock | null {
    const row = this.sql.find.get(toBlob(id));
    return row === undefined ? null : this.decode(row);
  }

  /** Those that may still become final, the heads, and those that votes and locks name. */
  open(voted: readonly MetablockId[]): Metablock[] {
    const metablocks = new Map<MetablockId, Metablock>();
    for (const row of this.sql.open.all()) {
      const metablock = this.decode(row);
      metablocks.set(metablock.id, metablock);
    }
    for (const id of voted) {
      const metablock = metablocks.has(id) ? null : this.find(id);
      if (metablock !== null) metablocks.set(id, metablock);
    }
    return [...metablocks.values()].sort((a, b) => a.generation - b.generation);
  }

  /** `metablock` became the last final one after `previous`; its rivals never will. */
  setHead(group: GroupId, metablock: MetablockId, previous: MetablockId | null): void {
    if (previous !== null) this.sql.setPlace.run(FINAL, toBlob(previous), toBlob(group));
    this.sql.setPlace.run(HEAD, toBlob(metablock), toBlob(group));
    for (const rival of this.after(group, previous)) {
      if (rival !== metablock) this.kill(group, rival);
    }
  }

  /** `metablock` is the last final one, whatever lies between; only what descends from it lives. */
  install(group: GroupId, metablock: MetablockId): void {
    const open = this.sql.openOf.all(toBlob(group)).map((row) => toId(row['metablock']));
    const alive = new Set<MetablockId>([metablock]);
    const pending = [metablock];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const children = this.after(group, next);
      for (const child of children) alive.add(child);
      pending.push(...children);
    }
    for (const id of open) {
      const state = this.sql.state.get(toBlob(id), toBlob(group))?.['state'];
      if (state === HEAD) this.sql.setPlace.run(FINAL, toBlob(id), toBlob(group));
      else if (!alive.has(id)) this.sql.setPlace.run(DEAD, toBlob(id), toBlob(group));
    }
    this.sql.setPlace.run(HEAD, toBlob(metablock), toBlob(group));
  }

  putCertificate(certificate: Certificate): void {
    const digest = this.hash(encodeCertificate(certificate));
    const { metablock, certifier, bytes } = certificate;
    this.sql.insertCertificate.run(toBlob(metablock), digest, toBlob(certifier), bytes);
  }

  certificates(metablock: MetablockId): Certificate[] {
    return this.sql.certificates.all(toBlob(metablock)).map((row) => {
      const read = decodeCertificate(toBytes(row['bytes']));
      if (!read.ok) throw corruptRow(this.file, 'a Certificate');
      return read.value;
    });
  }

  /** Is whatever comes after `predecessor` a rival of what is final already? */
  private isDeadAfter(group: GroupId, predecessor: MetablockId | null): boolean {
    if (predecessor === null) return this.sql.anyFinal.get(toBlob(group)) !== undefined;
    const state = this.sql.state.get(toBlob(predecessor), toBlob(group))?.['state'];
    return state === FINAL || state === DEAD;
  }

  private after(group: GroupId, predecessor: MetablockId | null): MetablockId[] {
    const rows = this.sql.after.all(toBlob(group), toBlobOrNull(predecessor));
    return rows.map((row) => toId(row['metablock']));
  }

  /** This one and all above it. */
  private kill(group: GroupId, metablock: MetablockId): void {
    const doomed = [metablock];
    for (let next = doomed.pop(); next !== undefined; next = doomed.pop()) {
      this.sql.setPlace.run(DEAD, toBlob(next), toBlob(group));
      doomed.push(...this.after(group, next));
    }
  }

  private decode(row: SqlRow): Metablock {
    const read = decodeMetablock(this.hash, toBytes(row['bytes']));
    if (!read.ok) throw corruptRow(this.file, 'a Metablock');
    return read.value;
  }
}

const SQL = {
  insert: 'INSERT INTO vb_metablock VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  insertPlace: 'INSERT INTO vb_place VALUES (?, ?, ?, ?)',
  find: 'SELECT bytes FROM vb_metablock WHERE id = ?',
  // Places in groups that are not known here are nobody's concern here.
  open: `SELECT bytes FROM vb_metablock WHERE id IN (
    SELECT p.metablock FROM vb_group g
    CROSS JOIN vb_place p ON p.group_id = g.id AND p.state < 2)`,
  openOf: 'SELECT metablock FROM vb_place WHERE group_id = ? AND state < 2',
  setPlace: 'UPDATE vb_place SET state = ? WHERE metablock = ? AND group_id = ?',
  state: 'SELECT state FROM vb_place WHERE metablock = ? AND group_id = ?',
  anyFinal: `SELECT 1 FROM vb_group g JOIN vb_chain c ON c.group_number = g.number
    WHERE g.id = ? LIMIT 1`,
  after: 'SELECT metablock FROM vb_place WHERE group_id = ? AND predecessor IS ?',
  insertCertificate: 'INSERT INTO vb_certificate VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  certificates: 'SELECT bytes FROM vb_certificate WHERE metablock = ? ORDER BY digest',
} as const;
