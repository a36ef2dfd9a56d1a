import { createCipheriv, createDecipheriv } from 'node:crypto';
import { invariant } from '../model/invariant.ts';

export const CIPHER_KEY_BYTES = 32;

/** Bytes that sealing adds. */
export const TAG_BYTES = 16;

const ALGORITHM = 'chacha20-poly1305';
const OPTIONS = { authTagLength: TAG_BYTES } as const;
const NONCE_BYTES = 12;
const EMPTY = new Uint8Array(0);

/** What we count up to. The standard ends at 2^64 - 2; no session of ours lives that long. */
export const NONCE_MAX = Number.MAX_SAFE_INTEGER - 1;

/** Nonce of the rekey function: 2^64 - 1 (Noise, revision 34, 4.2 and 12.3). */
const REKEY_NONCE = new Uint8Array(NONCE_BYTES).fill(0xff, 4);

/**
 * One direction's key and nonce: the CipherState of Noise (revision 34, 5.1), ChaChaPoly.
 * The nonce is 32 zero bits, then 64 bits little-endian (12.3).
 */
export class CipherState {
  #key: Uint8Array;
  #nonce: number;
  readonly #nonceBytes = Buffer.alloc(NONCE_BYTES);

  /**
   * @param key 32 bytes.
   * @param nonce Where to start; only tests start elsewhere than at 0.
   */
  constructor(key: Uint8Array, nonce = 0) {
    invariant(key.length === CIPHER_KEY_BYTES, 'a cipher key has 32 bytes');
    this.#key = Uint8Array.from(key);
    this.#nonce = nonce;
  }

  /** Messages so far, and the nonce of the next. */
  get nonce(): number {
    return this.#nonce;
  }

  /** No nonce is left: neither direction goes on. */
  get isWorn(): boolean {
    return this.#nonce > NONCE_MAX;
  }

  /** @returns what `plain` became, then the tag of 16 bytes; a fresh copy. */
  encrypt(plain: Uint8Array, associated: Uint8Array = EMPTY): Uint8Array {
    invariant(!this.isWorn, 'a cipher state with a nonce left');
    const sealed = encryptOnce(this.#key, this.#bytesOf(this.#nonce), plain, associated);
    this.#nonce += 1;
    return sealed;
  }

  /** @returns the content, a fresh copy, or null if it is not authentic: then nothing changed. */
  decrypt(sealed: Uint8Array, associated: Uint8Array = EMPTY): Uint8Array | null {
    invariant(!this.isWorn, 'a cipher state with a nonce left');
    const plain = decryptOnce(this.#key, this.#bytesOf(this.#nonce), sealed, associated);
    if (plain !== null) this.#nonce += 1;
    return plain;
  }

  /** The same under a nonce that came with the message; the count stays as it is. */
  decryptAt(nonce: number, sealed: Uint8Array): Uint8Array | null {
    return decryptOnce(this.#key, this.#bytesOf(nonce), sealed, EMPTY);
  }

  /** One that goes on from here by itself. */
  copy(): CipherState {
    return new CipherState(this.#key, this.#nonce);
  }

  /** What this one would be after `rekey`. */
  successor(): CipherState {
    const next = this.copy();
    next.rekey();
    return next;
  }

  /** Replaces the key by one that does not lead back to it; the nonce goes on. */
  rekey(): void {
    const sealed = encryptOnce(this.#key, REKEY_NONCE, new Uint8Array(CIPHER_KEY_BYTES), EMPTY);
    this.#key = sealed.slice(0, CIPHER_KEY_BYTES);
  }

  #bytesOf(nonce: number): Uint8Array {
    this.#nonceBytes.writeUInt32LE(nonce % 0x1_0000_0000, 4);
    this.#nonceBytes.writeUInt32LE(Math.floor(nonce / 0x1_0000_0000), 8);
    return this.#nonceBytes;
  }
}

function encryptOnce(
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
  associated: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(ALGORITHM, key, nonce, OPTIONS);
  if (associated.length > 0) cipher.setAAD(associated, { plaintextLength: plain.length });
  const sealed = new Uint8Array(plain.length + TAG_BYTES);
  sealed.set(cipher.update(plain));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plain.length);
  return sealed;
}

function decryptOnce(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associated: Uint8Array,
): Uint8Array | null {
  if (sealed.length < TAG_BYTES) return null;
  const plainBytes = sealed.length - TAG_BYTES;
  const cipher = createDecipheriv(ALGORITHM, key, nonce, OPTIONS);
  cipher.setAuthTag(sealed.subarray(plainBytes));
  if (associated.length > 0) cipher.setAAD(associated, { plaintextLength: plainBytes });
  const plain = cipher.update(sealed.subarray(0, plainBytes));
  try {
    cipher.final();
  } catch {
    return null; // The only thing that `final` does here is to compare the tag.
  }
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength);
}
