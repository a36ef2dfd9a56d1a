import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { invariant } from '../model/invariant.ts';
import { exportPublicKey, importPublicKey } from './public-key.ts';
import type { Secret } from './secret.ts';

/** Bytes of an X25519 key, private or public, and of what two ends agree on. */
export const SESSION_KEY_BYTES = 32;

/** PKCS #8 around a bare X25519 key (RFC 8410, section 7): all but the key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** An X25519 key pair (RFC 7748) on node:crypto. */
export class SessionKey {
  readonly publicKey: Uint8Array;
  readonly #privateKey: KeyObject;

  private constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    this.publicKey = exportPublicKey(createPublicKey(privateKey));
  }

  /** A pair for one handshake, from the operating system's generator. */
  static generate(): SessionKey {
    return new SessionKey(generateKeyPairSync('x25519').privateKey);
  }

  /** @param secret 32 bytes; clamped as RFC 7748 says. */
  static fromSecret(secret: Secret): SessionKey {
    invariant(secret.length === SESSION_KEY_BYTES, 'an X25519 key has 32 bytes');
    const der = Buffer.concat([PKCS8_PREFIX, secret.reveal()]);
    return new SessionKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  }

  /**
   * What both ends share.
   * @param publicKey The other end's, 32 bytes, whatever a peer made of them.
   * @returns 32 bytes, or null when the key is of small order (the result would be zero, RFC 7748,
   * 6.1).
   */
  agree(publicKey: Uint8Array): Uint8Array | null {
    invariant(publicKey.length === SESSION_KEY_BYTES, 'an X25519 key has 32 bytes');
    const theirs = importPublicKey('X25519', publicKey);
    try {
      return diffieHellman({ privateKey: this.#privateKey, publicKey: theirs });
    } catch {
      return null; // Two well-formed keys leave OpenSSL one way to fail: the result would be zero.
    }
  }
}
