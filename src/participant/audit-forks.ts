import { checkForkProof, decodeForkProof } from '../log/fork-proof.ts';
import type { SqlRow } from '../storage/connection.ts';
import { type Audit, bytesOf, type Fault, fault, firstDifference, hexOf, idOf } from './audit.ts';

/** Every fork proof convicts whom its row names, by that Avatar's own signatures. */
export function auditForks(audit: Audit): Fault | null {
  for (const row of audit.reader.forks()) {
    const problem = auditFork(audit, row);
    if (problem !== null) return fault('vb_fork', hexOf(row['author']), problem);
  }
  return null;
}

function auditFork(audit: Audit, row: SqlRow): string | null {
  const read = decodeForkProof(audit.hash, bytesOf(row['proof']));
  if (!read.ok) return `it is no fork proof: ${read.detail ?? read.reason}`;
  const proof = read.value;
  if (proof.group !== idOf(row['group_id'])) return 'it stands in another Sync Group';
  if (proof.author !== idOf(row['author'])) return 'its row names another author';
  const difference = firstDifference(row, { sequence: proof.sequence });
  if (difference !== null) return difference;
  if (!checkForkProof(audit.verifier, proof).ok) return 'its signatures do not hold';
  for (const { group, forked } of audit.groups.values()) {
    if (group.id === proof.group) forked.add(proof.author);
  }
  return null;
}
