import { decodeCertificate } from '../model/certificate.ts';
import {
  type AvatarId,
  deriveQuorum,
  type GroupId,
  type QuorumPolicy,
} from '../model/sync-group.ts';
import type { Connection, Query, SqlRow } from './connection.ts';
import { CutSweeper } from './cut-sweeper.ts';
import { toBlob, toBytes, toId, toNumber, toText } from './sql-value.ts';
import { corruptRow } from './store-fault.ts';

/** A Metablock's place in a group that is known here. */
interface KnownPlace {
  readonly groupNumber: number;
  readonly group: GroupId;
  readonly state: number;
  readonly quorum: number;
  /** Generation of the group's finalized head; -1 without one. */
  readonly finalizedGeneration: number;
}

/** Above it a place is decided: final, but not the last, or dead. */
const LAST_OPEN = 1;
const FINAL = 2;

interface Vote {
  readonly digest: Uint8Array;
  readonly certifier: AvatarId;
  readonly entries: readonly { readonly group: GroupId; readonly ballot: number }[];
}

/**
 * Throws away what no rule needs any more, a few rows at a time. What a vote or a lock names stays,
 * and so does whatever one of the groups of a Metablock has not decided.
 *
 * @source consensus.md 7.
 */
export class Sweeper {
  private readonly file: string;
  private readonly sql: Readonly<Record<keyof typeof SQL, Query>>;
  private readonly cutSweeper: CutSweeper;
  /** Per group the rival that was looked at last: those that must stay hold up no other. */
  private readonly cursors = new Map<GroupId, Uint8Array>();

  constructor(connection: Connection) {
    this.file = connection.file;
    this.cutSweeper = new CutSweeper(connection);
    this.sql = Object.fromEntries(
      Object.entries(SQL).map(([name, text]) => [name, connection.prepare(text)]),
    ) as Record<keyof typeof SQL, Query>;
  }

  /** @returns whether there may be more. */
  sweep(of: { readonly group: GroupId; readonly number: number }, limit: number): boolean {
    const hasLevels = this.sweepLevels(of.number, limit);
    const hasRivals = this.sweepRivals(of.group, limit);
    const isCut = this.cutSweeper.sweep(of.number, limit, (id) => this.sweepMetablock(id));
    return hasLevels || hasRivals || isCut;
  }

  private sweepLevels(groupNumber: number, limit: number): boolean {
    const rows = this.sql.levels.all(groupNumber, groupNumber, groupNumber, limit);
    for (const row of rows) this.sweepMetablock(toBytes(row['metablock']));
    const last = rows.at(-1)?.['level'];
    if (last !== undefined) this.sql.setSwept.run(last, groupNumber);
    return rows.length === limit;
  }

  private sweepRivals(group: GroupId, limit: number): boolean {
    const after = this.cursors.get(group) ?? new Uint8Array(0);
    const rows = this.sql.dead.all(toBlob(group), after, limit);
    for (const row of rows) this.sweepMetablock(toBytes(row['metablock']));
    const last = rows.at(-1)?.['metablock'];
    if (rows.length < limit || last === undefined) this.cursors.delete(group);
    else this.cursors.set(group, new Uint8Array(toBytes(last)));
    return rows.length === limit;
  }

  private sweepMetablock(id: Uint8Array): void {
    const places = this.sql.places.all(id).map(toPlace);
    if (places.some(({ state }) => state <= LAST_OPEN) || this.isNamed(id)) return;
    const finals = places.filter(({ state }) => state === FINAL);
    if (this.sql.inChain.get(id) !== undefined) {
      this.keepQuorums(id, finals);
      return;
    }
    // One whose Generation leapt ahead stays until its chains have passed it: whoever shows it
    // again must meet somebody who can tell that it is old.
    const generation = this.sql.generation.get(id)?.['generation'];
    if (typeof generation !== 'number') return;
    if (places.some(({ finalizedGeneration }) => generation > finalizedGeneration)) return;
    this.sql.deleteCertificates.run(id);
    this.sql.deletePlaces.run(id);
    this.sql.deleteMetablock.run(id);
  }

