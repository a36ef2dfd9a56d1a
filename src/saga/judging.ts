import type { EntrySequence } from '../model/numbers.ts';
import {
  type FinishedStage,
  isEnded,
  type OwedEntry,
  type Progress,
  type ScopeValue,
} from '../model/saga-progress.ts';
import type { SagaState } from '../model/saga-state.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';

/**
 * Which States count. A pure fold over the order in which the States of one Saga became final, so
 * the same at every Participant, whatever each has seen of other groups.
 *
 * @source features A29, A30.
 */

/** Why a State counts for nothing: it is kept, and shown by `trace`. */
export type Void =
  /** Another State of this step came first. */
  | 'second'
  /** Its invocation had ended. */
  | 'ended'
  /** It does not continue the last State that counts. */
  | 'detached'
  /** The value of state that it read was no longer the last. */
  | 'stale'
  /** Another invocation has claimed the value of state. */
  | 'held'
  /** Somebody else has claimed to act. */
  | 'not-its-claim'
  /** Such a State cannot follow the one before. */
  | 'unfit';

export interface Placed {
  readonly stateGroup: GroupId;
  readonly sequence: EntrySequence;
  readonly issuer: AvatarId;
  readonly state: SagaState;
}

export interface Ground {
  /** Null: nothing is known of its invocation. */
  readonly before: Progress | null;
  readonly scope: ScopeValue;
  /** The last Entry of the State group below which nothing is here. */
  readonly cut: number;
}

/** @returns null where the State counts. */
export function judge(placed: Placed, ground: Ground): Void | null {
  const { state, issuer } = placed;
  const { before } = ground;
  if (before !== null && before.step >= 0) {
    if (isEnded(before)) return 'ended';
    if (state.step <= before.step) return 'second';
    if (state.step !== before.step + 1 || state.previous !== before.sequence) return 'detached';
    const unfit = judgeKind(before, placed);
    if (unfit !== null) return unfit;
    if (before.kind === 'began' && isForward(state) && issuer !== before.issuer) {
      return 'not-its-claim';
    }
  } else if (state.step > 0 || state.previous !== null) {
    // Whoever begins at a cut takes the word of those who knew what lies below.
    if ((state.previous ?? 0) > ground.cut || ground.cut === 0) return 'detached';
  } else if (state.place !== 0) {
    return 'unfit';
  }
  return judgeScope(state, ground);
}

function isForward({ kind }: SagaState): boolean {
  return kind === 'partial' || kind === 'final' || kind === 'began';
}

function judgeKind(before: Progress, { state }: Placed): Void | null {
  const { kind, place } = state;
  if (!extendsList(before.undone, state.undone)) return 'unfit';
  if (!extendsList(before.stuck, state.stuck)) return 'unfit';
  if (kind === 'failed' || kind === 'final-failed') return null;
  if (before.kind === 'began' && kind === 'began') return 'unfit';
  if (before.isFailing) return kind === 'began' ? null : 'unfit';
  const expected = before.kind === 'began' ? before.place : before.place + 1;
  return place === expected ? null : 'unfit';
}

function extendsList(before: readonly number[], after: readonly number[]): boolean {
  return before.every((place, index) => after[index] === place);
}

/** A State that neither reads nor writes its scope's value passes. */
function judgeScope(state: SagaState, { scope, cut }: Ground): Void | null {
  if (state.basis === null && state.state === null) return null;
  if (scope.heldBy !== null && scope.heldBy !== state.invocation) return 'held';
  if (state.basis === scope.sequence) return null;
  const isBelow = scope.sequence === 0 && state.basis !== null && state.basis <= cut;
  return isBelow ? null : 'stale';
}

/** The invocation after a State that counts. */
export function follow(placed: Placed, before: Progress | null, nowMs: number): Progress {
  const { state, sequence, issuer, stateGroup } = placed;
  const { kind, place, step } = state;
  const isDone = kind === 'partial' || kind === 'final';
  const finished: FinishedStage = { place, consumed: state.consumed };
  const hasCome = (index: number) =>
    before?.arrivals.some((each) => each.step === step && each.index === index) ?? false;
  const owed: OwedEntry[] = state.produced
    .map(({ group }, index) => ({ step, sequence, index, group, issuer, sinceMs: nowMs }))
    .filter(({ index }) => !hasCome(index));
  const isFirst = before === null || before.step < 0;
  const initiating = isFirst && step === 0 ? state.consumed : null;
  return {
    invocation: state.invocation,
    stateGroup,
    description: state.description,
    initiating: before?.initiating ?? initiating,
    key: before?.key ?? null,
    step,
    sequence,
    kind,
    place,
    issuer,
    scope: state.scope,
    sinceMs: nowMs,
    finished: isDone ? [...(before?.finished ?? []), finished] : (before?.finished ?? []),
    isFailing: (before?.isFailing ?? false) || kind === 'failed' || kind === 'final-failed',
    undone: state.undone,
    stuck: state.stuck,
    failure: state.failure ?? before?.failure ?? null,
    consumed: kind === 'began' ? withTime(state.consumed, nowMs) : null,
    arrivals: before?.arrivals ?? [],
    owed: [...(before?.owed ?? []), ...owed],
  };
}

function withTime(place: SagaState['consumed'], sinceMs: number): Progress['consumed'] {
  return place === null ? null : { ...place, sinceMs };
}

/** The scope's value after a State that counts. */
export function followScope(placed: Placed, scope: ScopeValue): ScopeValue {
  const { state, sequence } = placed;
  const isHolding = state.kind === 'began' && state.basis !== null;
  const isHeld = scope.heldBy !== null && scope.heldBy !== state.invocation;
  const heldBy = isHolding ? state.invocation : isHeld ? scope.heldBy : null;
  if (state.state === null) return { ...scope, heldBy };
  return { sequence, state: state.state, heldBy };
}
