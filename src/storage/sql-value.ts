import { type Hex32, toHex32 } from '../model/bytes.ts';
import { invariant } from '../model/invariant.ts';
import type { SqlValue } from './connection.ts';

/** An id as a column of ours holds it. */
export function toBlob(id: Hex32): Uint8Array {
  return Buffer.from(id, 'hex');
}

export function toBlobOrNull(id: Hex32 | null): Uint8Array | null {
  return id === null ? null : toBlob(id);
}

/** Bytes of a column as a plain Uint8Array, which `slice` copies. */
export function toBytes(value: SqlValue | undefined): Uint8Array {
  invariant(value instanceof Uint8Array, 'a column of bytes');
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

export function toId(value: SqlValue | undefined): Hex32 {
  return toHex32(toBytes(value));
}

export function toIdOrNull(value: SqlValue | undefined): Hex32 | null {
  return value === null || value === undefined ? null : toId(value);
}

export function toNumber(value: SqlValue | undefined): number {
  invariant(typeof value === 'number', 'a column of integers');
  return value;
}

export function toText(value: SqlValue | undefined): string {
  invariant(typeof value === 'string', 'a column of text');
  return value;
}
