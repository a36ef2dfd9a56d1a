import type { FieldType } from '../model/pact.ts';

/** Bounds of a Pact's schema. What a peer deploys is held to the same ones. */
export const SCHEMA_DEPTH_MAX = 8;
export const SCHEMA_FIELDS_MAX = 256;
export const ENUM_VALUES_MAX = 256;
/** In force where the Pact names no bound of its own; written into its definition. */
export const DEFAULT_TEXT_CHARS_MAX = 64 * 1024;
export const DEFAULT_BYTES_MAX = 64 * 1024;
export const DEFAULT_ITEMS_MAX = 1024;
/** Largest bound that a Pact may name for text and bytes. */
export const LENGTH_BOUND_MAX = 4 * 1024 * 1024;
/** The same for items, and for all items of one Entry: in memory each is far more than a byte. */
export const ENTRY_ITEMS_MAX = 256 * 1024;

/** Half of a surrogate pair: with the `u` flag, whole pairs do not match. */
export const LONE_SURROGATE = /\p{Surrogate}/u;

export type Scalar = string | number | boolean;

/**
 * What one value of an Entry may be: the permitted part of JSON Schema in a form of our own. Only
 * the keywords that belong to `type` are present.
 */
export interface Shape {
  readonly type: FieldType;
  readonly title?: string;
  readonly description?: string;
  readonly enum?: readonly Scalar[];
  readonly const?: Scalar;
  /** Text: Unicode code points. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** Of an array. */
  readonly items?: Shape;
  /** Of an object, in order. */
  readonly fields?: readonly ShapeField[];
}

export interface ShapeField {
  readonly name: string;
  readonly optional: boolean;
  readonly shape: Shape;
}

function boundsText(shape: Shape): string {
  const parts: string[] = [];
  if (shape.minimum !== undefined) parts.push(`at least ${shape.minimum}`);
  if (shape.exclusiveMinimum !== undefined) parts.push(`above ${shape.exclusiveMinimum}`);
  if (shape.maximum !== undefined) parts.push(`at most ${shape.maximum}`);
  if (shape.exclusiveMaximum !== undefined) parts.push(`below ${shape.exclusiveMaximum}`);
  return parts.length === 0 ? '' : `, ${parts.join(' and ')}`;
}

function lengthText(min: number | undefined, max: number | undefined, unit: string): string {
  if (min !== undefined && min === max) return ` of ${max} ${unit}`;
  return min === undefined ? ` of at most ${max} ${unit}` : ` of ${min} to ${max} ${unit}`;
}

/** What is permitted, in words; for messages. */
export function describeShape(shape: Shape): string {
  if (shape.const !== undefined) return `only ${JSON.stringify(shape.const)}`;
  if (shape.enum !== undefined) {
    const shown = shape.enum.slice(0, 12).map((value) => JSON.stringify(value));
    return `one of ${shown.join(', ')}${shape.enum.length > shown.length ? ', ...' : ''}`;
  }
  switch (shape.type) {
    case 'string':
      return `text${lengthText(shape.minLength, shape.maxLength, 'characters')}`;
    case 'bytes':
      return `bytes (or base64 text)${lengthText(shape.minBytes, shape.maxBytes, 'bytes')}`;
    case 'integer':
      return `an integer${boundsText(shape) || ' between -(2^53 - 1) and 2^53 - 1'}`;
    case 'number':
      return `a finite number${boundsText(shape)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return `an array${lengthText(shape.minItems, shape.maxItems, 'items')}`;
    case 'object':
      return `an object with ${shape.fields?.map((field) => field.name).join(', ')}`;
    default:
      return shape.type satisfies never;
  }
}

/** What came, in words and bounded; for messages. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length} items`;
  switch (typeof value) {
    case 'string': {
      const shown = value.length > 40 ? `${value.slice(0, 40)}...` : value;
      return `text of ${value.length} characters ${JSON.stringify(shown)}`;
    }
    case 'number':
      return `the number ${Object.is(value, -0) ? '-0' : value}`;
    case 'boolean':
      return String(value);
    case 'object':
      return 'an object';
    default:
      return typeof value;
  }
}
