import type { BehaviorId } from '../model/behavior.ts';
import type { Hex32 } from '../model/bytes.ts';
import type { Pact } from '../model/pact.ts';
import {
  type Cause,
  type DescriptionId,
  deriveInvocation,
  deriveScope,
  type InvocationId,
  keyText,
  type Saga,
} from '../model/saga.ts';
import {
  isEnded,
  isOpen,
  NO_VALUE,
  type OwedEntry,
  type Progress,
  type ScopeValue,
} from '../model/saga-progress.ts';
import type { SagaNotes } from '../ports/saga-notes.ts';
import type { Action, Job, RuntimeSettings } from './action.ts';
import { Agenda } from './agenda.ts';
import { follow, followScope, judge, type Placed, type Void } from './judging.ts';
import {
  freshProgress,
  type SeenEntry,
  startedBy,
  withArrival,
  withLanded,
  withOffer,
} from './matching.ts';
import { nextStepOf, type SagaSurroundings } from './next-step.ts';

/**
 * The Saga runtime of one Participant: told what became final, it says what to do. Everything it
 * decides from is in its notes, so a restart goes on from there; what a process has under way is in
 * memory alone.
 *
 * @source features A28 to A30; the patent's FIG. 8.
 */
export class SagaRuntime {
  readonly world: SagaSurroundings;
  private readonly notes: SagaNotes;
  private readonly settings: RuntimeSettings;
  private readonly sagas = new Map<DescriptionId, Saga>();
  private readonly agenda: Agenda;
  /** Initiating Entries that started nothing, as too many invocations were in progress. */
  refused = 0;
  private opened = new Map<InvocationId, Progress>();

  constructor(parts: {
    readonly world: SagaSurroundings;
    readonly notes: SagaNotes;
    readonly settings: RuntimeSettings;
  }) {
    this.world = parts.world;
    this.notes = parts.notes;
    this.settings = parts.settings;
    this.agenda = new Agenda(parts.world, parts.settings);
    this.reload();
  }

  /** Reads back what is open: after a start, and where a transaction was taken back. */
  reload(): void {
    this.opened = new Map(this.notes.open().map((each) => [each.invocation, each]));
    for (const invocation of this.opened.keys()) this.agenda.touch(invocation);
  }

  /** A Description whose Stages and Behaviors are here. Older versions go on beside newer ones. */
  deploy(saga: Saga): void {
    this.sagas.set(saga.id, saga);
    this.surroundingsChanged();
  }

  saga(id: DescriptionId): Saga | undefined {
    return this.sagas.get(id);
  }

  /** Who owns or has what changed: what nobody was able to do may be possible now. */
  surroundingsChanged(): void {
    for (const invocation of this.opened.keys()) this.agenda.touch(invocation);
  }

  get openCount(): number {
    return this.opened.size;
  }

  /** The first so many that are in progress. */
  open(limit: number): Progress[] {
    return [...this.opened.values()].slice(0, limit);
  }

  /** The next Entry of a State group. @returns why it counts for nothing; null: it counts. */
  observeState(placed: Placed, at: { readonly nowMs: number; readonly cut: number }): Void | null {
    const { state, stateGroup } = placed;
    const before = this.notes.progress(state.invocation);
    const scope = this.notes.scope(stateGroup, state.scope) ?? NO_VALUE;
    const found = judge(placed, { before, scope, cut: at.cut });
    this.agenda.proposed(state.invocation, state.step, placed.issuer);
    if (found !== null) return found;
    const saga = this.sagas.get(state.description);
    const next = withArrival(saga, follow(placed, before, at.nowMs), at.nowMs);
    const value = followScope(placed, scope);
    if (!isSameValue(scope, value)) this.notes.putScope(stateGroup, state.scope, value);
    this.put(next);
    this.agenda.advanced(next, value.heldBy === null);
    return null;
  }

  /**
   * An Entry that became final: it may start an invocation, be what one waits for, or be the one
   * that a State promised.
   */
  observeEntry(entry: SeenEntry, nowMs: number): void {
    if (entry.cause !== null) this.land(entry, entry.cause, nowMs);
    if (entry.isSecond) return;
    this.observeAgain(entry, nowMs);
    if (!this.isAwaited(entry.pact)) return;
    for (const progress of this.opened.values()) {
      const next = withOffer(this.sagas.get(progress.description), progress, entry, nowMs);
      if (next !== progress) this.put(next);
    }
  }

  /** An Entry that was read before: a Saga that was not known then may begin with it. */
  observeAgain(entry: SeenEntry, nowMs: number): void {
    if (entry.isSecond) return;
    for (const saga of startedBy(this.sagas.values(), entry)) this.begin(saga, entry, nowMs);
  }

