import type { EntrySequence } from '../model/numbers.ts';
import type { Progress } from '../model/saga-progress.ts';
import { type SagaState, stateFromEntry } from '../model/saga-state.ts';
import type { GroupId, SyncGroup } from '../model/sync-group.ts';
import type { DeviceSet } from '../ports/devices.ts';
import type { SagaNotes } from '../ports/saga-notes.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { Action, Job } from '../saga/action.ts';
import { claimOf, execute } from '../saga/execution.ts';
import { SagaRuntime } from '../saga/runtime.ts';
import { Capabilities } from './capabilities.ts';
import { causeOf } from './channel.ts';
import type { Core } from './core.ts';
import type { Issuing } from './issuing.ts';
import type { Loop } from './loop.ts';
import { SagaOutlet } from './saga-outlet.ts';
import { SagaRegistry } from './saga-registry.ts';
import { SagaRunner } from './saga-runner.ts';
import type { Memory, Turn } from './turn.ts';

/** What could not be done now is tried again after so long. */
const RETRY_MS = 1000;

export interface SagasParts {
  readonly core: Core;
  readonly memory: Memory;
  readonly issuing: Issuing;
  readonly loop: Loop;
  readonly devices: DeviceSet;
  /** Null: this Participant runs no Behaviors. */
  readonly sandbox: Sandbox | null;
  /** Deploys an Entry of a built-in Pact. */
  readonly announce: (capabilities: readonly string[]) => Promise<void>;
  readonly isStopped: () => boolean;
}

/**
 * The Saga runtime within the agent: reads Finalized Entries in turns of the loop, up to a cursor
 * that is durable with what it decides; acts on it after the commit.
 *
 * @source architecture: persist, then speak; features A28 to A31.
 */
export class Sagas {
  readonly registry: SagaRegistry;
  readonly runtime: SagaRuntime;
  readonly runner: SagaRunner | null;
  readonly outlet: SagaOutlet;
  get notes(): SagaNotes {
    return this.parts.core.store.sagas;
  }

  /** Since the start: what ended here to see. */
  readonly counts = { started: 0, completed: 0, compensated: 0 };
  private readonly parts: SagasParts;
  private readonly capabilities: Capabilities;
  private readonly startMs: number;
  private readonly unread = new Set<GroupId>();
  /** Groups of which the next Entry lacks its payload. */
  private readonly stuck = new Set<GroupId>();
  private isReading = false;
  /** A turn of ours is not known to have been committed. */
  private isUnsure = false;
  private hasStarted = false;
  private cancelTimer: (() => void) | null = null;

  constructor(parts: SagasParts) {
    const { core, memory, sandbox, devices } = parts;
    this.parts = parts;
    this.startMs = core.timers.wallMs() - core.timers.monotonicMs();
    this.outlet = new SagaOutlet(parts);
    this.registry = new SagaRegistry(core, memory);
    const { registry } = this;
    this.runner =
      sandbox === null ? null : new SagaRunner({ core, memory, registry, sandbox, devices });
    const { sagaTakeOverMs, sagaClaimMs, sagaInvocationsMax } = core.config;
    this.runtime = new SagaRuntime({
      world: {
        self: core.self,
        hash: core.hash,
        owners: (group) => this.outlet.latest(group)?.owners ?? [],
        capabilities: (avatar) => registry.capabilities(avatar),
        hasBehavior: (id) => sandbox !== null && registry.hasBehavior(id),
      },
      notes: core.store.sagas,
      settings: { takeOverMs: sagaTakeOverMs, claimMs: sagaClaimMs, openMax: sagaInvocationsMax },
    });
    this.capabilities = new Capabilities(core, devices, parts.announce);
  }

  /** Everything that is known, after a start. */
  start(): void {
    this.hasStarted = true;
    for (const saga of this.registry.refresh()) this.runtime.deploy(saga);
    this.readAll();
    this.capabilities.start(this.registry.capabilities(this.parts.core.self));
  }

