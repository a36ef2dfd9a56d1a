import type { PactUse } from '../model/behavior.ts';
import { concatBytes, fromHex, toHex32 } from '../model/bytes.ts';
import { domainOf } from '../model/codec.ts';
import type { EntrySequence } from '../model/numbers.ts';
import type { SequencePlace } from '../model/saga.ts';
import { OBSERVED_CHARACTERS_MAX, OBSERVED_MAX, type ProducedEntry } from '../model/saga-state.ts';
import type { GroupId } from '../model/sync-group.ts';
import { DeviceError, type DeviceSet } from '../ports/devices.ts';
import type {
  BehaviorHost,
  BehaviorOutcome,
  BehaviorQuery,
  HostAnswer,
  Json,
  JsonRecord,
  Sandbox,
} from '../ports/sandbox.ts';
import type { RunRequest, RunResult } from '../saga/execution.ts';
import { BehaviorLoader } from './behavior-loader.ts';
import type { Core } from './core.ts';
import { latestOf, lineOf } from './lineage.ts';
import type { SagaRegistry } from './saga-registry.ts';
import type { Memory } from './turn.ts';

const SEED = domainOf('vb1/saga-seed');

export interface RunnerParts {
  readonly core: Core;
  readonly memory: Memory;
  readonly registry: SagaRegistry;
  readonly sandbox: Sandbox;
  readonly devices: Pick<DeviceSet, 'act'>;
}

/** What a run is to find again that was run before: a replay. */
export interface Recording {
  readonly reads: readonly SequencePlace[];
  readonly observed: readonly string[];
}

/** Runs Behaviors for the Saga runtime, and answers what they ask. */
export class SagaRunner {
  readonly loader: BehaviorLoader;
  private readonly parts: RunnerParts;

  constructor(parts: RunnerParts) {
    this.parts = parts;
    const { sandbox, core } = parts;
    const nowMs = () => core.timers.monotonicMs();
    this.loader = new BehaviorLoader({ sandbox, log: core.log, nowMs });
  }

  /**
   * @param recording Of a replay: devices are not touched, they answer as they did.
   * @returns null where it could not be run now, and nothing was done.
   */
  async run(request: RunRequest, recording: Recording | null = null): Promise<RunResult | null> {
    const { behavior, state } = request;
    const loading = await this.loader.load(behavior, () => this.parts.registry.behavior(behavior));
    if (loading.kind === 'later') return null;
    if (loading.kind === 'never') {
      return { failure: loading.reason, produced: [], state, reads: [], observed: [] };
    }
    const entry = request.consumed === null ? null : this.entryAt(request.consumed);
    const notes = new RunNotes(this.parts, request, recording);
    const seed = concatBytes(SEED, fromHex(request.invocation), Uint8Array.of(request.step));
    const outcome = await this.parts.sandbox.run(
      loading.behavior,
      {
        purpose: request.purpose,
        entry: entry?.record ?? null,
        pact: entry?.pact ?? null,
        state,
        invocation: request.invocation,
        step: request.step,
        at: entry?.atMs ?? 0,
        seed: toHex32(this.parts.core.hash(seed)),
      },
      notes,
    );
    // A device may have moved before a worker died: that is no run that never was.
    const isNothing = outcome.kind === 'broken' && outcome.cause === 'busy';
    return isNothing ? null : notes.resultOf(outcome);
  }

  /** An Entry as its Pact's codec shows it; null where it is not here any more. */
  entryAt(place: SequencePlace): {
    readonly record: JsonRecord;
    readonly pact: string;
    readonly atMs: number;
  } | null {
    const { core, memory } = this.parts;
    const stored = storedAt(this.parts, place);
    const group = memory.registry.group(place.group);
    const pact = group === undefined ? undefined : memory.registry.pact(group.pact);
    if (stored === null || stored.bytes === null || pact === undefined) return null;
    const codec = core.reader.codecOf(pact);
    const values = codec.decode(stored.bytes);
    if (!values.ok) return null;
    const record = codec.toRecord(values.value) as JsonRecord;
    return { record, pact: pact.name, atMs: stored.atMs };
  }
}

/** Where an Entry stands now: groups may have gone on since. */
export function storedAt(
  { core, memory }: Pick<RunnerParts, 'core' | 'memory'>,
  at: SequencePlace,
) {
  const group = memory.registry.group(at.group);
  if (group === undefined) return null;
  const part = lineOf(memory.registry, group).find(
    ({ first, last }) => first <= at.sequence && at.sequence <= last,
  );
  if (part === undefined) return null;
  const [stored] = core.store.entries(part.group, at.sequence, 1);
  return stored?.sequence === at.sequence ? stored : null;
}

/** The host of one run, and what is to be remembered of it. */
class RunNotes implements BehaviorHost {
  private readonly parts: RunnerParts;
  private readonly request: RunRequest;
  private readonly recording: Recording | null;
  private readonly reads: SequencePlace[];
  private readonly observed: string[] = [];

