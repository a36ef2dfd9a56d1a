import { CRITERION, DEVICE_NAME, USES_MAX } from './behavior.ts';
import type { HashFunction } from './bytes.ts';
import {
  AFTER_MAX,
  CONDITIONS_MAX,
  type Condition,
  CRITERIA_MAX,
  type Description,
  type DescriptionId,
  deriveDescriptionId,
  deriveStageId,
  isId,
  OPERATORS,
  PACTS_OF_STAGE_MAX,
  type PactPlace,
  SAGA_NAME,
  SAGA_TEXT_MAX,
  SCOPES,
  type SequencePlace,
  STAGES_MAX,
  type Stage,
  type StageId,
  WITHIN_MS_MAX,
} from './saga.ts';
import { accept, refuse, type Verdict } from './verdict.ts';

/**
 * Stages and Descriptions as text: JSON with the members in one order and no space, so that what is
 * the same has one id. What does not read back to the very same text is refused.
 */

type Json = Readonly<Record<string, unknown>>;

/** Thrown inside this file alone, and turned into a verdict. */
class Malformed extends Error {
  override readonly name = 'Malformed';
}

export function writeStage(stage: Stage): string {
  return JSON.stringify({
    version: 1,
    name: stage.name,
    behavior: stage.behavior,
    consumes: stage.consumes,
    accesses: stage.accesses.map(placeToJson),
    produces: stage.produces.map(placeToJson),
    undo: stage.undo,
    binding: stage.binding,
    devices: stage.devices,
    claimed: stage.isClaimed,
    outside: stage.isOutside,
    by: stage.by,
    when: stage.when,
    within: stage.withinMs,
  });
}

export function writeDescription(description: Description): string {
  return JSON.stringify({
    version: 1,
    name: description.name,
    initiating: description.initiating,
    state: placeToJson(description.state),
    stages: description.stages,
    scope: description.scope,
    key: description.key,
    when: description.when,
    after: description.after.map(({ group, sequence }) => ({ group, sequence })),
  });
}

export function readStage(
  hash: HashFunction,
  text: string,
): Verdict<{ id: StageId; stage: Stage }, 'stage-malformed'> {
  try {
    const stage = stageOf(parse(text));
    if (writeStage(stage) !== text) return refuse('stage-malformed', 'not in its one form');
    return accept({ id: deriveStageId(hash, text), stage });
  } catch (cause) {
    if (cause instanceof Malformed) return refuse('stage-malformed', cause.message);
    throw cause;
  }
}

export function readDescription(
  hash: HashFunction,
  text: string,
): Verdict<{ id: DescriptionId; description: Description }, 'saga-malformed'> {
  try {
    const description = descriptionOf(parse(text));
    if (writeDescription(description) !== text) {
      return refuse('saga-malformed', 'not in its one form');
    }
    return accept({ id: deriveDescriptionId(hash, text), description });
  } catch (cause) {
    if (cause instanceof Malformed) return refuse('saga-malformed', cause.message);
    throw cause;
  }
}

function stageOf(json: Json): Stage {
  return {
    name: name(json, 'name'),
    behavior: id(json['behavior'], 'behavior'),
    consumes: id(json['consumes'], 'consumes'),
    accesses: list(json, 'accesses', PACTS_OF_STAGE_MAX).map(place),
    produces: list(json, 'produces', PACTS_OF_STAGE_MAX).map(place),
    undo: json['undo'] === null ? null : id(json['undo'], 'undo'),
    binding: list(json, 'binding', CRITERIA_MAX).map((each) => text(each, 'binding', CRITERION)),
    devices: list(json, 'devices', USES_MAX).map((each) => text(each, 'devices', DEVICE_NAME)),
    isClaimed: flag(json, 'claimed'),
    isOutside: flag(json, 'outside'),
    by: json['by'] === null ? null : text(json['by'], 'by', /^.{1,64}$/s),
    when: list(json, 'when', CONDITIONS_MAX).map(condition),
    withinMs: json['within'] === null ? null : integer(json['within'], 'within', WITHIN_MS_MAX),
  };
}

function descriptionOf(json: Json): Description {
  const scope = SCOPES.find((each) => each === json['scope']);
  if (scope === undefined) throw new Malformed(`scope must be one of ${SCOPES.join(', ')}`);
  const stages = list(json, 'stages', STAGES_MAX).map((each) => id(each, 'stages'));
  if (stages.length === 0) throw new Malformed('a Saga has at least one Stage');
  return {
    name: name(json, 'name'),
    initiating: id(json['initiating'], 'initiating'),
    state: place(json['state']),
    stages,
    scope,
    key: json['key'] === null ? null : text(json['key'], 'key', /^.{1,64}$/s),
    when: list(json, 'when', CONDITIONS_MAX).map(condition),
    after: list(json, 'after', AFTER_MAX).map(sequencePlace),
  };
}

function parse(text: string): Json {
  if (text.length > SAGA_TEXT_MAX) throw new Malformed(`more than ${SAGA_TEXT_MAX} characters`);
  try {
    return object(JSON.parse(text), 'the text');
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new Malformed('no JSON');
    throw cause;
  }
}

function object(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new Malformed(`${what} must be an object`);
}

function id(value: unknown, what: string) {
  if (isId(value)) return value;
  throw new Malformed(`${what} must be an id of 64 hex digits`);
}

function name(json: Json, member: string): string {
  return text(json[member], member, SAGA_NAME);
}

function text(value: unknown, what: string, pattern: RegExp): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new Malformed(`${what} must be text like ${pattern.source}`);
}

function flag(json: Json, member: string): boolean {
  const value = json[member];
  if (typeof value === 'boolean') return value;
  throw new Malformed(`${member} must be true or false`);
}

function integer(value: unknown, what: string, max: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max) {
    return value as number;
  }
  throw new Malformed(`${what} must be an integer from 0 to ${max}`);
}

function list(json: Json, member: string, max: number): readonly unknown[] {
  const value = json[member];
  if (Array.isArray(value) && value.length <= max) return value;
  throw new Malformed(`${member} must be a list of at most ${max}`);
}

function placeToJson({ pact, group }: PactPlace): Json {
  return { pact, group };
}

function place(value: unknown): PactPlace {
  const json = object(value, 'a Pact and its group');
  return { pact: id(json['pact'], 'pact'), group: id(json['group'], 'group') };
}

function sequencePlace(value: unknown): SequencePlace {
  const json = object(value, 'a place');
  const sequence = integer(json['sequence'], 'sequence', Number.MAX_SAFE_INTEGER);
  return { group: id(json['group'], 'group'), sequence: sequence as SequencePlace['sequence'] };
}

function condition(value: unknown): Condition {
  if (!Array.isArray(value) || value.length !== 3) {
    throw new Malformed('a condition is a list of field, operator and value');
  }
  const [field, given, wanted] = value as readonly unknown[];
  const operator = OPERATORS.find((each) => each === given);
  if (operator === undefined) throw new Malformed(`operators are ${OPERATORS.join(' ')}`);
  const isValue = ['string', 'boolean'].includes(typeof wanted) || Number.isFinite(wanted);
  if (!isValue || String(wanted).length > 256) throw new Malformed('a condition needs a value');
  return [text(field, 'a field', /^.{1,64}$/s), operator, wanted as string | number | boolean];
}
