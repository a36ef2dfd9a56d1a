import { createHash } from 'node:crypto';
import type { Hex32 } from '../../src/model/bytes.ts';
import type { EntrySequence } from '../../src/model/numbers.ts';
import type { Cause, InvocationId, Saga, Stage } from '../../src/model/saga.ts';
import type { SagaState } from '../../src/model/saga-state.ts';
import type { AvatarId, GroupId } from '../../src/model/sync-group.ts';
import type { Action, Job } from '../../src/saga/action.ts';
import { claimOf, execute, type RunRequest, type RunResult } from '../../src/saga/execution.ts';
import type { SagaSurroundings } from '../../src/saga/next-step.ts';
import { SagaRuntime } from '../../src/saga/runtime.ts';
import { Prng } from './prng.ts';
import { MemoryNotes } from './saga-notes.ts';

/**
 * A World of abstract groups, each a totally ordered list of Entries that everybody reads in order
 * and at their own pace; Participants that crash between any two effects, and that are slow.
 */

export const hash = (message: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(message).digest());
export const nameId = (name: string): Hex32 =>
  createHash('sha256').update(name).digest('hex') as Hex32;

export interface LogEntry {
  readonly issuer: AvatarId;
  readonly record: Readonly<Record<string, unknown>>;
  readonly cause: Cause | null;
  readonly state: SagaState | null;
}

/** How one run went: `charge` of this invocation fails, and so on. */
export type Script = (request: RunRequest, order: number) => RunResult;

export interface WorldOptions {
  readonly seed: number;
  readonly saga: Saga;
  readonly orders: number;
  readonly crashes: number;
  readonly script: Script;
  /** The checker's own test: what a broken runtime would do. */
  readonly mutation?: 'ignore-claims' | 'push-early';
}

const AVATARS = [nameId('a'), nameId('b'), nameId('c')];
const TAKE_OVER_MS = 100;
const CLAIM_MS = 400;
/** Long after the last crash everything has ended. */
const STEPS_MAX = 60_000;

interface Due {
  readonly atMs: number;
  readonly act: () => void;
}

export class SagaWorld {
  readonly logs = new Map<GroupId, LogEntry[]>();
  /** How often something was moved for an invocation. */
  readonly moved = new Map<InvocationId, number>();
  readonly members: Member[];
  readonly options: WorldOptions;
  readonly prng: Prng;
  nowMs = 0;
  private queue: Due[] = [];

  constructor(options: WorldOptions) {
    this.options = options;
    this.prng = new Prng(options.seed);
    this.members = AVATARS.map((avatar) => new Member(this, avatar));
  }

  at(delayMs: number, act: Due['act']): void {
    this.queue.push({ atMs: this.nowMs + delayMs, act });
  }

  /** Mostly quick, now and then slower than anybody waits. */
  delay(): number {
    return this.prng.chance(0.1) ? this.prng.between(50, 900) : this.prng.between(1, 20);
  }

  log(group: GroupId): LogEntry[] {
    const known = this.logs.get(group);
    if (known !== undefined) return known;
    const made: LogEntry[] = [];
    this.logs.set(group, made);
    return made;
  }

  /** An Entry becomes final, and others learn of it. */
  append(group: GroupId, entry: LogEntry): void {
    this.log(group).push(entry);
    for (const member of this.members) this.at(this.delay(), () => member.read(group));
  }

  run(): void {
    const { saga, orders, crashes } = this.options;
    const initiating = nameId('group of the first');
    for (let order = 0; order < orders; order++) {
      this.at(this.prng.between(0, 3000), () =>
        this.append(initiating, {
          issuer: AVATARS[0]!,
          record: { order },
          cause: null,
          state: null,
        }),
      );
    }
    for (let crash = 0; crash < crashes; crash++) {
      this.at(this.prng.between(0, 5000), () => {
        const member = this.members[this.prng.below(this.members.length)]!;
        member.crash();
        this.at(this.prng.between(1, 1500), () => member.start(saga));
      });
    }
    for (const member of this.members) member.start(saga);
    for (let step = 0; step < STEPS_MAX; step++) {
      if (this.queue.length === 0) return;
      let first = 0;
      for (let index = 1; index < this.queue.length; index++) {
        if (this.queue[index]!.atMs < this.queue[first]!.atMs) first = index;
      }
      const [due] = this.queue.splice(first, 1);
      this.nowMs = Math.max(this.nowMs, due!.atMs);
      due!.act();
    }
    throw new Error(`seed ${this.options.seed}: it never comes to rest`);
  }
}

/** One Participant: durable notes, and a runtime that a crash takes away. */
export class Member {
  readonly avatar: AvatarId;
  readonly notes = new MemoryNotes();
  private readonly world: SagaWorld;
  private runtime: SagaRuntime | null = null;
  /** Grows with each crash: what an earlier life had under way comes to nothing. */
  private life = 0;
  private timerAtMs = Number.POSITIVE_INFINITY;

  constructor(world: SagaWorld, avatar: AvatarId) {
    this.world = world;
    this.avatar = avatar;
  }

  start(saga: Saga): void {
    if (this.runtime !== null) return;
    this.runtime = new SagaRuntime({
      world: this.surroundings(),
      notes: this.notes,
      settings: { takeOverMs: TAKE_OVER_MS, claimMs: CLAIM_MS, openMax: 1000 },
    });
    this.runtime.deploy(saga);
    for (const group of this.world.logs.keys()) this.read(group);
    this.act();
  }

