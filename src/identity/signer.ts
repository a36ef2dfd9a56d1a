import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { invariant } from '../model/invariant.ts';
import type { Signer } from '../ports/signer.ts';
import { exportPublicKey } from './public-key.ts';
import type { Secret } from './secret.ts';

export const SEED_BYTES = 32;

/** PKCS #8 around a bare Ed25519 seed (RFC 8410, section 7): all but the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Signs with Ed25519 (RFC 8032) on node:crypto. */
export class Ed25519Signer implements Signer {
  readonly publicKey: Uint8Array;
  readonly #key: KeyObject;

  /** @param seed 32 bytes, the private key of RFC 8032. */
  constructor(seed: Secret) {
    invariant(seed.length === SEED_BYTES, 'an Ed25519 seed has 32 bytes');
    const der = Buffer.concat([PKCS8_PREFIX, seed.reveal()]);
    this.#key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    this.publicKey = exportPublicKey(createPublicKey(this.#key));
  }

  sign(message: Uint8Array): Uint8Array {
    // Not a Buffer: its `slice` shares memory, where callers expect a copy.
    return Uint8Array.from(sign(null, message, this.#key));
  }
}
