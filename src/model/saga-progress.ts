import type { Hex32 } from './bytes.ts';
import type { EntrySequence } from './numbers.ts';
import type { DescriptionId, InvocationId, SequencePlace } from './saga.ts';
import type { StateKind } from './saga-state.ts';
import type { AvatarId, GroupId } from './sync-group.ts';

/** A Stage that is done, and what it consumed: its compensation is given the same. */
export interface FinishedStage {
  readonly place: number;
  readonly consumed: SequencePlace | null;
}

/** A produced Entry that nobody has seen final in its group yet. */
export interface OwedEntry {
  /** The State that lists it, and where in that list. */
  readonly step: number;
  readonly sequence: EntrySequence;
  readonly index: number;
  readonly group: GroupId;
  readonly issuer: AvatarId;
  readonly sinceMs: number;
}

/** An Entry of this invocation's own that has come and may be consumed. */
export interface Arrival extends SequencePlace {
  readonly pact: Hex32;
  readonly step: number;
  readonly index: number;
}

/** Arrivals that are kept for one invocation. */
export const ARRIVALS_MAX = 64;

/**
 * How far one invocation has come, by the States that count. A fold over the order of its State
 * group; what stands apart from it is `consumed` and `arrivals`, which each Participant has seen.
 */
export interface Progress {
  readonly invocation: InvocationId;
  /** Where the States stand: the Description's own group, whatever went on from it. */
  readonly stateGroup: GroupId;
  readonly description: DescriptionId;
  /** Null while it is not known: its first State came before the Entry that starts it. */
  readonly initiating: SequencePlace | null;
  readonly key: string | null;
  /** Of the last State that counts; -1 before the first. */
  readonly step: number;
  readonly sequence: EntrySequence | null;
  readonly kind: StateKind | null;
  readonly place: number;
  readonly issuer: AvatarId | null;
  readonly scope: Hex32 | null;
  /** When that State, or the Entry that starts it, was seen here first. */
  readonly sinceMs: number;
  readonly finished: readonly FinishedStage[];
  readonly isFailing: boolean;
  readonly undone: readonly number[];
  readonly stuck: readonly number[];
  readonly failure: string | null;
  /** What the next Stage is to consume, once it is there. */
  readonly consumed: (SequencePlace & { readonly sinceMs: number }) | null;
  readonly arrivals: readonly Arrival[];
  readonly owed: readonly OwedEntry[];
}

export function isEnded(progress: Pick<Progress, 'kind'>): boolean {
  return progress.kind === 'final' || progress.kind === 'final-failed';
}

/** Is there anything left to do for it? */
export function isOpen(progress: Pick<Progress, 'kind' | 'owed'>): boolean {
  return !isEnded(progress) || progress.owed.length > 0;
}

/** One value of state, which invocations of a scope share. */
export interface ScopeValue {
  /** The State that set it; 0 where none did yet. */
  readonly sequence: EntrySequence;
  /** Null: none. */
  readonly state: Uint8Array | null;
  /** An invocation that has claimed it until its next State. */
  readonly heldBy: InvocationId | null;
}

export const NO_VALUE: ScopeValue = { sequence: 0 as EntrySequence, state: null, heldBy: null };
