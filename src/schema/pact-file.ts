import { PACT_NAME, type Pact, PRIORITIES } from '../model/pact.ts';
import type { Availability, QuorumPolicy } from '../model/sync-group.ts';
import { PactError } from '../ports/pacts.ts';
import type { PactBody } from './definition.ts';
import { readRetention } from './retention.ts';
import { SCHEMA_FIELDS_MAX, type ShapeField } from './shape.ts';
import {
  checkKeywords,
  isJsonObject,
  type Json,
  type JsonObject,
  notPermitted,
  readFields,
  readNames,
  readText,
} from './subset.ts';

const MEMBERS = [
  'name',
  'description',
  'extends',
  'schema',
  'key',
  'quorum',
  'availability',
  'retention',
  'priority',
] as const;
const QUORUMS: readonly QuorumPolicy[] = ['two-thirds', 'every-owner', 'strict'];
const AVAILABILITIES: readonly Availability[] = ['entries', 'headers'];
const KEY_TYPES = ['string', 'integer', 'boolean', 'bytes'];
/** Prefixes that user Pacts may not have: internal tables, SQLite's own, built-in Pacts. */
const RESERVED = ['vb_', 'sqlite_', 'vertebra_'];

export interface PactFileContext {
  /** Finds the Pact that `extends` names, by name or id. */
  readonly find: (nameOrId: string) => Pact | undefined;
  /** The fields of a Pact that was found, with their shapes. */
  readonly fieldsOf: (pact: Pact) => readonly ShapeField[];
  /** May the name begin with a reserved prefix? Only for built-in Pacts. */
  readonly builtIn: boolean;
}

/** @throws PactError PACT_NOT_JSON */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new PactError('PACT_NOT_JSON', '', `not JSON: ${detail}`, { cause });
  }
}

/** Checks a parsed Pact file and merges what it extends. @throws PactError */
export function readPactFile(file: Json, context: PactFileContext): PactBody {
  if (!isJsonObject(file)) throw notPermitted('', 'a Pact file is a JSON object');
  checkKeywords(file, MEMBERS, '');
  const name = readPactName(file['name'], context.builtIn);
  const parent = readParent(file['extends'], context);
  const fields = mergeFields(parent, readFields(file['schema'], '/schema'), context);
  return {
    name,
    description: file['description'] === undefined ? '' : readDescription(file),
    extends: parent?.id ?? null,
    fields,
    key: readKey(file['key'], fields, parent),
    quorumPolicy: readChoice(file, 'quorum', QUORUMS) ?? parent?.quorumPolicy ?? 'two-thirds',
    availability: readChoice(file, 'availability', AVAILABILITIES) ?? inherited(parent),
    retention: readRetention(file['retention']) ?? parent?.retention ?? null,
    priority: readChoice(file, 'priority', PRIORITIES) ?? parent?.priority ?? 'normal',
  };
}

function inherited(parent: Pact | undefined): Availability {
  return parent?.availability ?? 'entries';
}

function readDescription(file: JsonObject): string {
  return readText(file['description'], '/description');
}

function readPactName(value: Json | undefined, builtIn: boolean): string {
  const name = readText(value, '/name');
  if (!PACT_NAME.test(name)) {
    throw notPermitted('/name', 'must be a-z, then a-z, 0-9 or _, at most 48 characters');
  }
  const prefix = RESERVED.find((each) => name.startsWith(each));
  if (prefix !== undefined && !builtIn) {
    throw notPermitted('/name', `names that begin with ${prefix} are reserved`);
  }
  return name;
}

function readParent(value: Json | undefined, context: PactFileContext): Pact | undefined {
  if (value === undefined) return undefined;
  const wanted = readText(value, '/extends');
  const parent = context.find(wanted);
  if (parent !== undefined) return parent;
  const message = `no Pact "${wanted}" is known here: add it first, or name it by its id`;
  throw new PactError('PACT_EXTENDS_UNKNOWN', '/extends', message);
}

function mergeFields(
  parent: Pact | undefined,
  own: readonly ShapeField[],
  context: PactFileContext,
): readonly ShapeField[] {
  if (parent === undefined) return own;
  const inheritedFields = context.fieldsOf(parent);
  for (const field of own) {
    if (!inheritedFields.some((each) => each.name === field.name)) continue;
    throw notPermitted(
      `/schema/properties/${field.name}`,
      `"${parent.name}" has this field already and a subtype may not change it: rename it`,
    );
  }
  const fields = [...inheritedFields, ...own];
  if (countFields(fields) > SCHEMA_FIELDS_MAX) {
    throw notPermitted('/schema', `with those of "${parent.name}" more than ${SCHEMA_FIELDS_MAX}`);
  }
  return fields;
}

/** With the fields within fields, as a definition is counted when it is read back. */
function countFields(fields: readonly ShapeField[] = []): number {
  let count = fields.length;
  for (const field of fields) {
    let shape = field.shape;
    while (shape.items !== undefined) shape = shape.items;
    count += countFields(shape.fields);
  }
  return count;
}

function readKey(
  value: Json | undefined,
  fields: readonly ShapeField[],
  parent: Pact | undefined,
): readonly string[] {
  if (value === undefined) return parent?.key ?? [];
  const names = readNames(value, '/key');
  for (const name of names) {
    const field = fields.find((each) => each.name === name);
    if (field === undefined) throw notPermitted('/key', `"${name}" is not a field of this Pact`);
    if (field.optional) throw notPermitted('/key', `"${name}" must be in "required"`);
    if (!KEY_TYPES.includes(field.shape.type)) {
      throw notPermitted(
        '/key',
        `"${name}" is of type ${field.shape.type}; a key is ${KEY_TYPES.join(', ')}`,
      );
    }
  }
  return names;
}

function readChoice<Choice extends string>(
  file: JsonObject,
  member: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = file[member];
  if (value === undefined) return undefined;
  const choice = choices.find((each) => each === value);
  if (choice !== undefined) return choice;
  throw notPermitted(`/${member}`, `must be one of ${choices.join(', ')}`);
}
