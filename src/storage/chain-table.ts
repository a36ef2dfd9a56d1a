import { concatBytes, ID_BYTES } from '../model/bytes.ts';
import type { MetablockId } from '../model/metablock.ts';
import type { Ballot, EntrySequence, Generation, Level } from '../model/numbers.ts';
import type { GroupId } from '../model/sync-group.ts';
import type { ChainRecord, StoredVote } from '../ports/store.ts';
import type { Connection, Query, SqlRow } from './connection.ts';
import { toBlob, toBlobOrNull, toBytes, toId, toIdOrNull, toNumber } from './sql-value.ts';

/** The finalized chain of each Sync Group, and what this Participant promised about each. */
export class ChainTable {
  private readonly insert: Query;
  private readonly last: Query;
  private readonly range: Query;
  private readonly setVote: Query;
  private readonly allVotes: Query;

  constructor(connection: Connection) {
    this.insert = connection.prepare('INSERT INTO vb_chain VALUES (?, ?, ?, ?)');
    this.last = connection.prepare(
      'SELECT * FROM vb_chain WHERE group_number = ? ORDER BY level DESC LIMIT 1',
    );
    this.range = connection.prepare(
      'SELECT * FROM vb_chain WHERE group_number = ? AND level >= ? ORDER BY level LIMIT ?',
    );
    this.setVote = connection.prepare('REPLACE INTO vb_vote VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.allVotes = connection.prepare('SELECT * FROM vb_vote ORDER BY group_id');
  }

  append(groupNumber: number, record: Omit<ChainRecord, 'group'>): void {
    const { level, metablock, lastSequence } = record;
    this.insert.run(groupNumber, level, toBlob(metablock), lastSequence);
  }

  head(group: GroupId, groupNumber: number): ChainRecord | null {
    const row = this.last.get(groupNumber);
    return row === undefined ? null : toRecord(group, row);
  }

  chain(group: GroupId, groupNumber: number, from: Level, limit: number): ChainRecord[] {
    return this.range.all(groupNumber, from, limit).map((row) => toRecord(group, row));
  }

  putVote(vote: StoredVote): void {
    this.setVote.run(
      toBlob(vote.group),
      vote.ballot,
      vote.votedBallot,
      concatBytes(...vote.votes.map(toBlob)),
      toBlobOrNull(vote.lock?.metablock ?? null),
      vote.lock?.ballot ?? null,
      vote.highestCertified,
      vote.highestFinalizable,
    );
  }

  votes(): StoredVote[] {
    return this.allVotes.all().map(toVote);
  }
}

function toRecord(group: GroupId, row: SqlRow): ChainRecord {
  return {
    group,
    level: toNumber(row['level']) as Level,
    metablock: toId(row['metablock']),
    lastSequence: toNumber(row['last_seq']) as EntrySequence,
  };
}

function toVote(row: SqlRow): StoredVote {
  const lock = toIdOrNull(row['lock_metablock']);
  return {
    group: toId(row['group_id']),
    ballot: toNumber(row['ballot']) as Ballot,
    votedBallot: toNumber(row['voted_ballot']) as Ballot,
    votes: toIds(toBytes(row['votes'])),
    lock:
      lock === null ? null : { metablock: lock, ballot: toNumber(row['lock_ballot']) as Ballot },
    highestCertified: toNumber(row['highest_certified']) as Generation,
    highestFinalizable: toNumber(row['highest_finalizable']) as Generation,
  };
}

function toIds(bytes: Uint8Array): MetablockId[] {
  return Array.from({ length: bytes.length / ID_BYTES }, (_, index) =>
    toId(bytes.subarray(index * ID_BYTES, (index + 1) * ID_BYTES)),
  );
}
