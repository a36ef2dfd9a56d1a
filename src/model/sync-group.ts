import { compareText, type HashFunction, type Hex32, isSortedSet, toHex32 } from './bytes.ts';
import { type ByteReader, ByteWriter, CodecError, domainOf } from './codec.ts';
import { invariant } from './invariant.ts';
import type { EntrySequence } from './numbers.ts';

export type AvatarId = Hex32;
export type PactId = Hex32;
export type GroupId = Hex32;

/**
 * How many owners decide: `two-thirds` is ceil(2n/3), `every-owner` n, `strict` n and the letter.
 */
export type QuorumPolicy = 'two-thirds' | 'every-owner' | 'strict';

/** Whether an owner must hold a Block's Entries before it votes, or its header is enough (V4). */
export type Availability = 'entries' | 'headers';

/** Most owners that one Sync Group may have. */
export const OWNERS_MAX = 64;

/**
 * What a Sync Group goes on from: another group of its Pact, which a final hand-over Block ended,
 * or which an operator split where its Quorum was lost.
 *
 * @source features F18, F19.
 */
export interface GroupOrigin {
  readonly kind: 'hand-over' | 'split';
  readonly group: GroupId;
  /** The hand-over Block; of a split the Metablock that was its finalized head, null for none. */
  readonly at: Hex32 | null;
  /** The last Entry of the predecessor that belongs to it: numbers go on from there. */
  readonly sequence: EntrySequence;
}

/** What of a Sync Group may differ from its Pact, once there is an agreed change. Features A26. */
export interface GroupRules {
  readonly quorumPolicy: QuorumPolicy;
  readonly availability: Availability;
}

/** A Pact and its owners. @source consensus.md 1; features A8. */
export interface SyncGroup extends GroupRules {
  readonly id: GroupId;
  readonly pact: PactId;
  /** Sorted, without duplicates, at least one. */
  readonly owners: readonly AvatarId[];
  /** Null for a group that somebody made anew: its rules are its Pact's. */
  readonly origin: GroupOrigin | null;
}

const DOMAIN = domainOf('vb1/sync-group');
const SUCCESSOR = domainOf('vb1/successor');

export const QUORUM_POLICIES = ['two-thirds', 'every-owner', 'strict'] as const;
export const AVAILABILITIES = ['entries', 'headers'] as const;
const ORIGINS = ['hand-over', 'split'] as const;

/**
 * Identifies a Sync Group by what it is.
 *
 * ```
 * offset  bytes  field   meaning
 *      0     16  domain  'vb1/sync-group'
 *     16     32  pact    Pact id
 *     48      2  count   owners
 *     50  32 * n owners  Avatar ids, ascending
 * ```
 */
export function deriveGroupId(
  hash: HashFunction,
  pact: PactId,
  owners: readonly AvatarId[],
): GroupId {
  invariant(owners.length >= 1 && owners.length <= OWNERS_MAX, `1 to ${OWNERS_MAX} owners`);
  invariant(isSortedSet(owners), 'owners are a sorted set');
  const writer = new ByteWriter().raw(DOMAIN).id(pact).u16(owners.length);
  for (const owner of owners) writer.id(owner);
  return toHex32(hash(writer.finish()));
}

/** Makes the Sync Group of a Pact and owners in any order, named once or more. */
export function makeSyncGroup(
  hash: HashFunction,
  rules: GroupRules & { readonly pact: PactId },
  owners: readonly AvatarId[],
): SyncGroup {
  const sorted = [...new Set(owners)].sort(compareText);
  return { id: deriveGroupId(hash, rules.pact, sorted), owners: sorted, ...rules, origin: null };
}

/** One byte for each choice: Quorum policy, then availability. */
export function writeRules(writer: ByteWriter, rules: GroupRules): ByteWriter {
  return writer
    .u8(QUORUM_POLICIES.indexOf(rules.quorumPolicy))
    .u8(AVAILABILITIES.indexOf(rules.availability));
}

export function readRules(reader: ByteReader): GroupRules {
  const quorumPolicy = QUORUM_POLICIES[reader.u8()];
  const availability = AVAILABILITIES[reader.u8()];
  if (quorumPolicy === undefined || availability === undefined) throw new CodecError('no rules');
  return { quorumPolicy, availability };
}

/**
 * The Sync Group that goes on from another one; all who know what ended that one derive the same.
 *
 * ```
 * offset  bytes  field         meaning
 *      0     16  domain        'vb1/successor'
 *     16     32  pact          Pact id
 *     48      1  kind          0 hand-over, 1 split
 *     49     32  predecessor   Sync Group id
 *     81     32  at            hand-over Block, or finalized head, zeros for none
 *    113      8  sequence      last Entry of the predecessor that belongs to it
 *    121      1  quorumPolicy  0 two-thirds, 1 every-owner, 2 strict
 *    122      1  availability  0 entries, 1 headers
 *    123      2  count         owners
 *    125  32 * n owners        Avatar ids, ascending
 * ```
 */
export function makeSuccessor(
  hash: HashFunction,
  pact: PactId,
  origin: GroupOrigin,
  next: GroupRules & { readonly owners: readonly AvatarId[] },
): SyncGroup {
  const { owners, quorumPolicy, availability } = next;
  invariant(owners.length >= 1 && owners.length <= OWNERS_MAX, `1 to ${OWNERS_MAX} owners`);
  invariant(isSortedSet(owners), 'owners are a sorted set');
  const writer = new ByteWriter()
    .raw(SUCCESSOR)
    .id(pact)
    .u8(ORIGINS.indexOf(origin.kind))
    .id(origin.group)
    .idOrNone(origin.at)
    .u64(origin.sequence);
  writeRules(writer, next).u16(owners.length);
  for (const owner of owners) writer.id(owner);
  const id = toHex32(hash(writer.finish()));
  return { id, pact, owners, quorumPolicy, availability, origin };
}

/** Votes that make a Quorum of `ownerCount` owners. @source consensus.md 1. */
export function deriveQuorum(ownerCount: number, policy: QuorumPolicy): number {
  return policy === 'two-thirds' ? Math.ceil((2 * ownerCount) / 3) : ownerCount;
}

/**
 * The number that stands for a Sync Group in SQL (`_group`): the first 53 bits of its id, so the
 * same on every Participant and exact in every tool that reads integers as doubles.
 */
export function groupNumberOf(group: GroupId): number {
  const high = Number.parseInt(group.slice(0, 8), 16);
  const low = Number.parseInt(group.slice(8, 14), 16) >>> 3;
  return high * 2 ** 21 + low;
}
