import { type KeyObject, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { ID_BYTES, SIGNATURE_BYTES } from '../model/bytes.ts';
import { invariant } from '../model/invariant.ts';
import type { Verifier } from '../ports/signer.ts';
import { importPublicKey } from './public-key.ts';

/** Keys remembered at once: more than the Avatars of a World that one device talks to. */
const KEYS_MAX = 1024;

/**
 * Is this the canonical form (RFC 8032, 5.1.3) of a point on the curve that is not of small order?
 * node:crypto asks neither: it reads a y above the prime, and under a key of small order one
 * signature holds for many messages.
 *
 * @param publicKey 32 bytes.
 */
export function isSoundKey(publicKey: Uint8Array): boolean {
  try {
    return !ed25519.Point.fromBytes(publicKey, false).isSmallOrder();
  } catch {
    return false; // The library throws for 32 bytes that are no canonical point.
  }
}

/**
 * Verifies Ed25519 with node:crypto, which alone decides on the signature: it takes only an S below
 * the group order and compares R byte for byte (no cofactor), so one signature has one verdict.
 * What was found about a key is kept for the keys used last.
 */
export class Ed25519Verifier implements Verifier {
  readonly #keysMax: number;
  /** By the key's bytes as Latin-1 text, least recently used first; null: refused. */
  readonly #keys = new Map<string, KeyObject | null>();

  constructor(keysMax: number = KEYS_MAX) {
    invariant(Number.isSafeInteger(keysMax) && keysMax > 0, 'at least one key is remembered');
    this.#keysMax = keysMax;
  }

  /** Keys remembered now. */
  get keyCount(): number {
    return this.#keys.size;
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== ID_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    const key = this.#keyOf(publicKey);
    return key !== null && verify(null, message, key, signature);
  }

  #keyOf(publicKey: Uint8Array): KeyObject | null {
    const { buffer, byteOffset, byteLength } = publicKey;
    const name = Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
    const known = this.#keys.get(name);
    const key = known === undefined ? parseKey(publicKey) : known;
    this.#keys.delete(name);
    this.#keys.set(name, key);
    if (this.#keys.size > this.#keysMax) this.#forgetOldest();
    return key;
  }

  #forgetOldest(): void {
    for (const oldest of this.#keys.keys()) {
      this.#keys.delete(oldest);
      return;
    }
  }
}

function parseKey(publicKey: Uint8Array): KeyObject | null {
  return isSoundKey(publicKey) ? importPublicKey('Ed25519', publicKey) : null;
}
