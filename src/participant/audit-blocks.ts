import { type Block, decodeBlock, isHandOver, signedBytesOf } from '../model/block.ts';
import { equalBytes, fromHex } from '../model/bytes.ts';
import { checkHandOver, decodeHandOver } from '../model/hand-over.ts';
import { readPayload } from '../model/payload.ts';
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
import { rootOfHandOver } from './hand-over-payload.ts';

/**
 * Every Block: its id is the hash of header and signature, its issuer owns the group and signed it,
 * and the payload that is here is the one that the header's Merkle root stands for.
 */
export function auditBlocks(audit: Audit): Fault | null {
  for (const row of audit.reader.blocks()) {
    const problem = auditBlock(audit, row);
    if (problem !== null) return fault('vb_block', hexOf(row['id']), problem);
    audit.counts.blocks++;
  }
  const stray = audit.reader.strayPayload();
  if (stray === undefined) return null;
  return fault('vb_payload', String(stray['block']), 'there is no Block of this number');
}

function auditBlock(audit: Audit, row: SqlRow): string | null {
  const read = decodeBlock(audit.hash, bytesOf(row['header']));
  if (!read.ok) return `its header is no Block Header: ${read.detail ?? read.reason}`;
  const block = read.value;
  if (block.id !== idOf(row['id'])) return 'its id is not the hash of its header and signature';
  if (block.group !== idOf(row['group_id'])) return 'it stands in another Sync Group';
  if (block.issuer !== idOf(row['issuer'])) return 'its row names another issuer';
  const difference = firstDifference(row, {
    sequence: block.sequence,
    entry_count: block.entryCount,
    held: row['payload'] === null ? 0 : 1,
  });
  if (difference !== null) return difference;
  const group = audit.groups.get(Number(row['group_number']));
  if (!group?.group.owners.includes(block.issuer))
    return 'its issuer is no owner of its Sync Group';
  if (!audit.verifier.verify(fromHex(block.issuer), signedBytesOf(block), block.signature)) {
    return 'its signature does not hold';
  }
  noteLast(group, block);
  return row['payload'] === null ? null : auditPayload(audit, block, bytesOf(row['payload']));
}

function noteLast({ lastBlocks }: AuditGroup, { issuer, sequence, id }: Block): void {
  const known = lastBlocks.get(issuer);
  if (known !== undefined && known.sequence > sequence) return;
  const rivals = known?.sequence === sequence ? known.ids : [];
  lastBlocks.set(issuer, { sequence, ids: [...rivals, id] });
}

function auditPayload(audit: Audit, block: Block, payload: Uint8Array): string | null {
  if (isHandOver(block)) return auditHandOver(audit, block, payload);
  const read = readPayload(payload, audit.limits);
  if (!read.ok) return `its payload is none: ${read.detail ?? read.reason}`;
  const { bytes, lengths } = read.value;
  if (payload.length !== block.byteLength || lengths.length !== block.entryCount) {
    return 'its payload has another length than its header says';
  }
  if (!equalBytes(audit.packer.merkleRoot(bytes, lengths), block.merkleRoot)) {
    return 'its payload is not what the Merkle root of its header stands for';
  }
  audit.counts.entries += lengths.length;
  return null;
}

/** A hand-over stands alone: a Quorum of its group signed for just this one. */
function auditHandOver(audit: Audit, block: Block, payload: Uint8Array): string | null {
  const isRight = equalBytes(rootOfHandOver(audit.packer, payload), block.merkleRoot);
  if (!isRight || payload.length !== block.byteLength) {
    return 'its payload is not what the Merkle root of its header stands for';
  }
  const read = decodeHandOver(payload);
  if (!read.ok) return `its payload is no hand-over: ${read.detail ?? read.reason}`;
  const ended = [...audit.groups.values()].find(({ group }) => group.id === block.group);
  const { verifier } = audit;
  const verify = (...signed: Parameters<typeof verifier.verify>) => verifier.verify(...signed);
  const reason = ended === undefined ? null : checkHandOver(verify, ended.group, read.value);
  return reason === null ? null : `its hand-over does not hold: ${reason}`;
}
