import type { Pact } from '../model/pact.ts';
import {
  type Cause,
  type InvocationId,
  keyText,
  meets,
  type Saga,
  type SequencePlace,
} from '../model/saga.ts';
import { ARRIVALS_MAX, type Arrival, isEnded, type Progress } from '../model/saga-progress.ts';
import type { GroupId } from '../model/sync-group.ts';

/** Which Entries start an invocation, and which it consumes. */

/** An Entry that became final in a group of a Pact that Sagas consume or produce. */
export interface SeenEntry extends SequencePlace {
  readonly pact: Pact['id'];
  /** Its fields as JSON has them. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly cause: Cause | null;
  /** Another Entry of the same cause stands before it in its group: this one has no effect. */
  readonly isSecond: boolean;
}

/** Of the versions of a Saga the last that begins before the Entry; of each Saga one. */
export function startedBy(sagas: Iterable<Saga>, entry: SeenEntry): Saga[] {
  const byStates = new Map<GroupId, Saga>();
  for (const saga of sagas) {
    const { description } = saga;
    if (description.initiating !== entry.pact || !begins(saga, entry)) continue;
    const other = byStates.get(description.state.group);
    if (other === undefined || isNewer(saga, other, entry.group)) {
      byStates.set(description.state.group, saga);
    }
  }
  return [...byStates.values()].filter(({ description }) => {
    return meets(entry.record, description.when);
  });
}

/** Does the Entry stand behind the place where the Saga begins? */
function begins(saga: Saga, { group, sequence }: SequencePlace): boolean {
  const from = saga.description.after.find((each) => each.group === group);
  return from === undefined || sequence > from.sequence;
}

/** Versions are in the order in which they begin; where they begin alike, by their ids. */
function isNewer(one: Saga, other: Saga, group: GroupId): boolean {
  const of = (saga: Saga) =>
    saga.description.after.find((each) => each.group === group)?.sequence ?? 0;
  return of(one) > of(other) || (of(one) === of(other) && one.id > other.id);
}

/**
 * A produced Entry stands in its group: it is owed no more, and may be consumed.
 *
 * @param saga Undefined where the invocation's own is not known yet.
 */
export function withLanded(
  saga: Saga | undefined,
  progress: Progress,
  { entry, cause }: { readonly entry: SeenEntry; readonly cause: Cause },
): Progress {
  const { step, index } = cause;
  const { pact, group, sequence } = entry;
  const isSame = (each: { readonly step: number; readonly index: number }) =>
    each.step === step && each.index === index;
  const owed = progress.owed.filter((each) => !isSame(each));
  const isRoom = progress.arrivals.length < ARRIVALS_MAX && !isEnded(progress);
  // What comes before its State is noted in any case: it is owed no more.
  const isWelcome = !entry.isSecond && (step > progress.step || isWanted(saga, entry));
  const isNew = isRoom && isWelcome && !progress.arrivals.some(isSame);
  if (owed.length === progress.owed.length && !isNew) return progress;
  const arrival: Arrival = { pact, group, sequence, step, index };
  return {
    ...progress,
    owed,
    arrivals: isNew ? [...progress.arrivals, arrival] : progress.arrivals,
  };
}

/** Does a Stage consume such an Entry of the Saga's own? */
function isWanted(saga: Saga | undefined, { pact, record }: SeenEntry): boolean {
  if (saga === undefined) return true;
  const stage = saga.stages.find((each) => each.consumes === pact && !each.isOutside);
  return stage !== undefined && meets(record, stage.when);
}

/** An Entry from outside that a Stage waits for, or will. */
export function withOffer(
  saga: Saga | undefined,
  progress: Progress,
  entry: SeenEntry,
  nowMs: number,
): Progress {
  if (saga === undefined || progress.isFailing || isEnded(progress)) return progress;
  const { group, sequence, pact } = entry;
  const { initiating } = progress;
  if (initiating?.group === group && sequence <= initiating.sequence) return progress;
  for (const [place, stage] of saga.stages.entries()) {
    if (!stage.isOutside || stage.consumes !== pact || place <= progress.place) continue;
    if (!meets(entry.record, stage.when)) continue;
    const isNext = place === progress.place + 1 && progress.kind === 'partial';
    if (stage.by === null && !isNext) continue;
    if (stage.by !== null && keyText(entry.record[stage.by]) !== progress.key) continue;
    if (isNext && progress.consumed === null) {
      return { ...progress, consumed: { group, sequence, sinceMs: nowMs } };
    }
    if (stage.by === null || progress.arrivals.length >= ARRIVALS_MAX) continue;
    const arrival = { pact, group, sequence, step: -1, index: place };
    return { ...progress, arrivals: [...progress.arrivals, arrival] };
  }
  return progress;
}

/** Takes what has come already for the Stage that is next. */
export function withArrival(saga: Saga | undefined, progress: Progress, nowMs: number): Progress {
  if (saga === undefined || progress.kind !== 'partial' || progress.consumed !== null) {
    return progress;
  }
  const place = progress.place + 1;
  const stage = saga.stages[place];
  if (stage === undefined) return progress;
  const found = progress.arrivals.find((each) => {
    const { pact, step, index } = each;
    if (pact !== stage.consumes || isUsed(progress, each)) return false;
    return stage.isOutside ? step < 0 && index === place : step >= 0 && step <= progress.step;
  });
  if (found === undefined) return progress;
  const { group, sequence } = found;
  return { ...progress, consumed: { group, sequence, sinceMs: nowMs } };
}

function isUsed({ finished }: Progress, { group, sequence }: SequencePlace): boolean {
  return finished.some(({ consumed }) => {
    return consumed?.group === group && consumed.sequence === sequence;
  });
}

/** An invocation of which nothing is known but what it produced. */
export function freshProgress(invocation: InvocationId, nowMs: number): Progress {
  return {
    invocation,
    stateGroup: invocation,
    description: invocation,
    initiating: null,
    key: null,
    step: -1,
    sequence: null,
    kind: null,
    place: -1,
    issuer: null,
    scope: null,
    sinceMs: nowMs,
    finished: [],
    isFailing: false,
    undone: [],
    stuck: [],
    failure: null,
    consumed: null,
    arrivals: [],
    owed: [],
  };
}
