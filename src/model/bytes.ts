import { invariant } from './invariant.ts';

/**
 * A SHA-256 digest or an Ed25519 public key in memory: 64 lower-case hex digits. On the wire 32
 * bytes.
 */
export type Hex32 = string & { readonly __shape: 'Hex32' };

/** Computes SHA-256; handed in, because the model imports nothing. */
export type HashFunction = (message: Uint8Array) => Uint8Array;

export const ID_BYTES = 32;
export const SIGNATURE_BYTES = 64;

const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** @returns two lower-case hex digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index++) text += DIGITS[bytes[index]!];
  return text;
}

/** @throws InvariantError unless `bytes` are 32. */
export function toHex32(bytes: Uint8Array): Hex32 {
  invariant(bytes.length === ID_BYTES, `an id has ${ID_BYTES} bytes, not ${bytes.length}`);
  return toHex(bytes) as Hex32;
}

function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  return -1;
}

/** @throws InvariantError unless `text` is lower-case hex of even length. */
export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >>> 1);
  invariant(text.length % 2 === 0, 'hex has an even number of digits');
  for (let index = 0; index < bytes.length; index++) {
    const high = digitOf(text.charCodeAt(index * 2));
    const low = digitOf(text.charCodeAt(index * 2 + 1));
    invariant(high >= 0 && low >= 0, 'hex has the digits 0-9 and a-f');
    bytes[index] = (high << 4) | low;
  }
  return bytes;
}

/** Says whether `text` is the in-memory form of an id. */
export function isHex32(text: string): text is Hex32 {
  return /^[0-9a-f]{64}$/.test(text);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

/** A copy of its own, also of a Buffer, whose `slice` would share memory. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/**
 * Order of ids: by their bytes, which for lower-case hex of one length is the order of the text.
 */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Is the list strictly ascending, so sorted and without duplicates? */
export function isSortedSet(list: readonly string[]): boolean {
  for (let index = 1; index < list.length; index++)
    if (list[index - 1]! >= list[index]!) return false;
  return true;
}
