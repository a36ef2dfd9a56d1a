import { fromHex, type Hex32, toHex32 } from './bytes.ts';
import type { EntrySequence } from './numbers.ts';
import type { EntryValue } from './pact.ts';
import {
  type DescriptionId,
  type InvocationId,
  PACTS_OF_STAGE_MAX,
  type SequencePlace,
  STAGES_MAX,
  type StageId,
} from './saga.ts';
import type { GroupId } from './sync-group.ts';
import { accept, refuse, type Verdict } from './verdict.ts';

export const STATE_KINDS = ['began', 'partial', 'final', 'failed', 'final-failed'] as const;
/**
 * `began`: a claim, something is about to move. `partial`: a Stage is done, more follow. `final`:
 * the last one is done. `failed`: what was done is being undone. `final-failed`: all is undone that
 * could be.
 */
export type StateKind = (typeof STATE_KINDS)[number];

export const PRODUCED_MAX = 256;
export const PRODUCED_BYTES_MAX = 1024 * 1024;
export const STATE_BYTES_MAX = 1024 * 1024;
export const OBSERVED_MAX = 256;
export const OBSERVED_CHARACTERS_MAX = 1024;
export const FAILURE_CHARACTERS_MAX = 1024;
/** A chain of States: a claim and a result for each Stage and each that is undone, twice over. */
export const STEPS_MAX = 8 * STAGES_MAX;

export interface ProducedEntry {
  readonly group: GroupId;
  /** As its Pact has it, without a cause. */
  readonly entry: Uint8Array;
}

/** One State of one invocation. @source the patent's FIG. 7, 720. */
export interface SagaState {
  readonly invocation: InvocationId;
  /** Place in the chain of its invocation, from 0. */
  readonly step: number;
  readonly kind: StateKind;
  /** The State before, in the same group; null for the first. */
  readonly previous: EntrySequence | null;
  readonly description: DescriptionId;
  readonly stage: StageId;
  /** Place of the Stage in its Saga: which one was run, began, or failed. */
  readonly place: number;
  readonly consumed: SequencePlace | null;
  readonly produced: readonly ProducedEntry[];
  /** Names the value of state that it reads and writes. */
  readonly scope: Hex32;
  /** That value after this State; null: it has none. */
  readonly state: Uint8Array | null;
  /** The State whose value was read, in the same group; null: there was none. */
  readonly basis: EntrySequence | null;
  /** Up to where accessed Pacts were read. */
  readonly reads: readonly SequencePlace[];
  /** What devices answered, as JSON, in the order of the calls. */
  readonly observed: readonly string[];
  readonly failure: string | null;
  /** Places of Stages undone so far, newest first; and of those that could not be. */
  readonly undone: readonly number[];
  readonly stuck: readonly number[];
  /** By the clock of whoever made it, milliseconds since 1970. */
  readonly atMs: number;
}

const ID = { type: 'string', contentEncoding: 'base64', minBytes: 32, maxBytes: 32 };
const COUNT = { type: 'integer', minimum: 0 };
const PLACES = { type: 'array', maxItems: STAGES_MAX, items: COUNT };
const AT = {
  type: 'object',
  properties: { group: ID, sequence: COUNT },
  required: ['group', 'sequence'],
};

/** The Pact file of a Saga's States, whose fields are in the order of `STATE_FIELDS`. */
export function statePactFile(name: string, retention: unknown): Record<string, unknown> {
  const bytes = { type: 'string', contentEncoding: 'base64', maxBytes: PRODUCED_BYTES_MAX };
  const properties = {
    invocation: ID,
    step: { ...COUNT, maximum: STEPS_MAX },
    kind: { type: 'string', enum: [...STATE_KINDS] },
    previous: COUNT,
    description: ID,
    stage: ID,
    place: { ...COUNT, maximum: STAGES_MAX },
    consumed: AT,
    produced: {
      type: 'array',
      maxItems: PRODUCED_MAX,
      items: {
        type: 'object',
        properties: { group: ID, entry: bytes },
        required: ['group', 'entry'],
      },
    },
    scope: ID,
    state: { ...bytes, maxBytes: STATE_BYTES_MAX },
    basis: COUNT,
    reads: { type: 'array', maxItems: PACTS_OF_STAGE_MAX, items: AT },
    observed: {
      type: 'array',
      maxItems: OBSERVED_MAX,
      items: { type: 'string', maxLength: OBSERVED_CHARACTERS_MAX },
    },
    failure: { type: 'string', maxLength: FAILURE_CHARACTERS_MAX },
    undone: PLACES,
    stuck: PLACES,
    at: COUNT,
  };
  const optional = ['previous', 'consumed', 'state', 'basis', 'failure'];
  return {
    name: `saga_${name}`,
    description: `States of the Saga ${name}`,
    schema: {
      type: 'object',
      properties,
      required: Object.keys(properties).filter((each) => !optional.includes(each)),
    },
    ...(retention === undefined ? {} : { retention }),
  };
}

