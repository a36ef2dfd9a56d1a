import { compareText, type HashFunction, type Hex32, isSortedSet, toHex32 } from './bytes.ts';
import { ByteWriter, domainOf } from './codec.ts';
import { invariant } from './invariant.ts';

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

/** A Pact and its owners. @source consensus.md 1; features A8. */
export interface SyncGroup {
  readonly id: GroupId;
  readonly pact: PactId;
  /** Sorted, without duplicates, at least one. */
  readonly owners: readonly AvatarId[];
  readonly quorumPolicy: QuorumPolicy;
  readonly availability: Availability;
}

const DOMAIN = domainOf('vb1/sync-group');

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
  rules: { pact: PactId; quorumPolicy: QuorumPolicy; availability: Availability },
  owners: readonly AvatarId[],
): SyncGroup {
  const sorted = [...new Set(owners)].sort(compareText);
  return { id: deriveGroupId(hash, rules.pact, sorted), owners: sorted, ...rules };
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
