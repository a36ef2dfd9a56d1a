import type { DescriptionId, InvocationId, Saga } from '../model/saga.ts';
import { isEnded, type OwedEntry, type Progress } from '../model/saga-progress.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { Action, Job, RuntimeSettings } from './action.ts';
import { inOrder, nextStepOf, type SagaSurroundings } from './next-step.ts';

/** What the agenda looks at. */
export interface AgendaView {
  progress(invocation: InvocationId): Progress | undefined;
  saga(id: DescriptionId): Saga | undefined;
  scope(progress: Progress): { readonly id: string; readonly heldBy: InvocationId | null } | null;
}

interface UnderWay {
  readonly step: number;
  /** The value of state that nobody else here may use meanwhile. */
  readonly scope: string;
}

/**
 * When this Participant acts on which invocation: at once where it is the first of those who are
 * able, later where it takes over from one that is silent. In memory alone: after a restart all of
 * it follows from the notes again, but for claims that this process made itself.
 */
export class Agenda {
  private readonly world: SagaSurroundings;
  private readonly settings: RuntimeSettings;
  private readonly touched = new Set<InvocationId>();
  private readonly timers = new Map<InvocationId, number>();
  private readonly underWay = new Map<InvocationId, UnderWay>();
  /** Own claims that became final while this process ran: nothing was moved for them yet. */
  private readonly armed = new Map<InvocationId, number>();
  /** Who waits for a value of state that is in use, first come first served. */
  private readonly queues = new Map<string, Set<InvocationId>>();
  /** Who came first in such a queue, until it was looked at. */
  private readonly woken = new Map<InvocationId, string>();
  private readonly inUse = new Map<string, InvocationId>();
  private readonly pushed = new Map<InvocationId, Set<string>>();

  constructor(world: SagaSurroundings, settings: RuntimeSettings) {
    this.world = world;
    this.settings = settings;
  }

  touch(invocation: InvocationId): void {
    this.touched.add(invocation);
  }

  /** A State of this step stands in its group, whether it counts or not. */
  proposed(invocation: InvocationId, step: number, issuer: AvatarId): void {
    const mine = this.underWay.get(invocation);
    if (mine === undefined || step < mine.step) return;
    if (step === mine.step && issuer !== this.world.self) return;
    this.finish(invocation);
  }

  /** The invocation goes on from here. */
  advanced(progress: Progress, isScopeFree: boolean): void {
    const { invocation, kind, issuer, step } = progress;
    const mine = this.underWay.get(invocation);
    if (mine !== undefined && mine.step <= step) this.finish(invocation);
    if (kind === 'began' && issuer === this.world.self) this.armed.set(invocation, step);
    else this.armed.delete(invocation);
    if (isScopeFree && progress.scope !== null) this.wake(progress.stateGroup + progress.scope);
    if (isEnded(progress) && progress.owed.length === 0) this.pushed.delete(invocation);
  }

  release(invocation: InvocationId, atMs: number): void {
    this.finish(invocation);
    this.touched.delete(invocation);
    this.timers.set(invocation, atMs);
  }

  due(nowMs: number, view: AgendaView) {
    for (const [invocation, atMs] of this.timers) {
      if (atMs <= nowMs) this.touched.add(invocation);
    }
    const actions: Action[] = [];
    // What is looked at may touch others, which come later in the same loop.
    for (const invocation of this.touched) this.look(invocation, nowMs, view, actions);
    let nextAtMs: number | null = null;
    for (const atMs of this.timers.values()) {
      if (nextAtMs === null || atMs < nextAtMs) nextAtMs = atMs;
    }
    return { actions, nextAtMs };
  }

  private look(invocation: InvocationId, nowMs: number, view: AgendaView, actions: Action[]): void {
    this.touched.delete(invocation);
    this.timers.delete(invocation);
    const woken = this.woken.get(invocation);
    this.woken.delete(invocation);
    const progress = view.progress(invocation);
    if (progress !== undefined) this.lookAt(progress, nowMs, view, actions);
    // Who came first and does not use it, nor waits for it still, lets the next one.
    const isWaiting = woken !== undefined && this.queues.get(woken)?.has(invocation) === true;
    if (woken !== undefined && !isWaiting && !this.underWay.has(invocation)) this.wake(woken);
  }

  private lookAt(progress: Progress, nowMs: number, view: AgendaView, actions: Action[]): void {
    const { invocation } = progress;
    const dues = [this.lookAtOwed(progress, nowMs, actions)];
    const saga = view.saga(progress.description);
    if (saga !== undefined && !isEnded(progress) && !this.underWay.has(invocation)) {
      const found = this.jobOf(saga, progress, nowMs);
      if (typeof found === 'number') dues.push(found);
      else if (found !== null) this.start(found, view, actions);
    }
    const atMs = Math.min(...dues.map((due) => due ?? Number.POSITIVE_INFINITY));
    if (atMs !== Number.POSITIVE_INFINITY) this.timers.set(invocation, atMs);
  }

  /** One job at a time uses a value of state: others would only be done again. */
  private start(job: Job, view: AgendaView, actions: Action[]): void {
    const { invocation, step } = job.progress;
    const scope = view.scope(job.progress);
    if (scope === null) return;
    const user = this.inUse.get(scope.id) ?? scope.heldBy;
    if (user !== null && user !== undefined && user !== invocation) {
      const queue = this.queues.get(scope.id) ?? new Set();
      this.queues.set(scope.id, queue.add(invocation));
      return;
    }
    this.armed.delete(invocation);
    this.inUse.set(scope.id, invocation);
    this.underWay.set(invocation, { step: step + 1, scope: scope.id });
    actions.push({ kind: 'job', job });
  }

