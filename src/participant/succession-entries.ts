import { fromHex, type Hex32, isSortedSet, toHex32 } from '../model/bytes.ts';
import type { Succession } from '../model/hand-over.ts';
import type { EntrySequence } from '../model/numbers.ts';
import type { EntryValue } from '../model/pact.ts';
import { AVAILABILITIES, type GroupId, QUORUM_POLICIES } from '../model/sync-group.ts';

/** What an Entry of `vertebra_split` says. */
export interface Split {
  readonly succession: Succession;
  /** The finalized head that the next group goes on from; null for none. */
  readonly head: Hex32 | null;
  readonly sequence: EntrySequence;
  /** When, by the clock of who did it, in milliseconds since 1970. */
  readonly atMs: number;
}

/** The store's setting that is there once the operator split the group here. */
export function splitSetting(group: GroupId): string {
  return `split ${group}`;
}

/** The fields that Entries of `vertebra_approval` and `vertebra_split` begin with. */
export function toEntryFields(succession: Succession): Record<string, unknown> {
  return {
    group: fromHex(succession.group),
    owners: succession.owners.map(fromHex),
    quorum: succession.quorumPolicy,
    availability: succession.availability,
  };
}

/** @returns null for what names no owners in their order; the rest the Pact has judged. */
export function readSuccession(row: readonly EntryValue[]): Succession | null {
  const [group, owners, quorum, availability] = row;
  if (!(group instanceof Uint8Array) || !Array.isArray(owners)) return null;
  const ids = owners.flatMap((each) => (each instanceof Uint8Array ? [toHex32(each)] : []));
  const quorumPolicy = QUORUM_POLICIES.find((each) => each === quorum);
  const rule = AVAILABILITIES.find((each) => each === availability);
  if (quorumPolicy === undefined || rule === undefined || !isSortedSet(ids)) return null;
  return { group: toHex32(group), owners: ids, quorumPolicy, availability: rule };
}

export function readSplit(row: readonly EntryValue[]): Split | null {
  const succession = readSuccession(row);
  const [head, sequence, at] = row.slice(4);
  if (succession === null || typeof sequence !== 'number' || typeof at !== 'number') return null;
  return {
    succession,
    head: head instanceof Uint8Array ? toHex32(head) : null,
    sequence: sequence as EntrySequence,
    atMs: at,
  };
}
