import { invariant } from '../model/invariant.ts';
import type { EntrySequence } from '../model/numbers.ts';
import {
  type Availability,
  type GroupId,
  type GroupOrigin,
  groupNumberOf,
  type QuorumPolicy,
  type SyncGroup,
} from '../model/sync-group.ts';
import type { Connection, Query, SqlRow } from './connection.ts';
import { toBlob, toBlobOrNull, toId, toIdOrNull, toNumber, toText } from './sql-value.ts';

/** Sync Groups, and the numbers that stand for them in this file. */
export class GroupTable {
  private readonly numbers = new Map<GroupId, number>();
  private readonly find: Query;
  private readonly isTaken: Query;
  private readonly insert: Query;
  private readonly insertOwner: Query;
  private readonly all: Query;
  private readonly owners: Query;
  private readonly startOf: Query;
  private readonly following: Query;
  private readonly last: Query;
  private readonly setLast: Query;
  private readonly rulesOf: Query;

  constructor(connection: Connection) {
    connection.onRolledBack(() => this.numbers.clear());
    this.find = connection.prepare('SELECT number FROM vb_group WHERE id = ?');
    this.isTaken = connection.prepare('SELECT 1 FROM vb_group WHERE number = ?');
    this.insert = connection.prepare(
      `INSERT INTO vb_group (number, id, pact, quorum, availability, origin, predecessor,
        origin_at, start_seq, last_seq) VALUES (@number, @id, @pact, @quorum, @availability,
        @origin, @predecessor, @at, @start, @start)`,
    );
    this.insertOwner = connection.prepare('INSERT INTO vb_owner VALUES (?, ?, ?)');
    this.all = connection.prepare('SELECT * FROM vb_group ORDER BY id');
    this.owners = connection.prepare(
      'SELECT avatar FROM vb_owner WHERE group_number = ? ORDER BY place',
    );
    this.startOf = connection.prepare('SELECT start_seq FROM vb_group WHERE number = ?');
    this.following = connection.prepare(
      `SELECT number, origin FROM vb_group WHERE start_seq >= ?
        AND predecessor = (SELECT id FROM vb_group WHERE number = ?)`,
    );
    this.last = connection.prepare('SELECT last_seq FROM vb_group WHERE number = ?');
    this.rulesOf = connection.prepare(
      `SELECT quorum, (SELECT count(*) FROM vb_owner WHERE group_number = number) AS owners
       FROM vb_group WHERE number = ?`,
    );
    this.setLast = connection.prepare('UPDATE vb_group SET last_seq = ? WHERE number = ?');
  }

  /** @returns whether it is new here. */
  put(group: SyncGroup): boolean {
    if (this.numberOrNull(group.id) !== null) return false;
    const number = this.freeNumber(group.id);
    const { origin } = group;
    this.insert.run({
      number,
      id: toBlob(group.id),
      pact: toBlob(group.pact),
      quorum: group.quorumPolicy,
      availability: group.availability,
      origin: origin?.kind ?? null,
      predecessor: toBlobOrNull(origin?.group ?? null),
      at: toBlobOrNull(origin?.at ?? null),
      start: origin?.sequence ?? 0,
    });
    group.owners.forEach((owner, place) => {
      this.insertOwner.run(number, place, toBlob(owner));
    });
    return true;
  }

  groups(): SyncGroup[] {
    return this.all.all().map((row) => this.toGroup(row));
  }

  numberOrNull(group: GroupId): number | null {
    const known = this.numbers.get(group);
    if (known !== undefined) return known;
    const row = this.find.get(toBlob(group));
    if (row === undefined) return null;
    const number = toNumber(row['number']);
    this.numbers.set(group, number);
    return number;
  }

  /** The number of a group that was put. */
  number(group: GroupId): number {
    const number = this.numberOrNull(group);
    invariant(number !== null, 'a Sync Group is put before anything that belongs to it');
    return number;
  }

  /** The last Entry of its predecessor that belongs to it; 0 where it has none. */
  start(number: number): EntrySequence {
    return toNumber(this.startOf.get(number)?.['start_seq']) as EntrySequence;
  }

  /**
   * The groups whose current state an Entry is part of: its own, unless that handed over, and those
   * that went on from it later than that Entry.
   */
  heirs(number: number, sequence: EntrySequence): number[] {
    const heirs: number[] = [];
    const next = this.following.all(sequence, number);
    if (!next.some((row) => row['origin'] === 'hand-over')) heirs.push(number);
    for (const row of next) heirs.push(...this.heirs(toNumber(row['number']), sequence));
    return heirs;
  }

  /** How many owners a group has, and how many of them decide. */
  rules(number: number): { readonly owners: number; readonly quorum: QuorumPolicy } {
    const row = this.rulesOf.get(number)!;
    return { owners: toNumber(row['owners']), quorum: toText(row['quorum']) as QuorumPolicy };
  }

  lastSequence(number: number): EntrySequence {
    return toNumber(this.last.get(number)?.['last_seq']) as EntrySequence;
  }

  setLastSequence(number: number, last: EntrySequence): void {
    this.setLast.run(last, number);
  }

  /**
   * Two ids that share their first 53 bits can be made on purpose, by whoever owns both groups: the
   * second then gets the next free number here. Other groups have the same number everywhere.
   */
  private freeNumber(group: GroupId): number {
    let number = groupNumberOf(group);
    while (this.isTaken.get(number) !== undefined) {
      number = number === Number.MAX_SAFE_INTEGER ? 0 : number + 1;
    }
    return number;
  }

  private toGroup(row: SqlRow): SyncGroup {
    return {
      id: toId(row['id']),
      pact: toId(row['pact']),
      owners: this.owners.all(toNumber(row['number'])).map((owner) => toId(owner['avatar'])),
      quorumPolicy: toText(row['quorum']) as QuorumPolicy,
      availability: toText(row['availability']) as Availability,
      origin: toOrigin(row),
    };
  }
}

function toOrigin(row: SqlRow): GroupOrigin | null {
  if (row['origin'] === null) return null;
  return {
    kind: toText(row['origin']) as GroupOrigin['kind'],
    group: toId(row['predecessor']),
    at: toIdOrNull(row['origin_at']),
    sequence: toNumber(row['start_seq']) as EntrySequence,
  };
}