  /** Something became final in a group, or its payload came. */
  onFinal(id: GroupId): void {
    const group = this.parts.memory.registry.group(id);
    if (group === undefined || !this.hasStarted) return;
    if (this.registry.concerns(group)) this.deployed();
    else if (this.registry.isRelevant(group)) this.readSoon([id]);
  }

  /** A commit: a payload may have come. */
  onCommit(): void {
    if (this.stuck.size === 0 || !this.hasStarted) return;
    const groups = [...this.stuck];
    this.stuck.clear();
    this.readSoon(groups);
  }

  /** What an invocation waits for, in words. */
  awaited(progress: Progress): string | null {
    return this.runtime.awaited(progress, (id) => this.runner?.loader.troubleOf(id) ?? null);
  }

  async close(): Promise<void> {
    this.cancelTimer?.();
    this.capabilities.close();
    this.hasStarted = false;
    await this.parts.sandbox?.close();
  }

  /** By a clock that no restart turns back and no step of the machine's clock moves. */
  nowMs(): number {
    return this.startMs + this.parts.core.timers.monotonicMs();
  }

  private deployed(): void {
    const whole = this.registry.refresh();
    for (const saga of whole) {
      this.runtime.deploy(saga);
      this.parts.core.log.info('saga-known', { name: saga.description.name, id: saga.id });
    }
    // Entries from where it begins may have been read already, for a Saga before it.
    for (const { description } of whole) {
      for (const group of this.groupsOf(description.initiating)) this.again.add(group.id);
    }
    this.runtime.surroundingsChanged();
    this.readAll();
  }

  /** Groups that are to be read again from where their Sagas begin. */
  private readonly again = new Set<GroupId>();

  private readAll(): void {
    const { registry } = this.parts.memory;
    this.readSoon(
      registry.allGroups().flatMap((each) => (this.registry.isRelevant(each) ? [each.id] : [])),
    );
  }

  private groupsOf(pact: string): SyncGroup[] {
    return this.parts.memory.registry.allGroups().filter((group) => group.pact === pact);
  }

  private readSoon(groups: readonly GroupId[]): void {
    for (const group of groups) this.unread.add(group);
    if (this.isReading) return;
    this.isReading = true;
    this.parts.loop.enqueue((turn) => this.read(turn));
  }

  /** Inside a turn's transaction; done again where that was taken back. */
  private read(turn: Turn): void {
    if (this.isUnsure) this.runtime.reload();
    this.isUnsure = true;
    const done: GroupId[] = [];
    for (const id of this.unread) {
      const group = turn.registry.group(id);
      if (group === undefined || !this.readGroup(group)) done.push(id);
    }
    turn.afterCommit.push(() => {
      this.isUnsure = false;
      this.isReading = false;
      for (const id of done) this.unread.delete(id);
      if (this.unread.size > 0) this.readSoon([]);
      this.act();
    });
  }

  /** @returns whether there is more. */
  private readGroup(group: SyncGroup): boolean {
    const { store, config, reader } = this.parts.core;
    const pact = this.parts.memory.registry.pact(group.pact);
    if (pact === undefined) return false;
    const stateGroup = this.registry.stateRootOf(group);
    const codec = reader.codecOf(pact);
    const cut = store.cuts.extent(group.id).first - 1;
    const known = store.sagas.cursor(group.id);
    let cursor = this.cursorOf(group);
    const limit = config.sagaReadEntriesMax;
    const entries = store.entries(group.id, (cursor + 1) as EntrySequence, limit);
    for (const { sequence, bytes, issuer, isVoid } of entries) {
      // What lacks its payload is waited for: order is everything.
      if (bytes === null) {
        this.stuck.add(group.id);
        break;
      }
      cursor = sequence;
      const values = codec.decode(bytes);
      if (!values.ok) continue;
      if (stateGroup === null) {
        const cause = causeOf(pact, values.value);
        const place = { pact: pact.id, group: group.id, sequence };
        const record = codec.toRecord(values.value);
        const entry = { ...place, record, cause, isSecond: isVoid };
        if (sequence > known) this.runtime.observeEntry(entry, this.nowMs());
        else this.runtime.observeAgain(entry, this.nowMs());
      } else {
        const read = stateFromEntry(values.value);
        if (read.ok) this.observe({ stateGroup, sequence, issuer, state: read.value }, cut);
      }
    }
    store.sagas.putCursor(group.id, cursor);
    this.again.delete(group.id);
    return entries.length === limit && cursor === entries.at(-1)!.sequence;
  }