  crash(): void {
    this.runtime = null;
    this.life++;
    this.timerAtMs = Number.POSITIVE_INFINITY;
  }

  /** A commit: what has become final here since is observed, and the cursor moves with it. */
  read(group: GroupId): void {
    const { runtime } = this;
    if (runtime === null) return;
    const log = this.world.log(group);
    for (let cursor = this.notes.cursor(group); cursor < log.length; cursor++) {
      const { issuer, record, cause, state } = log[cursor]!;
      const sequence = (cursor + 1) as EntrySequence;
      const { nowMs } = this.world;
      if (state !== null) {
        runtime.observeState({ stateGroup: group, sequence, issuer, state }, { nowMs, cut: 0 });
      } else {
        const isSecond =
          cause !== null && log.findIndex((each) => isSame(each.cause, cause)) < cursor;
        const entry = { pact: pactOf(group), group, sequence, record, cause, isSecond };
        runtime.observeEntry(entry, nowMs);
      }
      this.notes.putCursor(group, cursor + 1);
    }
    // What follows may come after a crash, which then takes it.
    const { life } = this;
    this.world.at(0, () => {
      if (life === this.life) this.act();
    });
  }

  private surroundings(): SagaSurroundings {
    return {
      self: this.avatar,
      hash,
      owners: () => AVATARS,
      capabilities: (avatar) => (avatar === AVATARS[0] ? [] : ['device=fan']),
      hasBehavior: () => true,
    };
  }

  private act(): void {
    if (this.runtime === null) return;
    const { actions, nextAtMs } = this.runtime.due(this.world.nowMs);
    const { life } = this;
    for (const action of actions) {
      this.world.at(this.world.delay(), () => (life === this.life ? this.do(action) : undefined));
    }
    if (nextAtMs === null || nextAtMs >= this.timerAtMs) return;
    this.timerAtMs = nextAtMs;
    this.world.at(nextAtMs - this.world.nowMs, () => {
      if (life !== this.life) return;
      this.timerAtMs = Number.POSITIVE_INFINITY;
      this.act();
    });
  }

  private do(action: Action): void {
    if (action.kind === 'push') {
      for (const { group, step, index, sequence } of action.progress.owed) {
        if (!action.owed.some((each) => each.step === step && each.index === index)) continue;
        const { state } = this.world.log(action.progress.stateGroup)[sequence - 1]!;
        const { invocation } = action.progress;
        this.push(group, produced(state!, this.avatar, { invocation, step, index }));
      }
      return;
    }
    const { job } = action;
    const state = this.stateOf(job);
    if (state === null) {
      this.runtime?.release(job.progress.invocation, this.world.nowMs + 50);
      return;
    }
    const entry = { issuer: this.avatar, record: {}, cause: null, state };
    this.push(job.progress.stateGroup, entry);
    if (this.world.options.mutation === 'push-early') {
      state.produced.forEach(({ group }, index) => {
        const { invocation, step } = state;
        this.push(group, produced(state, this.avatar, { invocation, step, index }));
      });
    }
  }

  private stateOf(job: Job): SagaState | null {
    const value = this.runtime!.valueFor(job);
    const tools = {
      world: this.surroundings(),
      value,
      scope: value.scope,
      atMs: Math.floor(this.world.nowMs),
    };
    if (job.purpose === 'claim') return claimOf(job, tools);
    const execution = execute(job, tools);
    let step = execution.next();
    while (step.done !== true) step = execution.next(this.runOne(step.value, job));
    return step.value;
  }

  private runOne(request: RunRequest, { progress }: Job): RunResult {
    const { world } = this;
    if (request.stage.devices.length > 0 && request.purpose === 'run') {
      const { invocation } = request;
      world.moved.set(invocation, (world.moved.get(invocation) ?? 0) + 1);
    }
    const initiating = progress.initiating ?? progress.finished[0]?.consumed;
    const order = world.log(initiating!.group)[initiating!.sequence - 1]!.record['order'];
    return world.options.script(request, order as number);
  }

  /** A crash before it is durable elsewhere may take it, or not. */
  private push(group: GroupId, entry: LogEntry): void {
    const { life } = this;
    this.world.at(this.world.delay(), () => {
      if (life === this.life || this.world.prng.chance(0.5)) this.world.append(group, entry);
    });
  }
}

function produced(state: SagaState, issuer: AvatarId, cause: Cause): LogEntry {
  return { issuer, record: { of: state.invocation }, cause, state: null };
}

export function isSame(one: Cause | null, other: Cause | null): boolean {
  if (one === null || other === null) return false;
  const { invocation, step, index } = other;
  return one.invocation === invocation && one.step === step && one.index === index;
}

const GROUPS = ['first', 'request', 'notice', 'states'];

export const groupId = (name: string): GroupId => nameId(`group of the ${name}`);

function pactOf(group: GroupId): Hex32 {
  const name = GROUPS.find((each) => groupId(each) === group)!;
  return nameId(name);
}

/** With claims ignored a Stage that moves something is run as any other. */
export function mutated(stage: Stage, mutation: WorldOptions['mutation']): Stage {
  return mutation === 'ignore-claims' ? { ...stage, isClaimed: false } : stage;
}
