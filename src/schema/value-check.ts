import { Check, Compile, type Validator, type XSchema } from 'typebox/schema';
import type { EntryValue } from '../model/pact.ts';
import { EntryFault } from './entry-fault.ts';
import { describeShape, describeValue, type Shape, type ShapeField } from './shape.ts';

/** Shapes as the schemas that typebox compiles; bytes are a refinement of ours. */
function schemaOf(shape: Shape): XSchema {
  const { type, items, fields, title: _title, description: _text, ...bounds } = shape;
  switch (type) {
    case 'bytes':
      return bytesSchema(shape);
    case 'integer':
      return {
        type,
        ...bounds,
        minimum: Math.max(shape.minimum ?? -Infinity, -Number.MAX_SAFE_INTEGER),
        maximum: Math.min(shape.maximum ?? Infinity, Number.MAX_SAFE_INTEGER),
      } as XSchema;
    case 'array':
      return { type, ...bounds, items: schemaOf(items!) } as XSchema;
    case 'object':
      return objectSchema(fields!);
    default:
      return { type, ...bounds } as XSchema;
  }
}

function bytesSchema({ minBytes = 0, maxBytes = 0 }: Shape): XSchema {
  const check = (value: unknown): boolean =>
    value instanceof Uint8Array && value.length >= minBytes && value.length <= maxBytes;
  return { '~refine': [{ check, error: () => 'bytes' }] } as XSchema;
}

function objectSchema(fields: readonly ShapeField[]): XSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, schemaOf(field.shape)])),
    required: fields.filter((field) => !field.optional).map((field) => field.name),
    additionalProperties: false,
  } as XSchema;
}

/** Says whether values fit the fields of a Pact, and finds words for the first that does not. */
export class ValueCheck {
  private readonly fields: readonly ShapeField[];
  private readonly validator: Validator;
  private readonly parts = new Map<Shape, Validator>();

  constructor(fields: readonly ShapeField[]) {
    this.fields = fields;
    const prefixItems = fields.map((field) => {
      const schema = schemaOf(field.shape);
      return field.optional ? { anyOf: [{ type: 'null' }, schema] } : schema;
    });
    this.validator = Compile({ type: 'array', prefixItems } as XSchema);
  }

  /** @throws EntryFault that names the first field that does not fit. */
  check(values: readonly EntryValue[]): void {
    if (!this.validator.Check(values)) throw this.fault(values);
  }

  private fault(values: readonly EntryValue[]): EntryFault {
    for (const [index, { name, optional, shape }] of this.fields.entries()) {
      const value = values[index] ?? null;
      if (value === null && !optional) {
        return new EntryFault(name, `is required and left out; permitted: ${describeShape(shape)}`);
      }
      if (value !== null && !this.fits(shape, value)) return this.faultIn(shape, value, name);
    }
    return new EntryFault('', 'does not fit its Pact');
  }

  /** Goes down to the innermost value that does not fit. */
  private faultIn(shape: Shape, value: EntryValue, path: string): EntryFault {
    if (shape.type === 'array' && Array.isArray(value)) {
      const items = shape.items!;
      const validator = this.compiled(items);
      const at = value.findIndex((each) => !validator.Check(each));
      if (at >= 0) return this.faultIn(items, value[at] as EntryValue, `${path}/${at}`);
    }
    if (shape.type === 'object' && isRecord(value)) {
      for (const field of shape.fields!) {
        const inner = value[field.name] ?? null;
        const at = `${path}/${field.name}`;
        if (inner === null && field.optional) continue;
        if (inner === null) return new EntryFault(at, 'is required and left out');
        if (!this.fits(field.shape, inner)) return this.faultIn(field.shape, inner, at);
      }
    }
    const message = `is ${describeValue(value)}; permitted: ${describeShape(shape)}`;
    return new EntryFault(path, message);
  }

  private fits(shape: Shape, value: EntryValue): boolean {
    const isScalar = shape.items === undefined && shape.fields === undefined;
    return isScalar ? Check(schemaOf(shape), value) : this.compiled(shape).Check(value);
  }

  /** For what may be long; compiling costs too much for a single scalar. */
  private compiled(shape: Shape): Validator {
    let validator = this.parts.get(shape);
    if (validator === undefined) {
      validator = Compile(schemaOf(shape));
      this.parts.set(shape, validator);
    }
    return validator;
  }
}

export function isRecord(value: unknown): value is { readonly [name: string]: EntryValue } {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}
