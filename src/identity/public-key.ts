import { createPublicKey, type KeyObject } from 'node:crypto';
import { invariant } from '../model/invariant.ts';

export type Curve = 'Ed25519' | 'X25519';

/** @returns the 32 bytes of a public key, a fresh copy. */
export function exportPublicKey(key: KeyObject): Uint8Array {
  const { x } = key.export({ format: 'jwk' });
  invariant(x !== undefined, 'a public key of an Edwards or Montgomery curve has an x');
  return Uint8Array.from(Buffer.from(x, 'base64url'));
}

/**
 * Makes node:crypto's form of a public key. It takes any 32 bytes.
 *
 * By way of JSON Web Key (RFC 8037): measured with Node 20 it takes 13 µs, where DER takes 160.
 */
export function importPublicKey(curve: Curve, bytes: Uint8Array): KeyObject {
  const { buffer, byteOffset, byteLength } = bytes;
  const x = Buffer.from(buffer, byteOffset, byteLength).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x }, format: 'jwk' });
}
