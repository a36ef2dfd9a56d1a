import type { BehaviorId } from '../model/behavior.ts';
import { equalBytes, type Hex32 } from '../model/bytes.ts';
import type { SequencePlace, Stage } from '../model/saga.ts';
import type { ScopeValue } from '../model/saga-progress.ts';
import {
  FAILURE_CHARACTERS_MAX,
  OBSERVED_MAX,
  PRODUCED_BYTES_MAX,
  PRODUCED_MAX,
  type ProducedEntry,
  type SagaState,
  type StateKind,
} from '../model/saga-state.ts';
import type { Job } from './action.ts';
import { isAble, type SagaSurroundings, toUndo } from './next-step.ts';

/** One run of a Behavior. */
export interface RunRequest {
  readonly behavior: BehaviorId;
  readonly purpose: 'run' | 'undo';
  readonly stage: Stage;
  readonly consumed: SequencePlace | null;
  readonly state: Uint8Array | null;
  readonly invocation: Hex32;
  readonly step: number;
}

export interface RunResult {
  /** Null: it did what it is for. Else why not. */
  readonly failure: string | null;
  readonly produced: readonly ProducedEntry[];
  readonly state: Uint8Array | null;
  readonly reads: readonly SequencePlace[];
  readonly observed: readonly string[];
}

export interface ExecutionTools {
  readonly world: SagaSurroundings;
  readonly value: ScopeValue;
  readonly scope: Hex32;
  /** By the clock of whoever makes the State. */
  readonly atMs: number;
}

/** The claim that goes before something moves. */
export function claimOf(job: Job, tools: ExecutionTools): SagaState {
  const draft = new Draft(job, tools);
  return draft.seal('began', job.place);
}

/**
 * Asks for runs of Behaviors, one after the other, and is told what came of each; null: it could
 * not be run now, and nothing was done.
 */
export type Execution<Outcome> = Generator<RunRequest, Outcome, RunResult | null>;

/**
 * Runs what a job is for, and where that fails, what undoes it, newest first, as far as this
 * Participant is able to: all of it becomes one State.
 *
 * @returns null where it could not be run now.
 * @source features A29; the patent's compensating Behaviors.
 */
export function* execute(job: Job, tools: ExecutionTools): Execution<SagaState | null> {
  const draft = new Draft(job, tools);
  const { saga, progress, place } = job;
  if (job.purpose === 'run' && job.failure === null) {
    const stage = saga.stages[place]!;
    const behavior = stage.behavior;
    const result = yield draft.request(stage, behavior, 'run', progress.consumed);
    if (result === null) return null;
    draft.take(result);
    if (result.failure === null) {
      const isLast = place === saga.stages.length - 1;
      return draft.seal(isLast ? 'final' : 'partial', place);
    }
    draft.failure = result.failure;
  } else {
    draft.failure = job.failure;
    const isUndoClaimed = progress.kind === 'began' && progress.isFailing;
    if (isUndoClaimed && job.failure !== null) draft.stuck.push(place);
  }
  const isDone = yield* undoAll(job, tools, draft);
  return isDone === null ? null : draft.seal(isDone ? 'final-failed' : 'failed', place);
}

/** @returns whether nothing is left to undo; null where it could not be run now. */
function* undoAll(job: Job, tools: ExecutionTools, draft: Draft): Execution<boolean | null> {
  const { saga, progress } = job;
  for (;;) {
    const { undone, stuck } = draft;
    const [place] = toUndo(saga, { ...progress, undone, stuck });
    if (place === undefined) return true;
    const stage = saga.stages[place]!;
    const isClaimed = progress.kind === 'began' && progress.isFailing && progress.place === place;
    if (!isAble(saga, stage, tools.world.self, tools.world)) return draft.isEmpty ? null : false;
    if (stage.isClaimed && !isClaimed) return draft.isEmpty ? null : false;
    const { consumed } = progress.finished.find((each) => each.place === place)!;
    const result = yield draft.request(stage, stage.undo!, 'undo', consumed);
    if (result === null) return draft.isEmpty ? null : false;
    const isTaken = result.failure === null && draft.hasRoomFor(result);
    if (isTaken) draft.take(result);
    else draft.see(result);
    (isTaken ? draft.undone : draft.stuck).push(place);
    if (!isTaken) draft.note(`undoing ${stage.name}: ${result.failure ?? 'it produced too much'}`);
  }
}

