import { fromHex, type Hex32, ID_BYTES, toHex32 } from './bytes.ts';
import { invariant } from './invariant.ts';

/** Bytes of a domain prefix: ASCII, padded with zeros. It names the format and its version. */
export const DOMAIN_BYTES = 16;

/** Thrown inside a decoder and turned into a verdict by `decoding`. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
}

/** Makes the 16-byte prefix of everything hashed or signed in one format. */
export function domainOf(name: string): Uint8Array {
  invariant(name.length <= DOMAIN_BYTES, `domain ${name} is longer than ${DOMAIN_BYTES}`);
  const bytes = new Uint8Array(DOMAIN_BYTES);
  for (let index = 0; index < name.length; index++) bytes[index] = name.charCodeAt(index);
  return bytes;
}

/** Appends fields to a buffer that grows. Integers are big-endian. */
export class ByteWriter {
  private bytes: Uint8Array;
  private view: DataView;
  private length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  private claim(count: number): number {
    const at = this.length;
    if (at + count > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, at + count));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    this.length = at + count;
    return at;
  }

  u8(value: number): this {
    invariant(Number.isInteger(value) && value >= 0 && value <= 0xff, 'u8 in range');
    const at = this.claim(1); // May change the view.
    this.view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    invariant(Number.isInteger(value) && value >= 0 && value <= 0xffff, 'u16 in range');
    const at = this.claim(2); // May change the view.
    this.view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    invariant(Number.isInteger(value) && value >= 0 && value <= 0xffffffff, 'u32 in range');
    const at = this.claim(4); // May change the view.
    this.view.setUint32(at, value);
    return this;
  }

  /** A safe integer, so below 2^53, in eight bytes. */
  u64(value: number): this {
    invariant(Number.isSafeInteger(value) && value >= 0, 'u64 is a safe integer');
    const at = this.claim(8);
    this.view.setUint32(at, Math.floor(value / 0x1_0000_0000));
    this.view.setUint32(at + 4, value >>> 0);
    return this;
  }

  raw(value: Uint8Array): this {
    const at = this.claim(value.length);
    this.bytes.set(value, at);
    return this;
  }

  id(value: Hex32): this {
    return this.raw(fromHex(value));
  }

  /** 32 zero bytes stand for none: no SHA-256 digest that anybody can find is zero. */
  idOrNone(value: Hex32 | null): this {
    if (value !== null) return this.id(value);
    this.claim(ID_BYTES);
    return this;
  }

  /** Length as u16, then the bytes. */
  shortBytes(value: Uint8Array): this {
    return this.u16(value.length).raw(value);
  }

  /** Length as u32, then the bytes. */
  longBytes(value: Uint8Array): this {
    return this.u32(value.length).raw(value);
  }

  /** @returns a copy of what was written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Reads fields back; every read is checked against the end. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private offset = 0;

  constructor(bytes: Uint8Array) {
    // A plain view: the `slice` of a Buffer would share memory with whoever reuses it.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private take(count: number): number {
    const at = this.offset;
    if (at + count > this.bytes.length) {
      throw new CodecError(`ends at byte ${this.bytes.length}, ${at + count} needed`);
    }
    this.offset = at + count;
    return at;
  }

  get position(): number {
    return this.offset;
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  u16(): number {
    return this.view.getUint16(this.take(2));
  }

  u32(): number {
    return this.view.getUint32(this.take(4));
  }

  u64(): number {
    const at = this.take(8);
    const value = this.view.getUint32(at) * 0x1_0000_0000 + this.view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) throw new CodecError('an integer is above 2^53 - 1');
    return value;
  }

  /** A u16 count that may not pass `max`: checked before anything is allocated for it. */
  count(max: number): number {
    const value = this.u16();
    if (value > max) throw new CodecError(`count ${value}, at most ${max}`);
    return value;
  }

  /** @returns a copy. */
  raw(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.slice(at, at + length);
  }

  id(): Hex32 {
    const at = this.take(ID_BYTES);
    return toHex32(this.bytes.subarray(at, at + ID_BYTES));
  }

  idOrNone(): Hex32 | null {
    const id = this.id();
    return /^0+$/.test(id) ? null : id;
  }

  shortBytes(max: number): Uint8Array {
    const length = this.u16();
    if (length > max) throw new CodecError(`${length} bytes, at most ${max}`);
    return this.raw(length);
  }

  longBytes(max: number): Uint8Array {
    const length = this.u32();
    if (length > max) throw new CodecError(`${length} bytes, at most ${max}`);
    return this.raw(length);
  }

  domain(expected: Uint8Array): void {
    const at = this.take(DOMAIN_BYTES);
    for (let index = 0; index < DOMAIN_BYTES; index++) {
      if (this.bytes[at + index] !== expected[index]) throw new CodecError('another format');
    }
  }

  end(): void {
    if (this.remaining > 0) throw new CodecError(`${this.remaining} bytes too many`);
  }
}

/** Runs a decoder; what does not decode is a value, never a throw. Bugs of ours still throw. */
export function decoding<Value>(
  bytes: Uint8Array,
  read: (reader: ByteReader) => Value,
): { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly detail: string } {
  const reader = new ByteReader(bytes);
  try {
    const value = read(reader);
    reader.end();
    return { ok: true, value };
  } catch (cause) {
    if (cause instanceof CodecError) return { ok: false, detail: cause.message };
    throw cause;
  }
}
