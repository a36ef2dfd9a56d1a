import type { BehaviorManifest, PactUse } from '../model/behavior.ts';
import { movesOnce } from '../model/behavior.ts';
import type { Pact } from '../model/pact.ts';
import {
  type Condition,
  type PactPlace,
  SAGA_NAME,
  SCOPES,
  type Scope,
  type Stage,
} from '../model/saga.ts';
import { RequestError } from './face.ts';

/** How names in a Saga file are looked up. */
export interface SagaNames {
  pact(name: string): Pact;
  /** The Sync Group that a Pact's name, or a group's id, means here. */
  place(target: string): PactPlace;
  behavior(name: string): BehaviorManifest & { readonly id: Stage['behavior'] };
}

export interface SagaFileHead {
  readonly name: string;
  readonly initiating: string;
  readonly key: string | null;
  readonly scope: Scope;
  readonly when: readonly Condition[];
  readonly retention: unknown;
  readonly stages: readonly Fields[];
}

type Fields = Readonly<Record<string, unknown>>;

const SAGA_KEYS = ['name', 'initiating', 'key', 'scope', 'when', 'retention', 'stages'];
const STAGE_KEYS = [
  ...['name', 'behavior', 'consumes', 'accesses', 'produces', 'undo', 'binding', 'outside', 'by'],
  ...['when', 'within'],
];

/** @throws RequestError `saga-invalid` */
export function readSagaFile(value: unknown): SagaFileHead {
  const file = fieldsOf(value, 'a Saga', SAGA_KEYS);
  const { name, initiating, key = null, scope = 'invocation', when = [], stages } = file;
  if (typeof name !== 'string' || !SAGA_NAME.test(name)) {
    throw invalid(`name must be text like ${SAGA_NAME.source}`, 'name');
  }
  const found = SCOPES.find((each) => each === scope);
  if (found === undefined) throw invalid(`scope must be one of ${SCOPES.join(', ')}`, 'scope');
  if (typeof initiating !== 'string') throw invalid('initiating must name a Pact', 'initiating');
  if (key !== null && typeof key !== 'string') throw invalid('key must name a field', 'key');
  if (!Array.isArray(stages)) throw invalid('stages must be a list', 'stages');
  return {
    name,
    initiating,
    key,
    scope: found,
    when: listOf<Condition>(when, 'when'),
    retention: file['retention'],
    stages: stages.map((each) => fieldsOf(each, 'a Stage', STAGE_KEYS)),
  };
}

/**
 * A Stage with all that its Behavior says: where its file names no places, those of the Pacts that
 * the Behavior declares.
 */
export function toStage(fields: Fields, names: SagaNames): Stage {
  const { name, behavior, undo = null, by = null, within = null } = fields;
  if (typeof name !== 'string') throw invalid('each Stage has a name', 'stages');
  const at = `Stage ${name}`;
  if (typeof behavior !== 'string') throw invalid(`${at}: behavior must name one`, 'stages');
  const manifest = names.behavior(behavior);
  const [only, ...others] = manifest.consumes;
  const { consumes = others.length === 0 ? only?.name : undefined } = fields;
  if (typeof consumes !== 'string') throw invalid(`${at}: consumes must name a Pact`, 'stages');
  if (by !== null && typeof by !== 'string') throw invalid(`${at}: by must name a field`, 'stages');
  if (within !== null && typeof within !== 'number') {
    throw invalid(`${at}: within must be milliseconds`, 'stages');
  }
  return {
    name,
    behavior: manifest.id,
    consumes: names.pact(consumes).id,
    accesses: placesOf(fields['accesses'], manifest.accesses, names),
    produces: placesOf(fields['produces'], manifest.produces, names),
    undo: undoOf(undo, manifest, names),
    binding: [...new Set([...listOf<string>(fields['binding'] ?? [], at), ...manifest.requires])],
    devices: manifest.devices.map((device) => device.name),
    isClaimed: movesOnce(manifest),
    isOutside: fields['outside'] === true || by !== null,
    by,
    when: listOf<Condition>(fields['when'] ?? [], at),
    withinMs: within,
  };
}

/** Its own `undo` where it has one, another Behavior's where that is named, none where false. */
function undoOf(undo: unknown, manifest: ReturnType<SagaNames['behavior']>, names: SagaNames) {
  if (undo === false) return null;
  if (typeof undo === 'string') return names.behavior(undo).id;
  return manifest.undoes ? manifest.id : null;
}

function placesOf(given: unknown, uses: readonly PactUse[], names: SagaNames): PactPlace[] {
  if (given === undefined) return uses.map((use) => names.place(use.name));
  return listOf<string>(given, 'places').map((each) => names.place(each));
}

function fieldsOf(value: unknown, what: string, keys: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`${what} must be an object`, 'stages');
  }
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown === undefined) return value as Fields;
  throw invalid(`${what} has no ${unknown}; permitted: ${keys.join(', ')}`, unknown);
}

/** Its members are judged with the whole, when it is read back from its one text. */
function listOf<Member>(value: unknown, what: string): readonly Member[] {
  if (Array.isArray(value)) return value as readonly Member[];
  throw invalid(`${what}: must be a list`, what);
}

export function invalid(message: string, where: string): RequestError {
  return new RequestError('saga-invalid', message, { where });
}