/** A State in the making. */
class Draft {
  readonly undone: number[];
  readonly stuck: number[];
  failure: string | null = null;
  private readonly job: Job;
  private readonly tools: ExecutionTools;
  private readonly produced: ProducedEntry[] = [];
  private readonly reads: SequencePlace[] = [];
  private readonly observed: string[] = [];
  private state: Uint8Array | null;
  /** Nothing that was not run has read or changed the value of state. */
  private hasRun = false;

  constructor(job: Job, tools: ExecutionTools) {
    this.job = job;
    this.tools = tools;
    this.undone = [...job.progress.undone];
    this.stuck = [...job.progress.stuck];
    this.state = tools.value.state;
  }

  /** Would its State say nothing that the one before does not? */
  get isEmpty(): boolean {
    const { undone, stuck } = this.job.progress;
    const isSame = undone.length === this.undone.length && stuck.length === this.stuck.length;
    return isSame && this.failure === null;
  }

  request(
    stage: Stage,
    behavior: BehaviorId,
    purpose: 'run' | 'undo',
    consumed: SequencePlace | null,
  ): RunRequest {
    const { invocation, step } = this.job.progress;
    const { state } = this;
    return { behavior, purpose, stage, consumed, state, invocation, step: step + 1 };
  }

  hasRoomFor(result: RunResult): boolean {
    const all = [...this.produced, ...result.produced];
    const bytes = all.reduce((sum, { entry }) => sum + entry.length, 0);
    const isRoom = all.length <= PRODUCED_MAX && bytes <= PRODUCED_BYTES_MAX;
    return isRoom && this.observed.length + result.observed.length <= OBSERVED_MAX;
  }

  take(result: RunResult): void {
    this.hasRun = true;
    this.produced.push(...result.produced);
    this.observed.push(...result.observed);
    for (const read of result.reads) {
      if (!this.reads.some(({ group }) => group === read.group)) this.reads.push(read);
    }
    if (result.failure === null) this.state = result.state;
  }

  /** It was run, and nothing of it holds but what its devices answered. */
  see(result: RunResult): void {
    this.hasRun = true;
    this.observed.push(...result.observed.slice(0, OBSERVED_MAX - this.observed.length));
  }

  note(trouble: string): void {
    this.failure = this.failure === null ? trouble : `${this.failure}; ${trouble}`;
  }

  seal(kind: StateKind, place: number): SagaState {
    const { saga, progress } = this.job;
    const { value, scope } = this.tools;
    const { consumed } = progress;
    return {
      invocation: progress.invocation,
      step: progress.step + 1,
      kind,
      previous: progress.sequence,
      description: saga.id,
      stage: saga.description.stages[place]!,
      place,
      consumed: consumed === null ? null : { group: consumed.group, sequence: consumed.sequence },
      produced: this.produced,
      scope,
      state: isSameState(this.state, value.state) ? null : this.state,
      basis: this.hasRun || kind === 'began' ? value.sequence : null,
      reads: this.reads,
      observed: this.observed,
      failure: this.failure?.slice(0, FAILURE_CHARACTERS_MAX) ?? null,
      undone: this.undone,
      stuck: this.stuck,
      atMs: this.tools.atMs,
    };
  }
}

function isSameState(one: Uint8Array | null, other: Uint8Array | null): boolean {
  return one === other || (one !== null && other !== null && equalBytes(one, other));
}
