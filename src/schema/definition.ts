import {
  compareText,
  concatBytes,
  type HashFunction,
  type Hex32,
  isHex32,
  toHex32,
} from '../model/bytes.ts';
import { domainOf } from '../model/codec.ts';
import { PACT_BYTES_MAX, type Pact, type Priority, type Retention } from '../model/pact.ts';
import type { Availability, PactId, QuorumPolicy } from '../model/sync-group.ts';
import { PactError } from '../ports/pacts.ts';
import { retentionToJson } from './retention.ts';
import { SCHEMA_DEPTH_MAX, type Shape, type ShapeField } from './shape.ts';
import { isJsonObject, type Json, type JsonObject, notPermitted } from './subset.ts';

/** A Pact with the shapes of its fields, before it has an id. */
export interface PactBody {
  readonly name: string;
  readonly description: string;
  readonly extends: PactId | null;
  readonly fields: readonly ShapeField[];
  readonly key: readonly string[];
  readonly quorumPolicy: QuorumPolicy;
  readonly availability: Availability;
  readonly retention: Retention | null;
  readonly priority: Priority;
}

const DOMAIN = domainOf('vb1/pact');
const FORMAT_VERSION = 1;

/** JSON as RFC 8785 has it: names sorted, no space between, numbers in their shortest form. */
function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${value.map((each) => canonicalJson(each as Json)).join(',')}]`;
  const object = value as JsonObject;
  const members = Object.keys(object)
    .sort(compareText)
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(object[name] as Json)}`);
  return `{${members.join(',')}}`;
}

function fieldsToJson(fields: readonly ShapeField[]): Json {
  return fields.map(({ name, optional, shape }) => ({
    name,
    optional,
    schema: shapeToJson(shape),
  }));
}

function shapeToJson(shape: Shape): JsonObject {
  const { type, items, fields, ...keywords } = shape;
  return {
    ...(keywords as JsonObject),
    ...(type === 'bytes' ? { type: 'string', contentEncoding: 'base64' } : { type }),
    ...(items === undefined ? {} : { items: shapeToJson(items) }),
    ...(fields === undefined ? {} : { properties: fieldsToJson(fields) }),
  };
}

/**
 * The one text of a Pact. Fields are lists, because their order is the order of an Entry and the
 * names of a JSON object have none.
 *
 * @throws PactError if it is longer than a Pact may be.
 */
export function writeDefinition(body: PactBody): string {
  const text = canonicalJson({
    availability: body.availability,
    description: body.description,
    extends: body.extends,
    fields: fieldsToJson(body.fields),
    key: body.key,
    name: body.name,
    quorum: body.quorumPolicy,
    // Left out where it says nothing, so that such Pacts keep their ids.
    ...(body.priority === 'normal' ? {} : { priority: body.priority }),
    ...(body.retention === null ? {} : { retention: retentionToJson(body.retention) }),
    version: FORMAT_VERSION,
  });
  checkLength(text);
  return text;
}

export function checkLength(text: string): void {
  const length = text.length > PACT_BYTES_MAX ? text.length : Buffer.byteLength(text);
  if (length > PACT_BYTES_MAX) {
    const message = `a Pact has at most ${PACT_BYTES_MAX} bytes, this one ${length}: shorten it`;
    throw new PactError('PACT_TOO_LONG', '', message);
  }
}

/** Pact id: SHA-256 of the domain and the definition in UTF-8. */
export function derivePactId(hash: HashFunction, definition: string): PactId {
  return toHex32(hash(concatBytes(DOMAIN, new TextEncoder().encode(definition))));
}

export function sealPact(hash: HashFunction, body: PactBody): Pact {
  const definition = writeDefinition(body);
  return {
    id: derivePactId(hash, definition),
    name: body.name,
    description: body.description,
    fields: body.fields.map(({ name, optional, shape }) => ({ name, type: shape.type, optional })),
    key: body.key,
    extends: body.extends,
    quorumPolicy: body.quorumPolicy,
    availability: body.availability,
    retention: body.retention,
    priority: body.priority,
    definition,
  };
}

function fieldsFromJson(fields: Json | undefined, path: string, depth: number): JsonObject {
  if (!Array.isArray(fields)) throw notPermitted(path, 'must be a list of fields');
  if (depth > SCHEMA_DEPTH_MAX) throw notPermitted(path, 'nested too deep');
  const properties: Record<string, Json> = {};
  const required: string[] = [];
  fields.forEach((field: Json, index) => {
    const at = `${path}/${index}`;
    if (!isJsonObject(field) || typeof field['name'] !== 'string') {
      throw notPermitted(at, 'must be {"name": ..., "optional": ..., "schema": ...}');
    }
    if (Object.hasOwn(properties, field['name'])) throw notPermitted(at, 'a field stands twice');
    properties[field['name']] = shapeFromJson(field['schema'], `${at}/schema`, depth);
    if (field['optional'] !== true) required.push(field['name']);
  });
  return { type: 'object', properties, required };
}

function shapeFromJson(shape: Json | undefined, path: string, depth: number): Json {
  if (!isJsonObject(shape)) throw notPermitted(path, 'must be an object');
  if (depth > SCHEMA_DEPTH_MAX) throw notPermitted(path, 'nested too deep');
  const { items, properties, ...rest } = shape;
  return {
    ...rest,
    ...(items === undefined ? {} : { items: shapeFromJson(items, `${path}/items`, depth + 1) }),
    ...(properties === undefined
      ? {}
      : fieldsFromJson(properties, `${path}/properties`, depth + 1)),
  };
}

/**
 * Turns a parsed definition back into the form of a Pact file with everything written out, so that
 * one reader judges both. `extends` is handed back apart: its fields are already merged.
 *
 * @throws PactError
 */
export function definitionToFile(parsed: Json): { file: JsonObject; extends: Hex32 | null } {
  if (!isJsonObject(parsed)) throw notPermitted('', 'a definition is a JSON object');
  if (parsed['version'] !== FORMAT_VERSION) {
    throw notPermitted('/version', `must be ${FORMAT_VERSION}: this Pact needs another vertebra`);
  }
  const parent = parsed['extends'] ?? null;
  if (parent !== null && (typeof parent !== 'string' || !isHex32(parent))) {
    throw notPermitted('/extends', 'must be a Pact id or null');
  }
  const { version: _version, extends: _extends, fields, ...rest } = parsed;
  return { file: { ...rest, schema: fieldsFromJson(fields, '/fields', 0) }, extends: parent };
}
