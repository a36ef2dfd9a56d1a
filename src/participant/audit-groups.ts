import { type Hex32, isSortedSet } from '../model/bytes.ts';
import type { EntrySequence } from '../model/numbers.ts';
import type { Pact } from '../model/pact.ts';
import {
  AVAILABILITIES,
  groupNumberOf,
  makeSuccessor,
  OWNERS_MAX,
  QUORUM_POLICIES,
  type SyncGroup,
} from '../model/sync-group.ts';
import { PactError } from '../ports/pacts.ts';
import type { RawGroup } from '../storage/audit-reader.ts';
import type { SqlRow } from '../storage/connection.ts';
import { type Audit, type Fault, fault, firstDifference, hexOf, idOf } from './audit.ts';
import { deriveGroup } from './registry.ts';

/** Every Pact's id is the hash of its definition, and its row says what the definition says. */
export function auditPacts(audit: Audit): Fault | null {
  for (const row of audit.reader.pacts()) {
    const key = `${String(row['name'])} ${hexOf(row['id']).slice(0, 12)}`;
    const problem = auditPact(audit, row);
    if (problem !== null) return fault('vb_pact', key, problem);
    audit.counts.pacts++;
  }
  return null;
}

function auditPact(audit: Audit, row: SqlRow): string | null {
  const pact = readDefinition(audit, String(row['definition']));
  if (typeof pact === 'string') return pact;
  if (pact.id !== idOf(row['id'])) return 'its id is not the hash of its definition';
  const table = String(row['table_name']);
  const now = pact.key.length === 0 ? null : `${table}_now`;
  const difference = firstDifference(
    { ...row, extends: idOf(row['extends']) },
    {
      name: pact.name,
      description: pact.description,
      extends: pact.extends,
      quorum: pact.quorumPolicy,
      availability: pact.availability,
      fields: JSON.stringify(pact.fields),
      key: JSON.stringify(pact.key),
      retention: pact.retention === null ? null : JSON.stringify(pact.retention),
      priority: pact.priority,
      now_table: now,
    },
  );
  if (difference !== null) return difference;
  const isOurs = table === pact.name || table.startsWith(`${pact.name}__`);
  if (!isOurs) return `its Entries cannot stand in a table ${table}`;
  audit.pacts.set(pact.id, { pact, names: { table, now } });
  return null;
}

function readDefinition(audit: Audit, definition: string): Pact | string {
  try {
    return audit.pactReader.readDefinition(definition);
  } catch (cause) {
    if (cause instanceof PactError) return `its definition is none: ${cause.message}`;
    throw cause;
  }
}

/** Every Sync Group's id is the hash of its Pact and owners. */
export function auditGroups(audit: Audit): Fault | null {
  for (const raw of audit.reader.groups()) {
    const problem = auditGroup(audit, raw);
    if (problem !== null) return fault('vb_group', hexOf(raw.row['id']).slice(0, 12), problem);
    audit.counts.groups++;
  }
  for (const { group, number } of audit.groups.values()) {
    const wanted = groupNumberOf(group.id);
    // Two ids can share a number: the second then has the next free one.
    if (number === wanted || audit.groups.has(wanted)) continue;
    return fault('vb_group', group.id.slice(0, 12), `its number is ${number}, not ${wanted}`);
  }
  const stray = audit.reader.strayOwner();
  if (stray === undefined) return null;
  return fault('vb_owner', String(stray['group_number']), 'there is no Sync Group of this number');
}

function auditGroup(audit: Audit, { number, row, owners }: RawGroup): string | null {
  const id = idOf(row['id']);
  const pactId = idOf(row['pact']);
  const pact = pactId === null ? undefined : audit.pacts.get(pactId);
  if (id === null || pact === undefined) return 'its Pact is not known';
  const ids = owners.map(idOf).filter((each): each is Hex32 => each !== null);
  const isSet = ids.length === owners.length && isSortedSet(ids);
  if (!isSet || ids.length < 1 || ids.length > OWNERS_MAX) return 'its owners are no sorted set';
  const group = deriveRow(audit, pact.pact, row, ids);
  if (typeof group === 'string') return group;
  if (group.id !== id) return 'its id is not the hash of its Pact and owners';
  const { quorumPolicy, availability } = group;
  const difference = firstDifference(row, { quorum: quorumPolicy, availability });
  if (difference !== null) return difference;
  const lastSequence = Number(row['last_seq']);
  audit.groups.set(number, {
    group,
    number,
    pact,
    lastSequence,
    cutSequence: Number(row['cut_seq']),
    lastBlocks: new Map(),
    forked: new Set(),
  });
  return null;
}

/** The group that a row tells of: made anew, with the rules of its Pact, or after another one. */
function deriveRow(
  audit: Audit,
  pact: Pact,
  row: SqlRow,
  owners: readonly Hex32[],
): SyncGroup | string {
  const sequence = Number(row['start_seq']) as EntrySequence;
  if (row['origin'] === null) {
    if (sequence !== 0 || row['predecessor'] !== null) return 'it goes on from no group';
    return deriveGroup(audit.hash, pact, owners);
  }
  const kind = row['origin'];
  const group = idOf(row['predecessor']);
  const at = idOf(row['origin_at']);
  const quorumPolicy = QUORUM_POLICIES.find((each) => each === row['quorum']);
  const availability = AVAILABILITIES.find((each) => each === row['availability']);
  if (group === null || (kind !== 'hand-over' && kind !== 'split')) return 'its origin is none';
  if (quorumPolicy === undefined || availability === undefined) return 'its rules are none';
  const next = { owners, quorumPolicy, availability };
  return makeSuccessor(audit.hash, pact.id, { kind, group, at, sequence }, next);
}
