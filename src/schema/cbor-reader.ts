import type { EntryValue } from '../model/pact.ts';
import { CAUSE_BYTES } from '../model/saga.ts';
import { EntryFault, tooManyItems } from './entry-fault.ts';
import { ENTRY_ITEMS_MAX, type Shape, type ShapeField } from './shape.ts';

/**
 * Reads what `CborWriter` writes and nothing else: led by the shapes, so hostile bytes can neither
 * nest deeper nor claim more items than the Pact permits, and every head must be its shortest.
 */

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const DOUBLE = 0xfb;
/** Up to here a loop over bytes beats the decoder. */
const SHORT_TEXT = 128;
/** Bytes that become one string, of which short texts are parts: a native call each is slow. */
const WINDOW_BYTES = 64 * 1024;

/** Native code of Node's that works on any bytes; only its types ask for a Buffer. */
const { latin1Slice } = Buffer.prototype as Buffer & {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What faults of a cause are said of. */
const CAUSE = '_cause';

const NOTHING = new Uint8Array(0);

export class CborReader {
  private bytes: Uint8Array = NOTHING;
  private at = 0;
  /** Where this Entry ends. */
  private end = 0;
  private items = 0;
  /** Bytes from `windowStart` on, a character each; empty until a text asks for it. */
  private window = '';
  private windowStart = 0;
  private readonly double = new DataView(new ArrayBuffer(8));

  /**
   * Begins with bytes in which Entries lie one after the other; `close` gives them up, for a small
   * Entry may be part of a large payload.
   */
  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.end = 0;
    this.window = '';
    this.windowStart = 0;
  }

  close(): void {
    this.open(NOTHING);
  }

  /**
   * Reads the Entry in the next `length` bytes, which are there.
   *
   * @returns one value per field, null where left out; then the cause, where there is one.
   * @throws EntryFault
   */
  next(length: number, fields: readonly ShapeField[]): EntryValue[] {
    this.at = this.end;
    this.end += length;
    this.items = 0;
    return this.readEntry(fields);
  }

  private readEntry(fields: readonly ShapeField[]): EntryValue[] {
    const count = this.length(ARRAY, '');
    const isCaused = count === fields.length + 1;
    if (!isCaused && count !== fields.length) throw otherCount(count, fields.length, '');
    const values: EntryValue[] = new Array(fields.length);
    for (let index = 0; index < fields.length; index++) {
      values[index] = this.readField(fields[index]!, '');
    }
    if (isCaused) values.push(this.cause());
    if (this.at !== this.end) {
      throw new EntryFault('', `${this.end - this.at} bytes after the last field`);
    }
    return values;
  }

  /** Which Saga produced it: one more item, after those of the Pact. */
  private cause(): Uint8Array {
    const length = this.length(BYTES, CAUSE);
    if (length !== CAUSE_BYTES) throw new EntryFault(CAUSE, `${length} bytes, not ${CAUSE_BYTES}`);
    const start = this.take(length, CAUSE);
    return new Uint8Array(this.bytes.subarray(start, start + length));
  }

  private readField(field: ShapeField, within: string): EntryValue {
    const isNull = this.at < this.end && this.bytes[this.at] === NULL;
    if (!isNull) return this.readValue(field.shape, within + field.name);
    if (!field.optional) throw new EntryFault(within + field.name, 'is required and left out');
    this.at++;
    return null;
  }

  private readValue(shape: Shape, path: string): EntryValue {
    switch (shape.type) {
      case 'string':
        return this.text(path);
      case 'integer':
        return this.integer(path);
      case 'number':
        return this.bytes[this.at] === DOUBLE ? this.readDouble(path) : this.integer(path);
      case 'boolean':
        return this.boolean(path);
      case 'bytes': {
        const length = this.length(BYTES, path);
        const start = this.take(length, path);
        return new Uint8Array(this.bytes.subarray(start, start + length));
      }
      case 'array':
        return this.array(shape, path);
      case 'object':
        return this.object(shape.fields!, path);
      default:
        return shape.type satisfies never;
    }
  }

  private array(shape: Shape, path: string): EntryValue {
    const count = this.length(ARRAY, path);
    if (count > shape.maxItems!) {
      throw new EntryFault(path, `${count} items, at most ${shape.maxItems} permitted`);
    }
    this.items += count;
    if (this.items > ENTRY_ITEMS_MAX) throw tooManyItems(path);
    const values: EntryValue[] = [];
    for (let index = 0; index < count; index++) {
      values.push(this.readValue(shape.items!, `${path}/${index}`));
    }
    return values;
  }

  private object(fields: readonly ShapeField[], path: string): EntryValue {
    this.expectCount(fields.length, path);
    const record: Record<string, EntryValue> = {};
    for (const field of fields) {
      const value = this.readField(field, `${path}/`);
      if (value !== null) record[field.name] = value;
    }
    return record;
  }

  private expectCount(expected: number, path: string): void {
    const count = this.length(ARRAY, path);
    if (count !== expected) throw otherCount(count, expected, path);
  }

  private boolean(path: string): boolean {
    const byte = this.bytes[this.take(1, path)];
    if (byte !== TRUE && byte !== FALSE) throw new EntryFault(path, 'is not true or false');
    return byte === TRUE;
  }

  private readDouble(path: string): number {
    const at = this.take(9, path) + 1;
    this.double.setUint32(0, this.u32(at));
    this.double.setUint32(4, this.u32(at + 4));
    const value = this.double.getFloat64(0);
    if (!Number.isFinite(value)) throw new EntryFault(path, 'is not a finite number');
    if (Number.isSafeInteger(value)) throw new EntryFault(path, 'an integer written as a double');
    return value;
  }

  private integer(path: string): number {
    const major = this.bytes[this.at]! >>> 5;
    if (major === UNSIGNED) return this.length(UNSIGNED, path);
    const argument = this.length(NEGATIVE, path);
    if (argument >= Number.MAX_SAFE_INTEGER) throw new EntryFault(path, 'is below -(2^53 - 1)');
    return -1 - argument;
  }

  private text(path: string): string {
    const length = this.length(TEXT, path);
    const start = this.take(length, path);
    if (length <= SHORT_TEXT) {
      const text = this.shortAscii(start, start + length);
      if (text !== null) return text;
    }
    try {
      return utf8.decode(this.bytes.subarray(start, start + length));
    } catch (cause) {
      if (cause instanceof TypeError) throw new EntryFault(path, 'text is not UTF-8');
      throw cause;
    }
  }

  private shortAscii(start: number, end: number): string | null {
    for (let index = start; index < end; index++) if (this.bytes[index]! > 0x7f) return null;
    if (end - this.windowStart > this.window.length) this.moveWindow(start);
    return this.window.substring(start - this.windowStart, end - this.windowStart);
  }

  /** An Entry that is decoded alone shares its window with no other. */
  private moveWindow(start: number): void {
    this.window = latin1Slice.call(
      this.bytes,
      start,
      Math.min(start + WINDOW_BYTES, this.bytes.length),
    );
    this.windowStart = start;
  }

  /** The argument of the next head, which must be of `major` and in its shortest form. */
  private length(major: number, path: string): number {
    const first = this.bytes[this.take(1, path)]!;
    if (first >>> 5 !== major) {
      throw new EntryFault(path, `CBOR of another kind (first byte 0x${first.toString(16)})`);
    }
    const info = first & 31;
    if (info < 24) return info;
    const value = this.argument(info, path);
    const least = info === 24 ? 24 : info === 25 ? 0x100 : info === 26 ? 0x1_0000 : 0x1_0000_0000;
    if (value < least) throw new EntryFault(path, 'a length or number not in its shortest form');
    return value;
  }

  private argument(info: number, path: string): number {
    if (info === 24) return this.bytes[this.take(1, path)]!;
    if (info === 25) {
      const at = this.take(2, path);
      return this.bytes[at]! * 0x100 + this.bytes[at + 1]!;
    }
    if (info === 26) return this.u32(this.take(4, path));
    if (info !== 27) throw new EntryFault(path, 'CBOR of indefinite length');
    const at = this.take(8, path);
    const value = this.u32(at) * 0x1_0000_0000 + this.u32(at + 4);
    if (!Number.isSafeInteger(value)) throw new EntryFault(path, 'a number above 2^53 - 1');
    return value;
  }

  private u32(at: number): number {
    const { bytes } = this;
    const low = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    return bytes[at]! * 0x100_0000 + low;
  }

  private take(count: number, path: string): number {
    const at = this.at;
    if (at + count > this.end) throw new EntryFault(path, 'the Entry ends too early');
    this.at = at + count;
    return at;
  }
}

function otherCount(count: number, expected: number, path: string): EntryFault {
  return new EntryFault(path, `${count} fields, the Pact has ${expected}`);
}
