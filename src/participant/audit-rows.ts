import { decodeBlock } from '../model/block.ts';
import { equalBytes } from '../model/bytes.ts';
import type { EntryValue } from '../model/pact.ts';
import { readPayload } from '../model/payload.ts';
import type { SqlRow, SqlValue } from '../storage/connection.ts';
import { toSql } from '../storage/row-writer.ts';
import {
  type Audit,
  type AuditGroup,
  type AuditPact,
  bytesOf,
  type Fault,
  fault,
} from './audit.ts';

/** Every row of every Pact's table says what its issuer signed, and none is missing or more. */
export function auditRows(audit: Audit): Fault | null {
  for (const group of audit.groups.values()) {
    const found = auditGroupRows(audit, group);
    if (found !== null) return found;
  }
  for (const pact of audit.pacts.values()) {
    const found = auditPactTables(audit, pact);
    if (found !== null) return found;
  }
  return null;
}

function auditGroupRows(audit: Audit, group: AuditGroup): Fault | null {
  const { table } = group.pact.names;
  const rows = audit.reader.entries(table, group.number, group.cutSequence)[Symbol.iterator]();
  try {
    for (const block of audit.reader.finalBlocks(group.number, group.cutSequence)) {
      const hasRows = block['payload'] !== null && block['entry_count'] !== 0;
      const found = hasRows ? auditBlockRows(audit, group, block, rows) : null;
      if (found !== null) return found;
    }
    const { value: more, done } = rows.next();
    if (done === true) return null;
    return fault(table, keyOf(more), 'there is no final Entry for this row');
  } finally {
    rows.return?.();
  }
}

function keyOf(row: SqlRow): string {
  return `_group ${String(row['_group'])} _seq ${String(row['_seq'])}`;
}

function auditBlockRows(
  audit: Audit,
  group: AuditGroup,
  stored: SqlRow,
  rows: Iterator<SqlRow>,
): Fault | null {
  const { pact, names } = group.pact;
  const header = decodeBlock(audit.hash, bytesOf(stored['header']));
  const payload = readPayload(bytesOf(stored['payload']), audit.limits);
  const first = Number(stored['first_seq']);
  const at = `_group ${group.number} _seq ${first}`;
  if (!header.ok || !payload.ok) return fault(names.table, at, 'its Block cannot be read');
  const { id, issuer, atMs } = header.value;
  const own = { _block: Buffer.from(id, 'hex'), _issuer: Buffer.from(issuer, 'hex'), _at: atMs };
  const codec = audit.pactReader.codecOf(pact);
  let offset = 0;
  for (const [index, length] of payload.value.lengths.entries()) {
    const key = `_group ${group.number} _seq ${first + index}`;
    const entry = codec.decode(payload.value.bytes.subarray(offset, offset + length));
    offset += length;
    if (!entry.ok)
      return fault(names.table, key, `the signed Entry breaks its Pact: ${entry.message}`);
    const { reader } = audit;
    const cause = (entry.value[pact.fields.length] ?? null) as Uint8Array | null;
    const at = { group: group.number, sequence: first + index };
    if (cause !== null && reader.isVoid(names.table, at, cause)) continue;
    const { value: row, done } = rows.next();
    const place = { _group: group.number, _seq: first + index, _entry: index };
    if (done === true || row['_seq'] !== place._seq) {
      return fault(names.table, key, 'the row of this Entry is missing');
    }
    const wanted = { ...place, ...own, _cause: cause };
    const column = firstWrong(group.pact, row, entry.value, wanted);
    if (column !== null) return fault(names.table, key, `${column} is not what was signed`);
    audit.counts.rows++;
  }
  return null;
}

/** @returns the name of the first column that holds something else than it should. */
function firstWrong(
  { pact }: AuditPact,
  row: SqlRow,
  values: readonly EntryValue[],
  own: Readonly<Record<string, SqlValue>>,
): string | null {
  for (const [index, { name, type }] of pact.fields.entries()) {
    if (!isSame(row[name], toSql(type, values[index] ?? null))) return name;
  }
  for (const [name, value] of Object.entries(own)) if (!isSame(row[name], value)) return name;
  return null;
}

function isSame(found: SqlValue | undefined, wanted: SqlValue): boolean {
  if (found instanceof Uint8Array && wanted instanceof Uint8Array) return equalBytes(found, wanted);
  return found === wanted;
}

/** Rows of groups that are not, and the current state against the history, which holds by now. */
function auditPactTables(audit: Audit, { pact, names }: AuditPact): Fault | null {
  const { reader } = audit;
  const stray = reader.strayEntry(names.table, Buffer.from(pact.id, 'hex'));
  if (stray !== undefined) {
    return fault(names.table, keyOf(stray), 'there is no such Sync Group of this Pact');
  }
  if (names.now === null) return null;
  const both = { table: names.table, now: names.now };
  const forged = reader.forgedNow(both, pact);
  if (forged !== undefined) {
    return fault(names.now, keyOf(forged), `is not the row of ${names.table} that it should copy`);
  }
  const missed = reader.missedNow(both, pact);
  if (missed === undefined) return null;
  return fault(names.now, keyOf(missed), 'a later Entry of its key is missing here');
}
