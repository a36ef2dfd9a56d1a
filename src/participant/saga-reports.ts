import { criteriaOf, type DescriptionId, type Saga } from '../model/saga.ts';
import { isEnded, type Progress } from '../model/saga-progress.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { RequestError } from './face.ts';
import type { SagaDeploying } from './saga-deploying.ts';
import {
  AWAITING_SHOWN,
  type BehaviorFile,
  type BehaviorReport,
  type InvocationReport,
  type SagaFace,
  type SagaReplay,
  type SagaReport,
  type SagasStatus,
  type SagaTrace,
  type TraceState,
} from './saga-face.ts';
import type { SagaHistory, StandingState } from './saga-history.ts';
import { replay } from './saga-replay.ts';
import type { Sagas } from './sagas.ts';

/** Newest invocations that a report shows of each Saga. */
const INVOCATIONS_SHOWN = 20;
/** Open invocations among which those that wait are looked for. */
const INVOCATIONS_LOOKED_AT = 1000;
/** Ended and open invocations among which the beginning of an id is looked for. */
const INVOCATIONS_SOUGHT = 10_000;

export interface SagaReportsParts {
  readonly sagas: Sagas;
  readonly deploying: SagaDeploying;
  readonly history: SagaHistory;
  readonly nameOf: (avatar: AvatarId) => string;
}

/** The face of Sagas. */
export class SagaReports implements SagaFace {
  private readonly parts: SagaReportsParts;

  constructor(parts: SagaReportsParts) {
    this.parts = parts;
  }

  behaviors(): BehaviorReport[] {
    const names = (uses: readonly { readonly name: string }[]) => uses.map((use) => use.name);
    return this.parts.sagas.registry.manifests().map((manifest) => ({
      id: manifest.id,
      name: manifest.name,
      kind: manifest.kind,
      consumes: names(manifest.consumes),
      accesses: names(manifest.accesses),
      produces: names(manifest.produces),
      devices: names(manifest.devices),
      requires: manifest.requires,
      undoes: manifest.undoes,
      idempotent: manifest.idempotent,
    }));
  }

  async addBehavior(file: BehaviorFile): Promise<BehaviorReport> {
    const { id } = await this.parts.deploying.addBehavior(file);
    const found = this.behaviors().find((each) => each.id === id);
    if (found !== undefined) return found;
    throw new RequestError('behavior-invalid', 'The Behavior was not taken; see the log.');
  }

  list(): SagaReport[] {
    const newest = new Map<string, Saga>();
    for (const saga of this.parts.sagas.registry.all()) {
      newest.set(saga.description.state.group, saga);
    }
    return [...newest.values()].map((saga) => this.report(saga));
  }

  status(): SagasStatus {
    const { sagas } = this.parts;
    const { runtime, counts } = sagas;
    const awaiting: SagasStatus['awaiting'][number][] = [];
    for (const progress of runtime.open(INVOCATIONS_LOOKED_AT)) {
      if (awaiting.length >= AWAITING_SHOWN) break;
      const awaits = sagas.awaited(progress);
      if (awaits === null) continue;
      const { description, invocation } = progress;
      const saga = runtime.saga(description)?.description.name ?? description.slice(0, 12);
      awaiting.push({ saga, invocation, awaits });
    }
    const groups = sagas.registry.all().map((each) => each.description.state.group);
    const { openCount: open, refused } = runtime;
    return { known: new Set(groups).size, open, ...counts, refused, awaiting };
  }

  async deploy(file: unknown, owners: readonly string[]): Promise<SagaReport> {
    const id = await this.parts.deploying.deploy(file, owners);
    const saga = this.parts.sagas.registry.all().find((each) => each.id === id);
    if (saga !== undefined) return this.report(saga);
    throw new RequestError('saga-invalid', 'The Saga was not taken; see the log.');
  }

  trace(id: string): SagaTrace {
    const progress = this.find(id);
    const saga = this.parts.sagas.runtime.saga(progress.description);
    const states = this.parts.history.states(progress);
    return {
      ...this.invocation(progress),
      saga: saga?.description.name ?? progress.description.slice(0, 12),
      states: states.map((standing) => this.traceState(standing)),
    };
  }

  async replay(id: string): Promise<SagaReplay> {
    const { sagas, history } = this.parts;
    const progress = this.find(id);
    if (sagas.runner === null) {
      throw new RequestError('behavior-invalid', 'This Participant runs no Behaviors.');
    }
    return replay(sagas, sagas.runner, history, progress);
  }

  private report(saga: Saga): SagaReport {
    const { sagas, history } = this.parts;
    const { description, stages, id } = saga;
    const { notes } = sagas;
    const pactName = (pact: string) => sagas.registry.world().pact(pact as DescriptionId)?.name;
    const manifests = sagas.registry.manifests();
    return {
      id,
      name: description.name,
      initiating: pactName(description.initiating) ?? description.initiating,
      stateGroup: description.state.group,
      scope: description.scope,
      stages: stages.map((stage) => ({
        name: stage.name,
        behavior: manifests.find((each) => each.id === stage.behavior)?.name ?? stage.behavior,
        consumes: pactName(stage.consumes) ?? stage.consumes,
        produces: stage.produces.map(({ group, pact }) => history.pactOf(group)?.name ?? pact),
        criteria: criteriaOf(stage),
      })),
      invocations: notes
        .recent(description.state.group, INVOCATIONS_SHOWN)
        .map((progress) => this.invocation(progress)),
    };
  }

  private invocation(progress: Progress): InvocationReport {
    const { invocation, step, failure, key } = progress;
    const awaits = this.parts.sagas.awaited(progress);
    return { id: invocation, state: stateOf(progress), step, awaits, failure, key };
  }

  private traceState({ sequence, issuer, state, counts }: StandingState): TraceState {
    const { sagas, history, nameOf } = this.parts;
    const { step, kind, consumed, failure, atMs, place, invocation } = state;
    const saga = sagas.runtime.saga(state.description);
    const stageName = (at: number) => saga?.stages[at]?.name ?? String(at);
    return {
      sequence,
      step,
      kind,
      stage: stageName(place),
      at: nameOf(issuer),
      atMs,
      consumed,
      produced: state.produced.map(({ group, entry }, index) => ({
        pact: history.pactOf(group)?.name ?? group,
        entry: history.recordOf(group, entry),
        sequence: counts ? history.placeOf(group, invocation, step, index) : null,
      })),
      failure,
      undone: state.undone.map(stageName),
      stuck: state.stuck.map(stageName),
      counts,
    };
  }

  private find(id: string): Progress {
    const { sagas } = this.parts;
    const groups = new Set(sagas.registry.all().map(({ description }) => description.state.group));
    const found = [...groups]
      .flatMap((group) => sagas.notes.recent(group, INVOCATIONS_SOUGHT))
      .filter(({ invocation }) => id.length >= 4 && invocation.startsWith(id));
    const [only] = found;
    if (only !== undefined && found.length === 1) return only;
    const message =
      found.length > 1
        ? `${found.length} invocations begin with ${id}: give more of the id.`
        : `There is no invocation ${id}. See: vertebra saga list`;
    throw new RequestError('saga-unknown', message, { where: id });
  }
}

function stateOf(progress: Progress): InvocationReport['state'] {
  if (isEnded(progress)) return progress.kind === 'final' ? 'completed' : 'compensated';
  if (progress.isFailing) return 'failing';
  if (progress.kind === 'began') return 'acting';
  return progress.step < 0 ? 'waiting' : 'pending';
}
