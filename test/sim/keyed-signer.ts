import * as crypto from 'node:crypto';
import { equalBytes, type HashFunction, toHex32 } from '../../src/model/bytes.ts';
import type { AvatarId } from '../../src/model/sync-group.ts';
import type { Signer, Verifier } from '../../src/ports/signer.ts';

/** SHA-256 by Node; the independent one. */
export const sha256: HashFunction = (message) =>
  new Uint8Array(
    typeof crypto.hash === 'function'
      ? crypto.hash('sha256', message, 'buffer')
      : // Node before 20.12.
        crypto.createHash('sha256').update(message).digest(),
  );

function signatureOf(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const keyed = new Uint8Array(publicKey.length + message.length);
  keyed.set(publicKey);
  keyed.set(message, publicKey.length);
  const half = sha256(keyed);
  const signature = new Uint8Array(64);
  signature.set(half);
  signature.set(half, 32);
  return signature;
}

/** Signs with a keyed hash: nobody in a simulation forges, and it is fast. */
export class KeyedSigner implements Signer {
  readonly publicKey: Uint8Array;
  readonly id: AvatarId;

  constructor(name: string) {
    this.publicKey = sha256(new TextEncoder().encode(name));
    this.id = toHex32(this.publicKey);
  }

  sign(message: Uint8Array): Uint8Array {
    return signatureOf(this.publicKey, message);
  }
}

export const keyedVerifier: Verifier = {
  verify: (publicKey, message, signature) => equalBytes(signature, signatureOf(publicKey, message)),
};
