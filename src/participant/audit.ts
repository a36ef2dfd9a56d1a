import type { BlockId } from '../model/block.ts';
import { type HashFunction, type Hex32, ID_BYTES, toHex, toHex32 } from '../model/bytes.ts';
import type { Cut } from '../model/cut.ts';
import type { Pact } from '../model/pact.ts';
import type { PayloadLimits } from '../model/payload.ts';
import type { AvatarId, PactId, SyncGroup } from '../model/sync-group.ts';
import type { Packer } from '../ports/packer.ts';
import type { PactReader } from '../ports/pacts.ts';
import type { Verifier } from '../ports/signer.ts';
import type { AuditReader, PactTableNames } from '../storage/audit-reader.ts';
import type { SqlRow, SqlValue } from '../storage/connection.ts';

/** The first thing that does not hold. */
export interface Fault {
  /** The table it stands in; `sqlite` for the file itself. */
  readonly table: string;
  /** Which row. */
  readonly key: string;
  readonly problem: string;
}

/** What was found to hold. */
export interface VerifyCounts {
  pacts: number;
  groups: number;
  blocks: number;
  entries: number;
  metablocks: number;
  certificates: number;
  /** Sync Groups that were taken on without a Quorum. */
  splits: number;
  rows: number;
}

export interface AuditPact {
  readonly pact: Pact;
  readonly names: PactTableNames;
}

export interface AuditGroup {
  readonly group: SyncGroup;
  readonly number: number;
  readonly pact: AuditPact;
  readonly lastSequence: number;
  /** The last Entry below the group's cut; 0 where all is here. */
  readonly cutSequence: number;
  /** By issuer; filled while the Blocks are looked at. */
  readonly lastBlocks: Map<AvatarId, LastBlocks>;
  /** Issuers of whose logs a fork proof is kept. */
  readonly forked: Set<AvatarId>;
}

/** What every check works with. Pacts and groups are added when they were found to hold. */
export interface Audit {
  readonly reader: AuditReader;
  readonly hash: HashFunction;
  readonly verifier: Verifier;
  readonly packer: Packer;
  readonly pactReader: PactReader;
  readonly limits: PayloadLimits;
  readonly counts: VerifyCounts;
  readonly pacts: Map<PactId, AuditPact>;
  /** By the number that stands for them in the file. */
  readonly groups: Map<number, AuditGroup>;
  /** Where groups were cut, by number: what holds, holds from there on. */
  readonly cuts: Map<number, Cut>;
}

/** The last Blocks that one issuer has in a group: one, unless its log forked there. */
export interface LastBlocks {
  readonly sequence: number;
  readonly ids: readonly BlockId[];
}

export function fault(table: string, key: string, problem: string): Fault {
  return { table, key, problem };
}

/** A group as a person finds it again. */
export function nameOf({ pact, group }: AuditGroup): string {
  return `${pact.pact.name} ${group.id.slice(0, 12)}`;
}

/** Bytes of a column; empty where it holds none. */
export function bytesOf(value: SqlValue | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) return new Uint8Array(0);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** Bytes of a column in hexadecimal digits, whatever their number. */
export function hexOf(value: SqlValue | undefined): string {
  return toHex(bytesOf(value));
}

/** @returns null for what is no id. */
export function idOf(value: SqlValue | undefined): Hex32 | null {
  const bytes = bytesOf(value);
  return bytes.length === ID_BYTES ? toHex32(bytes) : null;
}

/** The first column that does not say what it should. */
export function firstDifference(
  row: SqlRow,
  wanted: Readonly<Record<string, SqlValue | undefined>>,
): string | null {
  for (const [name, value] of Object.entries(wanted)) {
    if (row[name] === value) continue;
    return `${name} says ${String(row[name])}, not ${String(value)}`;
  }
  return null;
}
