import { fromHex } from '../model/bytes.ts';
import {
  type Cut,
  type CutBody,
  type CutSignature,
  decodeCutBody,
  encodeCut,
  sealCut,
} from '../model/cut.ts';
import { deriveQuorum } from '../model/sync-group.ts';
import type { SqlRow } from '../storage/connection.ts';
import {
  type Audit,
  type AuditGroup,
  bytesOf,
  type Fault,
  fault,
  firstDifference,
  idOf,
  nameOf,
} from './audit.ts';

/**
 * Every place where a group may be cut says what was signed, and where it was cut a Quorum signed:
 * from there on the other checks begin.
 */
export function auditCuts(audit: Audit): Fault | null {
  for (const group of audit.groups.values()) {
    for (const row of audit.reader.cuts(group.number)) {
      const cut = auditCut(audit, group, row);
      const key = `${nameOf(group)} last_seq ${String(row['last_seq'])}`;
      if (typeof cut === 'string') return fault('vb_cut', key, cut);
      if (row['last_seq'] !== group.cutSequence) continue;
      const quorum = deriveQuorum(group.group.owners.length, group.group.quorumPolicy);
      if ((cut?.signatures.length ?? 0) < quorum)
        return fault('vb_cut', key, 'no Quorum signed it');
      audit.cuts.set(group.number, cut!);
    }
    if (group.cutSequence > 0 && !audit.cuts.has(group.number)) {
      return fault('vb_group', nameOf(group), 'where it was cut, nobody signed');
    }
  }
  return null;
}

/** @returns the cut, null where nobody signed it, or what does not hold. */
function auditCut(audit: Audit, { group, number }: AuditGroup, row: SqlRow): Cut | null | string {
  const read = decodeCutBody(bytesOf(row['body']));
  if (!read.ok) return `its statement cannot be read: ${read.detail ?? read.reason}`;
  const body: CutBody = read.value;
  if (body.group !== group.id) return 'it is of another Sync Group';
  const { level, lastSequence } = body;
  const difference = firstDifference(row, { level, last_seq: lastSequence });
  if (difference !== null) return difference;
  const message = encodeCut(body);
  const signatures: CutSignature[] = [];
  for (const each of audit.reader.cutSignatures(number, lastSequence)) {
    const owner = idOf(each['owner']);
    if (owner === null || !group.owners.includes(owner)) return 'somebody signed who is no owner';
    const signature = bytesOf(each['signature']);
    if (!audit.verifier.verify(fromHex(owner), message, signature)) {
      return `the signature of ${owner.slice(0, 12)} does not hold`;
    }
    signatures.push({ owner, signature });
  }
  return signatures.length === 0 ? null : sealCut(body, signatures);
}
