import type { HashFunction } from '../model/bytes.ts';
import { decodeForkProof, encodeForkProof, type ForkProof } from '../model/fork-proof.ts';
import type { ForkRecord } from '../ports/store.ts';
import type { Connection, Query } from './connection.ts';
import { toBlob, toBytes, toNumber } from './sql-value.ts';
import { corruptRow } from './store-fault.ts';

/**
 * Fork proofs: one for each Causal Group, that of its earliest fork. So there are never more than
 * owners, and no other evidence pushes one out.
 */
export class ForkTable {
  private readonly hash: HashFunction;
  private readonly file: string;
  private readonly set: Query;
  private readonly every: Query;

  constructor(connection: Connection, hash: HashFunction) {
    this.hash = hash;
    this.file = connection.file;
    this.set = connection.prepare(
      `INSERT INTO vb_fork VALUES (@group, @author, @sequence, @proof, @seen, 0)
       ON CONFLICT DO UPDATE SET sequence = @sequence, proof = @proof, lowered = lowered + 1`,
    );
    this.every = connection.prepare('SELECT * FROM vb_fork ORDER BY seen_at, author');
  }

  /** In place of an earlier proof of the same log; that it was first seen is not forgotten. */
  put(proof: ForkProof, seenAtMs: number): void {
    this.set.run({
      group: toBlob(proof.group),
      author: toBlob(proof.author),
      sequence: proof.sequence,
      proof: encodeForkProof(proof),
      seen: seenAtMs,
    });
  }

  all(): ForkRecord[] {
    return this.every.all().map((row) => {
      const read = decodeForkProof(this.hash, toBytes(row['proof']));
      if (!read.ok) throw corruptRow(this.file, 'a fork proof');
      const [seenAtMs, lowered] = [toNumber(row['seen_at']), toNumber(row['lowered'])];
      return { proof: read.value, seenAtMs, lowered };
    });
  }
}
