import { equalBytes } from '../model/bytes.ts';
import { criteriaOf, type Saga } from '../model/saga.ts';
import type { Progress, ScopeValue } from '../model/saga-progress.ts';
import type { SagaState } from '../model/saga-state.ts';
import type { Job } from '../saga/action.ts';
import { execute } from '../saga/execution.ts';
import { follow } from '../saga/judging.ts';
import { freshProgress } from '../saga/matching.ts';
import type { SagaReplay } from './saga-face.ts';
import type { SagaHistory, StandingState } from './saga-history.ts';
import type { SagaRunner } from './saga-runner.ts';
import type { Sagas } from './sagas.ts';

/** What no Behavior said: it is taken from the log. */
const NOT_RUN = /^(?:time-out|restarted): /;
const UNDOING = /;? ?undoing .*$/s;

/** Runs the States of one invocation once more, from what they read and observed. */
export async function replay(
  sagas: Sagas,
  runner: SagaRunner,
  history: SagaHistory,
  progress: Progress,
): Promise<SagaReplay> {
  const steps: { step: number; differs: string | null }[] = [];
  let before = { ...freshProgress(progress.invocation, 0), key: progress.key };
  for (const standing of history.states(progress)) {
    if (!standing.counts) continue;
    const { state, sequence, issuer } = standing;
    const saga = sagas.runtime.saga(state.description);
    const { stateGroup } = progress;
    if (saga === undefined) {
      steps.push({ step: state.step, differs: 'its Saga Description is not here' });
    } else if (state.kind !== 'began') {
      const value = valueAt(sagas, standing, progress);
      const job = jobOf(saga, before, state);
      const again = await runAgain(sagas, runner, { job, state, value });
      steps.push({ step: state.step, differs: differenceOf(state, again) });
    }
    before = { ...follow({ stateGroup, sequence, issuer, state }, before, 0), key: progress.key };
  }
  return { same: steps.every(({ differs }) => differs === null), steps };
}

function valueAt(sagas: Sagas, { state }: StandingState, progress: Progress): ScopeValue {
  const basis = state.basis ?? 0;
  const from =
    basis === 0 ? null : sagas.outlet.stateAt(progress.stateGroup, basis as ScopeValue['sequence']);
  const sequence = basis as ScopeValue['sequence'];
  return { sequence, state: from?.state ?? null, heldBy: null };
}

/** The job that led to a State; nothing is undone that it did not undo. */
function jobOf(saga: Saga, before: Progress, state: SagaState): Job {
  const { consumed, place } = state;
  const tried = [...state.undone, ...state.stuck];
  const progress: Progress = {
    ...before,
    consumed: consumed === null ? null : { ...consumed, sinceMs: 0 },
    finished: before.finished.filter((each) => tried.includes(each.place)),
  };
  const isRun = !before.isFailing && !NOT_RUN.test(state.failure ?? '');
  if (isRun) return { saga, progress, purpose: 'run', place, failure: null };
  const failure = state.failure?.replace(UNDOING, '') ?? null;
  const said = failure === '' ? null : failure;
  return { saga, progress, purpose: 'undo', place, failure: said };
}

async function runAgain(
  sagas: Sagas,
  runner: SagaRunner,
  { job, state, value }: { job: Job; state: SagaState; value: ScopeValue },
): Promise<SagaState | null> {
  const { world } = sagas.runtime;
  const all = job.saga.stages.flatMap((stage) => criteriaOf(stage));
  const anywhere = {
    ...world,
    owners: () => [world.self],
    capabilities: () => all,
    hasBehavior: () => true,
  };
  const { scope, atMs } = state;
  // A claim that was made for an undo is not asked for again.
  const saga = { ...job.saga, stages: job.saga.stages.map((s) => ({ ...s, isClaimed: false })) };
  const execution = execute({ ...job, saga }, { world: anywhere, value, scope, atMs });
  let { observed } = state;
  let step = execution.next();
  while (step.done !== true) {
    const result = await runner.run(step.value, { reads: state.reads, observed });
    observed = observed.slice(result?.observed.length ?? 0);
    step = execution.next(result);
  }
  return step.value;
}

/** What a replay found otherwise, in words; null: nothing. */
function differenceOf(state: SagaState, again: SagaState | null): string | null {
  if (again === null) return 'it cannot be run here';
  const isDone = (kind: SagaState['kind']) => kind === 'partial' || kind === 'final';
  if (isDone(state.kind) !== isDone(again.kind)) {
    return `it was ${state.kind}, and is ${again.kind} now (${again.failure ?? 'no failure'})`;
  }
  if (state.failure !== again.failure) return `it failed by: ${again.failure}`;
  if (again.undone.join() !== state.undone.join()) return `it undid ${again.undone.join()}`;
  const isSame = state.produced.every(({ group, entry }, index) => {
    const other = again.produced[index];
    return other?.group === group && equalBytes(other.entry, entry);
  });
  if (!isSame || state.produced.length !== again.produced.length) return 'other Entries';
  const [one, other] = [state.state, again.state];
  if (one === null || other === null) return one === other ? null : 'another value of state';
  return equalBytes(one, other) ? null : 'another value of state';
}