  constructor(parts: RunnerParts, request: RunRequest, recording: Recording | null) {
    this.parts = parts;
    this.request = request;
    this.recording = recording;
    const { memory, core } = parts;
    this.reads = request.stage.accesses.flatMap(({ group }) => {
      const known = recording?.reads.find((each) => each.group === group);
      if (known !== undefined) return [known];
      const found = memory.registry.group(group);
      if (found === undefined) return [];
      const sequence = core.store.lastSequence(latestOf(memory.registry, found).id);
      return [{ group, sequence }];
    });
  }

  query(use: PactUse, query: BehaviorQuery): HostAnswer<readonly JsonRecord[]> {
    const { core, memory } = this.parts;
    const place = this.request.stage.accesses.find(({ pact }) => pact === use.pact);
    const pact = memory.registry.pact(use.pact);
    const upTo = this.reads.find(({ group }) => group === place?.group)?.sequence;
    if (place === undefined || pact === undefined || upTo === undefined) {
      return { ok: false, message: `this Stage reads no ${use.name}` };
    }
    const where: Record<string, string | number | boolean> = {};
    for (const [name, value] of Object.entries(query.where)) {
      const field = pact.fields.find((each) => each.name === name);
      const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
      if (field === undefined || !isPlain || field.type === 'bytes') {
        return { ok: false, message: `${name} is no field of ${use.name} to ask by` };
      }
      where[name] = value as string | number | boolean;
    }
    const { limit, order } = query;
    const codec = core.reader.codecOf(pact);
    const records: JsonRecord[] = [];
    for (const group of this.groupsOf(place.group, order)) {
      const wish = { where, upTo, limit: limit - records.length, order };
      for (const sequence of core.store.search.find(pact, group, wish)) {
        const [stored] = core.store.entries(group, sequence as EntrySequence, 1);
        const values = stored?.bytes == null ? null : codec.decode(stored.bytes);
        if (values?.ok) records.push(codec.toRecord(values.value) as JsonRecord);
      }
      if (records.length >= limit) break;
    }
    return { ok: true, value: records };
  }

  produce(use: PactUse, entry: JsonRecord): HostAnswer<null> {
    const encoded = this.encode(use, entry);
    if (encoded instanceof Uint8Array) return { ok: true, value: null };
    return { ok: false, message: encoded };
  }

  async device(name: string, verb: string, args: readonly Json[]): Promise<HostAnswer<Json>> {
    const { recording } = this;
    if (this.observed.length >= OBSERVED_MAX) {
      return { ok: false, message: `at most ${OBSERVED_MAX} calls of devices` };
    }
    const answer =
      recording === null
        ? await this.act(name, verb, args)
        : (JSON.parse(recording.observed[this.observed.length] ?? 'null') as HostAnswer<Json>);
    this.observed.push(JSON.stringify(answer));
    return answer ?? { ok: false, message: 'nothing was recorded of this call' };
  }

  resultOf(outcome: BehaviorOutcome): RunResult {
    const { reads, observed } = this;
    const rest = { reads, observed, state: this.request.state, produced: [] };
    if (outcome.kind === 'broken') {
      return { ...rest, failure: `${outcome.cause}: ${outcome.message}` };
    }
    const produced: ProducedEntry[] = [];
    for (const { pact, entry } of outcome.produced) {
      const encoded = this.encode(pact, entry);
      const place = this.request.stage.produces.find((each) => each.pact === pact.pact);
      if (place === undefined || !(encoded instanceof Uint8Array)) {
        return { ...rest, failure: `output: ${String(encoded)}` };
      }
      produced.push({ group: place.group, entry: encoded });
    }
    if (outcome.kind === 'failed') return { ...rest, produced, failure: outcome.reason };
    return { ...rest, produced, state: outcome.state, failure: null };
  }

  private async act(name: string, verb: string, args: readonly Json[]): Promise<HostAnswer<Json>> {
    try {
      const value = await this.parts.devices.act(name, verb, args);
      const answer: HostAnswer<Json> = { ok: true, value };
      return JSON.stringify(answer).length > OBSERVED_CHARACTERS_MAX
        ? { ok: false, message: 'the device said too much' }
        : answer;
    } catch (cause) {
      if (!(cause instanceof DeviceError)) throw cause;
      return { ok: false, message: cause.message.slice(0, OBSERVED_CHARACTERS_MAX / 2) };
    }
  }

  /** @returns the Entry's bytes, or why they cannot be. */
  private encode(use: PactUse, entry: JsonRecord): Uint8Array | string {
    const { core, memory } = this.parts;
    const pact = memory.registry.pact(use.pact);
    const isPlaced = this.request.stage.produces.some((each) => each.pact === use.pact);
    if (pact === undefined || !isPlaced) return `this Stage produces no ${use.name}`;
    const encoded = core.reader.codecOf(pact).encode(entry);
    return encoded.ok ? encoded.value : `${use.name}, ${encoded.field}: ${encoded.message}`;
  }

  private groupsOf(group: GroupId, order: 'newest' | 'oldest'): GroupId[] {
    const { registry } = this.parts.memory;
    const found = registry.group(group);
    const line = found === undefined ? [] : lineOf(registry, found).map((part) => part.group);
    return order === 'newest' ? line.reverse() : line;
  }
}
