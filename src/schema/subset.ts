import { PactError } from '../ports/pacts.ts';
import {
  DEFAULT_BYTES_MAX,
  DEFAULT_ITEMS_MAX,
  DEFAULT_TEXT_CHARS_MAX,
  ENTRY_ITEMS_MAX,
  ENUM_VALUES_MAX,
  LENGTH_BOUND_MAX,
  LONE_SURROGATE,
  SCHEMA_DEPTH_MAX,
  SCHEMA_FIELDS_MAX,
  type Scalar,
  type Shape,
  type ShapeField,
} from './shape.ts';

/** Reads the permitted subset of JSON Schema 2020-12; whatever is not listed here is refused. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

const FIELD_NAME = /^[a-z][a-z0-9_]{0,47}$/;
const NOTES = ['title', 'description'];
const BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'enum', 'const', 'contentEncoding'],
  bytes: ['contentEncoding', 'minBytes', 'maxBytes'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'enum', 'const'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'enum', 'const'],
  boolean: ['enum', 'const'],
  array: ['items', 'minItems', 'maxItems'],
  object: ['properties', 'required', 'additionalProperties'],
};
const TYPES = ['string', 'integer', 'number', 'boolean', 'array', 'object'];
/** Why a keyword that people try is not there, and what to do instead. */
const ADVICE: Readonly<Record<string, string>> = {
  default: 'an Entry says all it means: leave the field out of "required" instead',
  pattern: 'a crafted pattern can stall every Participant: bound the length, or use "enum"',
  $ref: 'a Pact stands alone: write the schema out, or use "extends" of the Pact',
  format: 'formats are judged differently from tool to tool: for a time use integer milliseconds',
  nullable: 'leave the field out of "required" instead',
};

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function notPermitted(path: string, message: string): PactError {
  return new PactError('PACT_NOT_PERMITTED', path, `${path || '/'}: ${message}`);
}

/** Throws unless every name of `object` is permitted. */
export function checkKeywords(
  object: JsonObject,
  permitted: readonly string[],
  path: string,
): void {
  for (const name of Object.keys(object)) {
    if (permitted.includes(name)) continue;
    const advice = Object.hasOwn(ADVICE, name) ? ` (${ADVICE[name]})` : '';
    throw notPermitted(
      `${path}/${name}`,
      `"${name}" is not permitted here${advice}; permitted: ${permitted.join(', ')}`,
    );
  }
}

/** Text without lone surrogates, which no encoding of Unicode can carry. */
export function readText(value: Json | undefined, path: string): string {
  if (typeof value !== 'string') throw notPermitted(path, 'must be text');
  if (LONE_SURROGATE.test(value)) throw notPermitted(path, 'holds half of a surrogate pair');
  return value;
}

/** The schema of a whole Pact: its fields in the order of `properties`. */
export function readFields(schema: Json | undefined, path: string): readonly ShapeField[] {
  if (!isJsonObject(schema)) {
    throw notPermitted(path, 'must be a JSON Schema: {"type": "object", "properties": {...}}');
  }
  if (schema['type'] !== 'object') throw notPermitted(`${path}/type`, 'must be "object"');
  const { $schema, ...rest } = schema;
  if ($schema !== undefined && $schema !== 'https://json-schema.org/draft/2020-12/schema') {
    throw notPermitted(`${path}/$schema`, 'must be https://json-schema.org/draft/2020-12/schema');
  }
  const shape = new SubsetReader().shape(rest, path, 0);
  return shape.fields ?? [];
}

class SubsetReader {
  private fieldCount = 0;

  shape(schema: Json | undefined, path: string, depth: number): Shape {
    if (depth > SCHEMA_DEPTH_MAX) {
      throw notPermitted(path, `nested deeper than ${SCHEMA_DEPTH_MAX}: flatten it`);
    }
    if (!isJsonObject(schema))
      throw notPermitted(path, 'must be an object such as {"type": "..."}');
    const written = schema['type'];
    if (typeof written !== 'string' || !TYPES.includes(written)) {
      const advice = Array.isArray(written)
        ? '; for a value that may be absent see "required"'
        : '';
      throw notPermitted(`${path}/type`, `must be one of ${TYPES.join(', ')}${advice}`);
    }
    const isBytes = written === 'string' && schema['contentEncoding'] !== undefined;
    if (isBytes && schema['contentEncoding'] !== 'base64') {
      throw notPermitted(`${path}/contentEncoding`, 'must be "base64"');
    }
    const type = (isBytes ? 'bytes' : written) as Shape['type'];
    checkKeywords(schema, ['type', ...NOTES, ...(BY_TYPE[type] ?? [])], path);
    const shape: Mutable<Shape> = { type };
    for (const note of ['title', 'description'] as const) {
      if (schema[note] !== undefined) shape[note] = readText(schema[note], `${path}/${note}`);
    }
    if (type === 'string') readLengths(schema, shape, path);
    if (type === 'bytes') readByteLengths(schema, shape, path);
    if (type === 'integer' || type === 'number') readRange(schema, shape, path);
    if (type === 'array') this.readItems(schema, shape, path, depth);
    if (type === 'object') shape.fields = this.readProperties(schema, path, depth);
    readChoices(schema, shape, path);
    return shape;
  }

  private readItems(schema: JsonObject, shape: Mutable<Shape>, path: string, depth: number): void {
    if (schema['items'] === undefined) throw notPermitted(path, 'an array needs "items"');
    shape.items = this.shape(schema['items'], `${path}/items`, depth + 1);
    setBound(schema, shape, 'minItems', path);
    shape.maxItems = DEFAULT_ITEMS_MAX;
    setBound(schema, shape, 'maxItems', path);
    checkOrder(shape.minItems, shape.maxItems, 'minItems', 'maxItems', path);
  }