  /** @returns what to do now, when to look again, or null for neither. */
  private jobOf(saga: Saga, progress: Progress, nowMs: number): Job | number | null {
    const next = nextStepOf(saga, progress, this.world, this.settings.claimMs);
    const owners = this.world.owners(saga.description.state.group);
    const job = { saga, progress, failure: null };
    switch (next.kind) {
      case 'claimed': {
        const { place, by } = next;
        if (by === this.world.self) return this.jobOfClaim(job, place);
        const failure = 'time-out: nobody knows whether it was done';
        return this.after(next.failsAtMs, inOrder(progress, this.world, owners), nowMs, {
          ...job,
          purpose: 'undo',
          place,
          failure,
        });
      }
      case 'conclude':
        return this.after(next.sinceMs, next.able, nowMs, { ...job, purpose: 'undo', place: 0 });
      case 'entry':
        return this.afterTimeout(next.failsAtMs, nowMs, { ...job, place: next.place });
      default: {
        const { place } = next;
        const late = this.afterTimeout(next.failsAtMs, nowMs, { ...job, place });
        const purpose = next.isClaimNeeded ? 'claim' : next.kind;
        const own = this.after(next.sinceMs, next.able, nowMs, { ...job, purpose, place });
        if (late !== null && typeof late !== 'number') return late;
        return typeof own === 'number' && late !== null ? Math.min(own, late) : (own ?? late);
      }
    }
  }

  /** Own claims: the process that made one acts on it, another one only says that it cannot. */
  private jobOfClaim(job: Omit<Job, 'purpose' | 'place'>, place: number): Job {
    const { progress } = job;
    const isArmed = this.armed.get(progress.invocation) === progress.step;
    const purpose = progress.isFailing ? 'undo' : 'run';
    if (isArmed) return { ...job, purpose, place };
    const failure = 'restarted: nobody knows whether it was done';
    return { ...job, purpose: 'undo', place, failure };
  }

  private afterTimeout(
    atMs: number | null,
    nowMs: number,
    job: Omit<Job, 'purpose'>,
  ): Job | number | null {
    if (atMs === null) return null;
    const owners = this.world.owners(job.saga.description.state.group);
    const failure = `time-out: ${job.saga.stages[job.place]!.name} was not done in time`;
    const able = inOrder(job.progress, this.world, owners);
    return this.after(atMs, able, nowMs, { ...job, purpose: 'undo', failure });
  }

  /** The first of those who are able acts then, each other one after a further silence. */
  private after(
    sinceMs: number,
    able: readonly AvatarId[],
    nowMs: number,
    job: Job,
  ): Job | number | null {
    const rank = able.indexOf(this.world.self);
    if (rank < 0) return null;
    const atMs = sinceMs + rank * this.settings.takeOverMs;
    return atMs <= nowMs ? job : atMs;
  }

  /** Whoever made a State pushes what it lists; in its silence another owner of that group. */
  private lookAtOwed(progress: Progress, nowMs: number, actions: Action[]): number | null {
    let nextAtMs: number | null = null;
    const ready = new Map<string, OwedEntry[]>();
    const pushed = this.pushed.get(progress.invocation) ?? new Set<string>();
    for (const owed of progress.owed) {
      const name = `${owed.step}/${owed.index}`;
      if (pushed.has(name)) continue;
      const rank = this.rankOfPusher(progress, owed);
      if (rank < 0) continue;
      const atMs = owed.sinceMs + rank * this.settings.takeOverMs;
      if (atMs > nowMs) {
        nextAtMs = Math.min(nextAtMs ?? atMs, atMs);
        continue;
      }
      pushed.add(name);
      ready.set(owed.group, [...(ready.get(owed.group) ?? []), owed]);
    }
    if (pushed.size > 0) this.pushed.set(progress.invocation, pushed);
    for (const owed of ready.values()) actions.push({ kind: 'push', progress, owed });
    return nextAtMs;
  }

  private rankOfPusher(progress: Progress, owed: OwedEntry): number {
    const { self } = this.world;
    const owners = this.world.owners(owed.group);
    if (!owners.includes(self)) return -1;
    if (owed.issuer === self) return 0;
    const states = this.world.owners(progress.stateGroup);
    const others = owners.filter((each) => each !== owed.issuer && states.includes(each));
    const place = inOrder(progress, this.world, others).indexOf(self);
    return place < 0 ? -1 : place + 1;
  }

  /** A push was not taken: it is to be tried again. */
  unpush(invocation: InvocationId, owed: readonly OwedEntry[], atMs: number): void {
    const pushed = this.pushed.get(invocation);
    for (const { step, index } of owed) pushed?.delete(`${step}/${index}`);
    this.timers.set(invocation, atMs);
  }

  private finish(invocation: InvocationId): void {
    const mine = this.underWay.get(invocation);
    if (mine === undefined) return;
    this.underWay.delete(invocation);
    if (this.inUse.get(mine.scope) === invocation) this.inUse.delete(mine.scope);
    this.touched.add(invocation);
    this.wake(mine.scope);
  }

  private wake(scope: string): void {
    const queue = this.queues.get(scope);
    if (queue === undefined || this.inUse.has(scope)) return;
    for (const first of queue) {
      queue.delete(first);
      this.touched.add(first);
      this.woken.set(first, scope);
      break;
    }
    if (queue.size === 0) this.queues.delete(scope);
  }
}
