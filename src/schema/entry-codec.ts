import type { EntryValue, Pact } from '../model/pact.ts';
import type { EntriesVerdict, EntryCodec, EntryVerdict } from '../ports/pacts.ts';
import type { CborReader } from './cbor-reader.ts';
import type { CborWriter } from './cbor-writer.ts';
import { EntryFault } from './entry-fault.ts';
import { nearestNames } from './nearest-names.ts';
import type { Shape, ShapeField } from './shape.ts';
import { isRecord, ValueCheck } from './value-check.ts';

/** Longest an Entry may be unless configured otherwise. */
export const ENTRY_BYTES_MAX = 4 * 1024 * 1024;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What the codecs of one Participant share, so that many Pacts cost little memory. */
export interface CodecParts {
  readonly writer: CborWriter;
  readonly reader: CborReader;
  readonly entryBytesMax: number;
}

export class PactEntryCodec implements EntryCodec {
  readonly pact: Pact;
  private readonly fields: readonly ShapeField[];
  private readonly values: ValueCheck;
  private readonly parts: CodecParts;

  constructor(pact: Pact, fields: readonly ShapeField[], parts: CodecParts) {
    this.pact = pact;
    this.fields = fields;
    this.values = new ValueCheck(fields);
    this.parts = parts;
  }

  encode(entry: Readonly<Record<string, unknown>>): EntryVerdict<Uint8Array> {
    try {
      const values = this.gather(entry);
      this.values.check(values);
      const value = this.parts.writer.write(this.fields, values);
      this.checkLength(value.length);
      return { ok: true, value };
    } catch (cause) {
      return refusal(cause);
    }
  }

  decode(bytes: Uint8Array): EntryVerdict<readonly EntryValue[]> {
    const { reader } = this.parts;
    reader.open(bytes);
    try {
      return { ok: true, value: this.readNext(bytes.length) };
    } catch (cause) {
      return refusal(cause);
    } finally {
      reader.close();
    }
  }

  decodeAll(bytes: Uint8Array, lengths: Uint32Array): EntriesVerdict {
    const { reader } = this.parts;
    const value: (readonly EntryValue[])[] = new Array(lengths.length);
    let index = 0;
    reader.open(bytes);
    try {
      for (; index < lengths.length; index++) value[index] = this.readNext(lengths[index]!);
      return { ok: true, value };
    } catch (cause) {
      return { ...refusal(cause), index };
    } finally {
      reader.close();
    }
  }

  toRecord(values: readonly EntryValue[]): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    this.fields.forEach((field, index) => {
      const value = values[index] ?? null;
      if (value !== null) record[field.name] = toJson(value);
    });
    return record;
  }

  private readNext(length: number): EntryValue[] {
    this.checkLength(length);
    const values = this.parts.reader.next(length, this.fields);
    this.values.check(values);
    return values;
  }

  private checkLength(length: number): void {
    const { entryBytesMax } = this.parts;
    if (length <= entryBytesMax) return;
    const message = `an Entry has at most ${entryBytesMax} bytes, this one ${length}`;
    throw new EntryFault('', message);
  }

  /** The values in field order, in the form in which they are checked and written. */
  private gather(entry: Readonly<Record<string, unknown>>): EntryValue[] {
    if (!isRecord(entry)) throw new EntryFault('', 'an Entry is an object of fields and values');
    const { fields } = this;
    const values: EntryValue[] = new Array(fields.length);
    let present = 0;
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index]!;
      const value = entry[field.name];
      if (value !== undefined) present++;
      values[index] = normalize(field.shape, value, field.name);
    }
    if (Object.keys(entry).length !== present) this.refuseUnknown(entry);
    return values;
  }

  private refuseUnknown(entry: Readonly<Record<string, unknown>>): void {
    const names = namesOf(this.fields);
    const unknown = Object.keys(entry).find((name) => !names.includes(name));
    if (unknown !== undefined) throw unknownField(unknown, names, '');
  }
}

function unknownField(name: string, names: readonly string[], within: string): EntryFault {
  const shown = name.length > 64 ? `${name.slice(0, 64)}...` : name;
  const near = nearestNames(name, names).join(', ');
  return new EntryFault(`${within}${shown}`, `is no field of this Pact; permitted: ${near}`);
}

/** Turns -0 to 0, base64 text to bytes, undefined to null; copies arrays and objects. */
function normalize(shape: Shape, value: unknown, path: string): EntryValue {
  if (value === undefined) return null;
  switch (shape.type) {
    case 'integer':
    case 'number':
      return value === 0 ? 0 : (value as EntryValue);
    case 'bytes':
      return typeof value === 'string' ? fromBase64(value) : (value as EntryValue);
    case 'array':
      if (!Array.isArray(value)) return value as EntryValue;
      return Array.from(value, (each, index) => normalize(shape.items!, each, `${path}/${index}`));
    case 'object':
      return isRecord(value) ? normalizeObject(shape.fields!, value, path) : (value as EntryValue);
    default:
      return value as EntryValue;
  }
}

function normalizeObject(
  fields: readonly ShapeField[],
  value: { readonly [name: string]: EntryValue },
  path: string,
): EntryValue {
  const record: Record<string, EntryValue> = {};
  for (const name of Object.keys(value)) {
    const field = fields.find((each) => each.name === name);
    if (field === undefined) throw unknownField(name, namesOf(fields), `${path}/`);
    const normal = normalize(field.shape, value[name], `${path}/${name}`);
    if (normal !== null) record[name] = normal;
  }
  return record;
}

function namesOf(fields: readonly ShapeField[]): string[] {
  return fields.map((field) => field.name);
}

/** Text that is not base64 stays as it is, for the check to refuse. */
function fromBase64(text: string): EntryValue {
  return BASE64.test(text) ? new Uint8Array(Buffer.from(text, 'base64')) : text;
}

function toJson(value: EntryValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(toJson);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toJson(each)]));
}

function refusal(cause: unknown): { ok: false; field: string; message: string } {
  if (!(cause instanceof EntryFault)) throw cause;
  return { ok: false, field: cause.field, message: cause.message };
}
