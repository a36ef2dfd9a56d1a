import { createHash, hkdfSync } from 'node:crypto';
import { invariant } from '../model/invariant.ts';
import { CipherState } from './cipher-state.ts';

const HASH_BYTES = 32;
const EMPTY = new Uint8Array(0);

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
}

/** The HKDF of Noise (4.3) is that of RFC 5869 with the chaining key as salt and no info. */
function expand(chainingKey: Uint8Array, material: Uint8Array, count: number): Uint8Array[] {
  const bytes = hkdfSync('sha256', material, chainingKey, EMPTY, count * HASH_BYTES);
  return Array.from({ length: count }, (_, index) =>
    new Uint8Array(bytes).slice(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

/** The two ends' keys after the handshake. */
export interface SplitKeys {
  readonly initiatorToResponder: CipherState;
  readonly responderToInitiator: CipherState;
}

/**
 * Chaining key, handshake hash and current cipher: the SymmetricState of Noise (revision 34, 5.2).
 */
export class SymmetricState {
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  /** Null until the first key is mixed in, which a handshake with a psk does before any content. */
  #cipher: CipherState | null = null;

  /** @param protocolName ASCII, such as `Noise_XXpsk3_25519_ChaChaPoly_SHA256`. */
  constructor(protocolName: string) {
    const name = Buffer.from(protocolName, 'ascii');
    const padded = new Uint8Array(HASH_BYTES);
    if (name.length <= HASH_BYTES) padded.set(name);
    this.#hash = name.length <= HASH_BYTES ? padded : sha256(name);
    this.#chainingKey = this.#hash;
  }

  /** Hash of all that was said so far, 32 bytes; at the end it names the session. */
  get hash(): Uint8Array {
    return this.#hash.slice();
  }

  mixHash(data: Uint8Array): void {
    this.#hash = sha256(this.#hash, data);
  }

  mixKey(material: Uint8Array): void {
    const [chainingKey, key] = expand(this.#chainingKey, material, 2);
    this.#chainingKey = chainingKey!;
    this.#cipher = new CipherState(key!);
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [chainingKey, data, key] = expand(this.#chainingKey, material, 3);
    this.#chainingKey = chainingKey!;
    this.mixHash(data!);
    this.#cipher = new CipherState(key!);
  }

  encryptAndHash(plain: Uint8Array): Uint8Array {
    const sealed = this.#keyed().encrypt(plain, this.#hash);
    this.mixHash(sealed);
    return sealed;
  }

  /** @returns the content, or null if it is not authentic: then the handshake is over. */
  decryptAndHash(sealed: Uint8Array): Uint8Array | null {
    const plain = this.#keyed().decrypt(sealed, this.#hash);
    if (plain !== null) this.mixHash(sealed);
    return plain;
  }

  /** One that goes on from here by itself. */
  copy(): SymmetricState {
    const copy = new SymmetricState('');
    copy.#chainingKey = this.#chainingKey;
    copy.#hash = this.#hash;
    copy.#cipher = this.#cipher?.copy() ?? null;
    return copy;
  }

  split(): SplitKeys {
    const [first, second] = expand(this.#chainingKey, EMPTY, 2);
    return {
      initiatorToResponder: new CipherState(first!),
      responderToInitiator: new CipherState(second!),
    };
  }

  #keyed(): CipherState {
    invariant(this.#cipher !== null, 'nothing is sealed before a key is mixed in');
    return this.#cipher;
  }
}