  private observe(placed: Parameters<SagaRuntime['observeState']>[0], cut: number): void {
    const found = this.runtime.observeState(placed, { nowMs: this.nowMs(), cut });
    if (found !== null) return;
    const { kind, step } = placed.state;
    if (step === 0) this.counts.started++;
    if (kind === 'final') this.counts.completed++;
    if (kind === 'final-failed') this.counts.compensated++;
  }

  /** A group that was never read begins where the Sagas that it concerns begin. */
  private cursorOf(group: SyncGroup): number {
    const known = this.parts.core.store.sagas.cursor(group.id);
    if (known > 0 && !this.again.has(group.id)) return known;
    const begins = this.registry.all().map(({ description }) => {
      return description.after.find((each) => each.group === group.id)?.sequence ?? 0;
    });
    const first = begins.length === 0 ? 0 : Math.min(...begins);
    return known > 0 ? Math.min(known, first) : first;
  }

  /** Does what is due; nothing that is not durable is. */
  private act(): void {
    if (!this.hasStarted || this.isUnsure || this.parts.isStopped()) return;
    this.cancelTimer?.();
    this.cancelTimer = null;
    const { actions, nextAtMs } = this.runtime.due(this.nowMs());
    for (const action of actions) this.do(action);
    if (nextAtMs === null) return;
    const delayMs = Math.max(0, nextAtMs - this.nowMs());
    this.cancelTimer = this.parts.core.timers.after(delayMs, () => this.act());
  }

  private do(action: Action): void {
    if (action.kind === 'push') {
      const { progress, owed } = action;
      const left = this.outlet.pushOwed(progress, owed);
      if (left.length > 0) {
        this.runtime.unpush(progress.invocation, left, this.nowMs() + RETRY_MS);
      }
      return;
    }
    const { job } = action;
    const { invocation } = job.progress;
    this.stateOf(job)
      .then((state) => {
        if (!this.hasStarted) return;
        if (typeof state === 'number') this.runtime.release(invocation, this.nowMs() + state);
        else if (!this.outlet.pushState(job.progress, state)) {
          this.runtime.release(invocation, this.nowMs() + RETRY_MS);
        }
        this.act();
      })
      .catch((cause: unknown) => {
        // Ours, or the disk's: said, and tried again, as a claim is never run twice.
        this.parts.core.log.error('saga-failed', { invocation, reason: String(cause) });
        this.runtime.release(invocation, this.nowMs() + RETRY_MS);
        this.act();
      });
  }

  /** @returns the State, or after how many milliseconds to try again. */
  private async stateOf(job: Job): Promise<SagaState | number> {
    const { core } = this.parts;
    const value = this.runtime.valueFor(job);
    const { world } = this.runtime;
    const tools = { world, value, scope: value.scope };
    if (job.purpose === 'claim') return claimOf(job, { ...tools, atMs: core.timers.wallMs() });
    const execution = execute(job, { ...tools, atMs: core.timers.wallMs() });
    let retryMs = RETRY_MS;
    let step = execution.next();
    while (step.done !== true) {
      const request = step.value;
      const result = (await this.runner?.run(request)) ?? null;
      retryMs = Math.max(retryMs, this.runner?.loader.pauseMs(request.behavior) ?? 0);
      step = execution.next(result);
    }
    return step.value ?? retryMs;
  }
}