  private readProperties(schema: JsonObject, path: string, depth: number): readonly ShapeField[] {
    const { properties, required, additionalProperties } = schema;
    if (additionalProperties !== undefined && additionalProperties !== false) {
      throw notPermitted(
        `${path}/additionalProperties`,
        'must be false or left out: an Entry carries the fields of its Pact and no others',
      );
    }
    if (!isJsonObject(properties) || Object.keys(properties).length === 0) {
      throw notPermitted(`${path}/properties`, 'must name at least one field');
    }
    const names = Object.keys(properties);
    const needed = readNames(required ?? [], `${path}/required`);
    for (const name of needed) {
      if (!names.includes(name)) {
        throw notPermitted(`${path}/required`, `"${name}" is not among ${names.join(', ')}`);
      }
    }
    return names.map((name) => {
      const at = `${path}/properties/${name}`;
      checkFieldName(name, at);
      if (++this.fieldCount > SCHEMA_FIELDS_MAX) {
        throw notPermitted(path, `more than ${SCHEMA_FIELDS_MAX} fields: split the Pact`);
      }
      const shape = this.shape(properties[name], at, depth + 1);
      return { name, optional: !needed.includes(name), shape };
    });
  }
}

function checkFieldName(name: string, path: string): void {
  if (name.startsWith('_')) throw notPermitted(path, 'names that begin with _ are reserved');
  if (name === 'constructor') throw notPermitted(path, '"constructor" is reserved');
  if (!FIELD_NAME.test(name)) {
    throw notPermitted(path, 'a field name is a-z, then a-z, 0-9 or _, at most 48 characters');
  }
}

/** A list of different texts. */
export function readNames(value: Json, path: string): readonly string[] {
  if (!Array.isArray(value)) throw notPermitted(path, 'must be a list of field names');
  const names = value.map((each, index) => readText(each as Json, `${path}/${index}`));
  if (new Set(names).size !== names.length) throw notPermitted(path, 'names a field twice');
  return names;
}

type Bound = 'minLength' | 'maxLength' | 'minBytes' | 'maxBytes' | 'minItems' | 'maxItems';

function setBound(schema: JsonObject, shape: Mutable<Shape>, name: Bound, path: string): void {
  const value = schema[name];
  if (value === undefined) return;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw notPermitted(`${path}/${name}`, 'must be an integer from 0');
  }
  const most = shape.type === 'array' ? ENTRY_ITEMS_MAX : LENGTH_BOUND_MAX;
  if (value > most) throw notPermitted(`${path}/${name}`, `must be at most ${most}`);
  shape[name] = value + 0;
}

function checkOrder(
  low: number | undefined,
  high: number | undefined,
  ...[lowName, highName, path]: readonly [string, string, string]
): void {
  if (low !== undefined && high !== undefined && low > high) {
    throw notPermitted(path, `"${lowName}" ${low} is above "${highName}" ${high}`);
  }
}

function readLengths(schema: JsonObject, shape: Mutable<Shape>, path: string): void {
  shape.maxLength = DEFAULT_TEXT_CHARS_MAX;
  setBound(schema, shape, 'minLength', path);
  setBound(schema, shape, 'maxLength', path);
  checkOrder(shape.minLength, shape.maxLength, 'minLength', 'maxLength', path);
}

function readByteLengths(schema: JsonObject, shape: Mutable<Shape>, path: string): void {
  shape.maxBytes = DEFAULT_BYTES_MAX;
  setBound(schema, shape, 'minBytes', path);
  setBound(schema, shape, 'maxBytes', path);
  checkOrder(shape.minBytes, shape.maxBytes, 'minBytes', 'maxBytes', path);
}

function readRange(schema: JsonObject, shape: Mutable<Shape>, path: string): void {
  for (const name of ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'] as const) {
    const value = schema[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw notPermitted(`${path}/${name}`, 'must be a finite number');
    }
    if (shape.type === 'integer' && !Number.isSafeInteger(value)) {
      throw notPermitted(`${path}/${name}`, 'must be an integer, at most 2^53 - 1 from 0');
    }
    shape[name] = value + 0;
  }
  checkOrder(shape.minimum, shape.maximum, 'minimum', 'maximum', path);
}

function readChoices(schema: JsonObject, shape: Mutable<Shape>, path: string): void {
  if (schema['const'] !== undefined) {
    shape.const = readChoice(schema['const'], shape, `${path}/const`);
  }
  const listed = schema['enum'];
  if (listed === undefined) return;
  if (!Array.isArray(listed) || listed.length === 0 || listed.length > ENUM_VALUES_MAX) {
    throw notPermitted(`${path}/enum`, `must be a list of 1 to ${ENUM_VALUES_MAX} values`);
  }
  const choices = listed.map((each, i) => readChoice(each as Json, shape, `${path}/enum/${i}`));
  if (new Set(choices).size !== choices.length) throw notPermitted(`${path}/enum`, 'repeats one');
  shape.enum = choices;
}

function readChoice(value: Json, shape: Shape, path: string): Scalar {
  const fits = shape.type === 'integer' ? Number.isSafeInteger(value) : typeof value === shape.type;
  if (!fits) throw notPermitted(path, `must be of type ${shape.type}`);
  if (typeof value === 'string') return readText(value, path);
  if (typeof value !== 'number') return value as boolean;
  if (!Number.isFinite(value)) throw notPermitted(path, 'must be finite');
  return value + 0;
}
