import { signedBytesOf } from '../model/block.ts';
import { equalBytes, fromHex } from '../model/bytes.ts';
import { decodeCertificate, encodeCertificate } from '../model/certificate.ts';
import { decodeMetablock } from '../model/metablock.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { deriveQuorum } from '../model/sync-group.ts';
import type { SqlRow } from '../storage/connection.ts';
import {
  type Audit,
  type AuditGroup,
  bytesOf,
  type Fault,
  fault,
  firstDifference,
  hexOf,
  idOf,
} from './audit.ts';

/** Every Metablock: its id is the hash of its bytes, which its issuer signed. */
export function auditMetablocks(audit: Audit): Fault | null {
  for (const row of audit.reader.metablocks()) {
    const problem = auditMetablock(audit, row);
    if (problem !== null) return fault('vb_metablock', hexOf(row['id']), problem);
    audit.counts.metablocks++;
  }
  const stray = audit.reader.strayPlace();
  if (stray === undefined) return null;
  return fault('vb_place', hexOf(stray['metablock']), 'there is no such Metablock');
}

function auditMetablock(audit: Audit, row: SqlRow): string | null {
  const read = decodeMetablock(audit.hash, bytesOf(row['bytes']));
  if (!read.ok) return `its bytes are no Metablock: ${read.detail ?? read.reason}`;
  const metablock = read.value;
  if (metablock.id !== idOf(row['id'])) return 'its id is not the hash of its bytes';
  const { generation, predecessors, issuer, signature } = metablock;
  const difference = firstDifference(row, { generation });
  if (difference !== null) return difference;
  if (!audit.verifier.verify(fromHex(issuer), signedBytesOf(metablock), signature)) {
    return 'its signature does not hold';
  }
  const places = audit.reader.places(bytesOf(row['id']));
  const isListed =
    places.length === predecessors.length &&
    predecessors.every(
      (each, index) =>
        each.group === idOf(places[index]!['group_id']) &&
        each.metablock === idOf(places[index]!['predecessor']),
    );
  return isListed ? null : 'vb_place does not list its predecessors';
}

/** Every Certificate that is kept holds by itself, whatever it is for. */
export function auditCertificates(audit: Audit): Fault | null {
  for (const row of audit.reader.certificates()) {
    const problem = auditCertificate(audit, row);
    if (problem !== null) {
      const key = `${hexOf(row['metablock'])} by ${hexOf(row['certifier'])}`;
      return fault('vb_certificate', key, problem);
    }
    audit.counts.certificates++;
  }
  return null;
}

function auditCertificate(audit: Audit, row: SqlRow): string | null {
  const read = decodeCertificate(bytesOf(row['bytes']));
  if (!read.ok) return `its bytes are no Certificate: ${read.detail ?? read.reason}`;
  const certificate = read.value;
  const { metablock, certifier, signature } = certificate;
  if (metablock !== idOf(row['metablock'])) return 'it is for another Metablock';
  if (certifier !== idOf(row['certifier'])) return 'its row names another certifier';
  if (!equalBytes(audit.hash(encodeCertificate(certificate)), bytesOf(row['digest']))) {
    return 'its digest is not the hash of what was signed';
  }
  const signed = signedBytesOf(certificate);
  if (audit.verifier.verify(fromHex(certifier), signed, signature)) return null;
  return 'its signature does not hold';
}

/**
 * Is a Metablock Finalized by what is kept here? Some Metablock after it must be Finalizable for
 * the group: a Quorum of owners certified it at one Ballot, under the strict profile among them
 * the issuer of its predecessor.
 *
 * @param head The Finalized Metablock, and who issued it.
 * @source consensus.md 1, 3.
 */
export function isProvenFinal(
  audit: Audit,
  { group }: AuditGroup,
  head: { readonly id: Uint8Array; readonly issuer: AvatarId },
): boolean {
  const quorum = deriveQuorum(group.owners.length, group.quorumPolicy);
  for (const row of audit.reader.successors(fromHex(group.id), head.id)) {
    for (const certifiers of votesFor(audit, group, bytesOf(row['id'])).values()) {
      const isStrictlySo = group.quorumPolicy !== 'strict' || certifiers.has(head.issuer);
      if (certifiers.size >= quorum && isStrictlySo) return true;
    }
  }
  return false;
}

/** Ballot to the owners that certified a Metablock for the group at it. */
function votesFor(
  audit: Audit,
  group: AuditGroup['group'],
  metablock: Uint8Array,
): Map<number, Set<AvatarId>> {
  const votes = new Map<number, Set<AvatarId>>();
  for (const row of audit.reader.certificatesOf(metablock)) {
    const read = decodeCertificate(bytesOf(row['bytes']));
    if (!read.ok || !group.owners.includes(read.value.certifier)) continue;
    const entry = read.value.entries.find((each) => each.group === group.id);
    if (entry === undefined) continue;
    const certifiers = votes.get(entry.ballot) ?? new Set();
    votes.set(entry.ballot, certifiers.add(read.value.certifier));
  }
  return votes;
}