  /** Does a vote or a lock name it? */
  private isNamed(id: Uint8Array): boolean {
    return this.sql.named.get(id, id) !== undefined;
  }

  /** Of a final Metablock one Quorum for each of its groups, at the lowest Ballot that has one. */
  private keepQuorums(id: Uint8Array, places: readonly KnownPlace[]): void {
    const votes = this.sql.certificates.all(id).map((row) => this.toVote(row));
    const kept = new Set<Vote>();
    for (const { group, quorum } of places)
      for (const vote of quorumOf(votes, group, quorum)) {
        kept.add(vote);
      }
    for (const vote of votes) if (!kept.has(vote)) this.sql.deleteCertificate.run(id, vote.digest);
  }

  private toVote(row: SqlRow): Vote {
    const read = decodeCertificate(toBytes(row['bytes']));
    if (!read.ok) throw corruptRow(this.file, 'a Certificate');
    const { certifier, entries } = read.value;
    return { digest: toBytes(row['digest']), certifier, entries };
  }
}

function quorumOf(votes: readonly Vote[], group: GroupId, quorum: number): readonly Vote[] {
  const byBallot = new Map<number, Map<AvatarId, Vote>>();
  for (const vote of votes) {
    const ballot = vote.entries.find((each) => each.group === group)?.ballot;
    if (ballot === undefined) continue;
    const voters = byBallot.get(ballot) ?? new Map<AvatarId, Vote>();
    byBallot.set(ballot, voters.set(vote.certifier, vote));
  }
  const ballots = [...byBallot.keys()].sort((a, b) => a - b);
  const lowest = ballots.find((ballot) => byBallot.get(ballot)!.size >= quorum);
  return lowest === undefined ? [] : [...byBallot.get(lowest)!.values()].slice(0, quorum);
}

function toPlace(row: SqlRow): KnownPlace {
  const policy = toText(row['quorum']) as QuorumPolicy;
  return {
    groupNumber: toNumber(row['number']),
    group: toId(row['group_id']),
    state: toNumber(row['state']),
    quorum: deriveQuorum(toNumber(row['owners']), policy),
    finalizedGeneration: toNumber(row['finalized']),
  };
}

const SQL = {
  levels: `SELECT level, metablock FROM vb_chain WHERE group_number = ?
    AND level > (SELECT swept_level FROM vb_group WHERE number = ?)
    AND level < (SELECT max(level) FROM vb_chain WHERE group_number = ?)
    ORDER BY level LIMIT ?`,
  setSwept: 'UPDATE vb_group SET swept_level = ? WHERE number = ?',
  dead: `SELECT metablock FROM vb_place WHERE group_id = ? AND metablock > ? AND state = 3
    ORDER BY metablock LIMIT ?`,
  places: `SELECT g.number, p.group_id, p.state, g.quorum,
      (SELECT count(*) FROM vb_owner o WHERE o.group_number = g.number) AS owners,
      ifnull((SELECT m.generation FROM vb_chain c JOIN vb_metablock m ON m.id = c.metablock
        WHERE c.group_number = g.number ORDER BY c.level DESC LIMIT 1), -1) AS finalized
    FROM vb_place p JOIN vb_group g ON g.id = p.group_id WHERE p.metablock = ?`,
  inChain: 'SELECT 1 FROM vb_chain WHERE metablock = ? LIMIT 1',
  generation: 'SELECT generation FROM vb_metablock WHERE id = ?',
  // Votes stand one after the other, 32 bytes each.
  named: `SELECT 1 FROM vb_vote WHERE lock_metablock = ?
    OR (length(votes) > 0 AND instr(votes, ?) % 32 = 1) LIMIT 1`,
  certificates: 'SELECT digest, bytes FROM vb_certificate WHERE metablock = ? ORDER BY digest',
  deleteCertificate: 'DELETE FROM vb_certificate WHERE metablock = ? AND digest = ?',
  deleteCertificates: 'DELETE FROM vb_certificate WHERE metablock = ?',
  deletePlaces: 'DELETE FROM vb_place WHERE metablock = ?',
  deleteMetablock: 'DELETE FROM vb_metablock WHERE id = ?',
} as const;
