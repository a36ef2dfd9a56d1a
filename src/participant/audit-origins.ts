import { decodeHandOver } from '../model/hand-over.ts';
import { type AvatarId, makeSuccessor, type SyncGroup } from '../model/sync-group.ts';
import type { SqlRow } from '../storage/connection.ts';
import { type Audit, bytesOf, type Fault, fault, nameOf } from './audit.ts';
import { readSplit, type Split } from './succession-entries.ts';

/**
 * Every Sync Group that goes on from another one does so by a final hand-over Block of that one, or
 * by the word of one of its owners that split it; and every hand-over has its next group.
 */
export function auditOrigins(audit: Audit): Fault | null {
  const splits = readSplits(audit);
  for (const each of audit.groups.values()) {
    const problem = auditOrigin(audit, each.group, splits);
    if (problem !== null) return fault('vb_group', nameOf(each), problem);
    if (each.group.origin?.kind === 'split') audit.counts.splits++;
  }
  return null;
}

interface SplitBy {
  readonly split: Split;
  readonly by: AvatarId;
}

function readSplits(audit: Audit): SplitBy[] {
  const found: SplitBy[] = [];
  for (const { group, pact, number } of audit.groups.values()) {
    if (pact.pact.name !== 'vertebra_split') continue;
    const codec = audit.pactReader.codecOf(pact.pact);
    for (const bytes of audit.reader.entryBytes(number)) {
      const row = codec.decode(bytes);
      const split = row.ok ? readSplit(row.value) : null;
      if (split !== null) found.push({ split, by: group.owners[0]! });
    }
  }
  return found;
}

function auditOrigin(audit: Audit, group: SyncGroup, splits: readonly SplitBy[]): string | null {
  const { origin } = group;
  if (origin === null) return null;
  const before = [...audit.groups.values()].find((each) => each.group.id === origin.group);
  if (before === undefined) return 'the group that it goes on from is not here';
  if (origin.kind === 'split') {
    const isSaid = splits.some(({ split, by }) => {
      const { succession, head, sequence } = split;
      if (succession.group !== origin.group || !before.group.owners.includes(by)) return false;
      const from = { kind: 'split', group: origin.group, at: head, sequence } as const;
      return makeSuccessor(audit.hash, group.pact, from, succession).id === group.id;
    });
    return isSaid ? null : 'no owner of the group that it goes on from said that it split it';
  }
  const block = audit.reader.finalHandOver(before.number);
  return auditHandedOver(audit, group, block);
}

function auditHandedOver(audit: Audit, group: SyncGroup, row: SqlRow | undefined): string | null {
  const { origin } = group;
  if (row === undefined || origin === null) return 'nothing handed over to it';
  if (Buffer.from(bytesOf(row['id'])).toString('hex') !== origin.at) {
    return 'another Block handed over';
  }
  const read = decodeHandOver(bytesOf(row['payload']));
  if (!read.ok) return 'the hand-over to it is not here';
  const made = makeSuccessor(audit.hash, group.pact, origin, read.value.succession);
  if (made.id !== group.id) return 'the hand-over names another';
  return Number(row['first_seq']) === origin.sequence + 1 ? null : 'it begins at another Entry';
}