const STATE_FIELDS = Object.keys(
  (statePactFile('x', undefined)['schema'] as { properties: object }).properties,
);

/** @returns the fields of its Entry; those left out are absent. */
export function stateToEntry(state: SagaState): Record<string, EntryValue> {
  const { atMs, consumed, invocation, description, stage, scope, ...rest } = state;
  const entry: Record<string, EntryValue> = {
    invocation: fromHex(invocation),
    step: rest.step,
    kind: rest.kind,
    description: fromHex(description),
    stage: fromHex(stage),
    place: rest.place,
    produced: rest.produced.map(({ group, entry }) => ({ group: fromHex(group), entry })),
    scope: fromHex(scope),
    reads: rest.reads.map(placeToEntry),
    observed: rest.observed,
    undone: rest.undone,
    stuck: rest.stuck,
    at: atMs,
  };
  if (consumed !== null) entry['consumed'] = placeToEntry(consumed);
  for (const name of ['previous', 'state', 'basis', 'failure'] as const) {
    if (rest[name] !== null) entry[name] = rest[name];
  }
  return entry;
}

function placeToEntry({ group, sequence }: SequencePlace): EntryValue {
  return { group: fromHex(group), sequence };
}

type Place = { group: Uint8Array; sequence: number };

/** Values of a State's Entry in the order of `STATE_FIELDS`. */
type StateRow = readonly [
  invocation: Uint8Array,
  step: number,
  kind: StateKind,
  previous: EntrySequence | null,
  description: Uint8Array,
  stage: Uint8Array,
  place: number,
  consumed: Place | null,
  produced: { group: Uint8Array; entry: Uint8Array }[],
  scope: Uint8Array,
  state: Uint8Array | null,
  basis: EntrySequence | null,
  reads: Place[],
  observed: string[],
  failure: string | null,
  undone: number[],
  stuck: number[],
  at: number,
];

/** @param values In the order of the Pact's fields, checked against `statePactFile`. */
export function stateFromEntry(
  values: readonly EntryValue[],
): Verdict<SagaState, 'state-malformed'> {
  if (values.length !== STATE_FIELDS.length) return refuse('state-malformed', 'other fields');
  const row = values as StateRow;
  const [invocation, step, kind, previous, description, stage, place, consumed, produced] = row;
  const [, , , , , , , , , scope, state, basis, reads, observed, failure, undone, stuck, atMs] =
    row;
  const bytes = produced.reduce((sum, each) => sum + each.entry.length, 0);
  if (bytes > PRODUCED_BYTES_MAX) return refuse('state-malformed', `${bytes} bytes produced`);
  return accept({
    invocation: toHex32(invocation),
    step,
    kind,
    previous,
    description: toHex32(description),
    stage: toHex32(stage),
    place,
    consumed: consumed === null ? null : placeFromEntry(consumed),
    produced: produced.map(({ group, entry }) => ({ group: toHex32(group), entry })),
    scope: toHex32(scope),
    state,
    basis,
    reads: reads.map(placeFromEntry),
    observed,
    failure,
    undone,
    stuck,
    atMs,
  });
}

function placeFromEntry({ group, sequence }: Place): SequencePlace {
  return { group: toHex32(group), sequence: sequence as EntrySequence };
}