  /** What is to be done now, and when there may be more. Only for what is durable. */
  due(nowMs: number): { readonly actions: Action[]; readonly nextAtMs: number | null } {
    return this.agenda.due(nowMs, {
      progress: (invocation) => this.opened.get(invocation),
      saga: (id) => this.sagas.get(id),
      scope: (progress) => this.scopeOf(progress),
    });
  }

  /** A job came to nothing: it is due again then. */
  release(invocation: InvocationId, atMs: number): void {
    this.agenda.release(invocation, atMs);
  }

  /** Owed Entries that no Entry Buffer took. */
  unpush(invocation: InvocationId, owed: readonly OwedEntry[], atMs: number): void {
    this.agenda.unpush(invocation, owed, atMs);
  }

  /** The value that a job's Behaviors find. */
  valueFor({ progress, saga }: Pick<Job, 'progress' | 'saga'>): ScopeValue & { scope: Hex32 } {
    const scope = this.scopeIdOf(saga, progress);
    return { ...(this.notes.scope(progress.stateGroup, scope) ?? NO_VALUE), scope };
  }

  /**
   * What an invocation waits for, in words; null: it has ended, or it is being done.
   * @param troubleOf Why a Behavior does not load here.
   */
  awaited(
    progress: Progress,
    troubleOf: (id: BehaviorId) => string | null = () => null,
  ): string | null {
    if (isEnded(progress)) return null;
    const saga = this.sagas.get(progress.description);
    if (saga === undefined) return 'its Saga Description';
    const next = nextStepOf(saga, progress, this.world, this.settings.claimMs);
    if (next.kind === 'entry') {
      const stage = saga.stages[next.place]!;
      return `an Entry for the Stage ${stage.name}`;
    }
    if (next.kind === 'claimed') return `what came of the Stage ${saga.stages[next.place]!.name}`;
    if (next.kind === 'conclude') return null;
    const { undo, behavior } = saga.stages[next.place]!;
    const id = next.kind === 'undo' && undo !== null ? undo : behavior;
    const trouble = next.able.includes(this.world.self) ? troubleOf(id) : null;
    return next.lacks ?? (trouble === null ? null : `its Behavior, refused here (${trouble})`);
  }

  private scopeIdOf(saga: Saga, progress: Progress) {
    const { invocation, key } = progress;
    return deriveScope(this.world.hash, saga.description.scope, { invocation, key });
  }

  private scopeOf(progress: Progress): { id: string; heldBy: InvocationId | null } | null {
    const saga = this.sagas.get(progress.description);
    if (saga === undefined) return null;
    const id = this.scopeIdOf(saga, progress);
    const heldBy = this.notes.scope(progress.stateGroup, id)?.heldBy ?? null;
    return { id: progress.stateGroup + id, heldBy };
  }

  private put(progress: Progress): void {
    this.notes.putProgress(progress);
    if (isOpen(progress)) this.opened.set(progress.invocation, progress);
    else this.opened.delete(progress.invocation);
    this.agenda.touch(progress.invocation);
  }

  private begin(saga: Saga, entry: SeenEntry, nowMs: number): void {
    const { description, id } = saga;
    const stateGroup = description.state.group;
    const invocation = deriveInvocation(this.world.hash, stateGroup, entry);
    const key = description.key === null ? null : keyText(entry.record[description.key]);
    if (description.key !== null && key === null) return;
    const initiating = { group: entry.group, sequence: entry.sequence };
    const known = this.notes.progress(invocation);
    if (known !== null && known.step >= 0) {
      // Its first State came before: that says which version it is of.
      this.put({ ...known, initiating, key });
      return;
    }
    if (known === null && this.opened.size >= this.settings.openMax) {
      this.refused++;
      return;
    }
    const consumed = known?.consumed ?? { ...initiating, sinceMs: nowMs };
    const sinceMs = consumed.sinceMs;
    const fresh = known ?? freshProgress(invocation, nowMs);
    this.put({ ...fresh, description: id, stateGroup, initiating, key, sinceMs, consumed });
  }

  private isAwaited(pact: Pact['id']): boolean {
    for (const { stages } of this.sagas.values()) {
      if (stages.some((stage) => stage.isOutside && stage.consumes === pact)) return true;
    }
    return false;
  }

  /** A produced Entry stands in its group: nobody need push it any more. */
  private land(entry: SeenEntry, cause: Cause, nowMs: number): void {
    const { invocation } = cause;
    const known = this.notes.progress(invocation);
    if (known === null && this.opened.size >= this.settings.openMax) return;
    const progress = known ?? freshProgress(invocation, nowMs);
    const saga = this.sagas.get(progress.description);
    const next = withLanded(saga, progress, { entry, cause });
    if (next !== progress) this.put(withArrival(saga, next, nowMs));
  }
}

function isSameValue(one: ScopeValue, other: ScopeValue): boolean {
  return one.sequence === other.sequence && one.heldBy === other.heldBy;
}
