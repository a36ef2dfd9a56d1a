import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { OnceWindow } from '../model/once-window.ts';

/**
 * What one Participant says to all others in a hall at once. It draws a key and a pair of keys to
 * sign with for itself, hands them to each of them inside their session, and keeps them in memory
 * alone: who learns the World later reads nothing of it, and none of the others can speak for it.
 *
 * ```
 * offset  bytes  field    meaning
 *      0      8  sender   number of these keys, random
 *      8      8  counter  0, 1, 2...; also the nonce, behind 4 bytes of zeros
 *     16      n  sealed   ChaCha20-Poly1305; the 16 bytes before are authenticated with it
 *   16+n     16  tag
 * ```
 *
 * Sealed are 64 bytes of an Ed25519 signature of `vb1/hall` (16 bytes, padded with zeros), the 16
 * bytes in the clear and what follows the signature: messages, each behind its length in 4 bytes.
 */
export interface HallKeys {
  /** 8 bytes. */
  readonly sender: Uint8Array;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Ed25519, 32 bytes. */
  readonly verifier: Uint8Array;
}

export const SENDER_BYTES = 8;
const HEAD_BYTES = 16;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const LENGTH_BYTES = 4;

/** Beside the messages and their lengths. */
export const HALL_FRAME_BYTES = HEAD_BYTES + SIGNATURE_BYTES + TAG_BYTES;
export const HALL_MESSAGE_BYTES = LENGTH_BYTES;

/** Frames are told from repetitions as far back as this. */
const WINDOW_FRAMES = 1_024;

const ALGORITHM = 'chacha20-poly1305';
const OPTIONS = { authTagLength: TAG_BYTES } as const;
const DOMAIN = Buffer.from('vb1/hall\0\0\0\0\0\0\0\0');

export class HallSeal {
  readonly keys: HallKeys;
  /** Of the next frame: with these keys none comes twice. */
  counter = 0;
  readonly #signer: KeyObject;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.#signer = privateKey;
    const { x = '' } = publicKey.export({ format: 'jwk' });
    this.keys = {
      sender: Uint8Array.from(randomBytes(SENDER_BYTES)),
      key: Uint8Array.from(randomBytes(KEY_BYTES)),
      verifier: Uint8Array.from(Buffer.from(x, 'base64url')),
    };
  }

  seal(messages: readonly Uint8Array[]): Uint8Array {
    const head = Buffer.alloc(HEAD_BYTES);
    head.set(this.keys.sender);
    head.writeBigUInt64BE(BigInt(this.counter), SENDER_BYTES);
    this.counter += 1;
    const said = Buffer.concat(messages.flatMap((each) => [lengthOf(each), each]));
    const signature = sign(null, Buffer.concat([DOMAIN, head, said]), this.#signer);
    const cipher = createCipheriv(ALGORITHM, this.keys.key, nonceOf(head), OPTIONS);
    cipher.setAAD(head, { plaintextLength: SIGNATURE_BYTES + said.length });
    const sealed = [cipher.update(signature), cipher.update(said), cipher.final()];
    return Uint8Array.from(Buffer.concat([head, ...sealed, cipher.getAuthTag()]));
  }
}

/** Opens what one other says. */
export class HallOpener {
  readonly #key: Uint8Array;
  readonly #verifier: KeyObject;
  readonly #window: OnceWindow;

  /** @param next Of the first frame that counts. */
  constructor({ key, verifier }: Pick<HallKeys, 'key' | 'verifier'>, next: number) {
    this.#key = key;
    const x = Buffer.from(verifier).toString('base64url');
    this.#verifier = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    this.#window = new OnceWindow(WINDOW_FRAMES, next);
  }

  /** One above the greatest counter that came. */
  get next(): number {
    return this.#window.next;
  }

  /** @returns the messages; null for what that one did not say, or said before. */
  open(frame: Uint8Array): Uint8Array[] | null {
    if (frame.length < HALL_FRAME_BYTES) return null;
    const head = Buffer.from(frame.subarray(0, HEAD_BYTES));
    const counter = Number(head.readBigUInt64BE(SENDER_BYTES));
    if (!Number.isSafeInteger(counter) || !this.#window.isFresh(counter)) return null;
    const plain = this.#decrypt(head, frame);
    if (plain === null) return null;
    const said = plain.subarray(SIGNATURE_BYTES);
    const signed = Buffer.concat([DOMAIN, head, said]);
    if (!verify(null, signed, this.#verifier, plain.subarray(0, SIGNATURE_BYTES))) return null;
    this.#window.add(counter);
    return messagesIn(said);
  }

  #decrypt(head: Buffer, frame: Uint8Array): Buffer | null {
    const end = frame.length - TAG_BYTES;
    const cipher = createDecipheriv(ALGORITHM, this.#key, nonceOf(head), OPTIONS);
    cipher.setAuthTag(frame.subarray(end));
    cipher.setAAD(head, { plaintextLength: end - HEAD_BYTES });
    const plain = cipher.update(frame.subarray(HEAD_BYTES, end));
    try {
      cipher.final();
    } catch {
      return null; // The only thing that `final` does here is to compare the tag.
    }
    return plain;
  }
}

function lengthOf(message: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(message.length);
  return length;
}

/** @returns null where the lengths are wrong. */
function messagesIn(said: Buffer): Uint8Array[] | null {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < said.length; ) {
    if (said.length - at < LENGTH_BYTES) return null;
    const from = at + LENGTH_BYTES;
    const to = from + said.readUInt32BE(at);
    if (to > said.length) return null;
    messages.push(Uint8Array.from(said.subarray(from, to)));
    at = to;
  }
  return messages;
}

function nonceOf(head: Buffer): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  head.copy(nonce, NONCE_BYTES - SENDER_BYTES, SENDER_BYTES);
  return nonce;
}
