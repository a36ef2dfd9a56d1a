import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';

/**
 * How what crosses a broker is sealed. Every message is 16 bytes in the clear, which look random or
 * count, and a ChaCha20-Poly1305 text: whoever lacks the World learns sizes and times.
 *
 * A note (`NoteSeal`) goes to whoever has the World, under a key of its own:
 *
 * ```
 * offset  bytes  field   meaning
 *      0     16  salt    fresh; the key is HMAC-SHA256(broker key, `vb1/mqtt-note` || salt)
 *     16      n  sealed  nonce 0; the topic is authenticated with it
 *   16+n     16  tag
 * ```
 *
 * A packet (`PacketSeal`, `PacketOpener`) belongs to one link, under a key of its direction:
 *
 * ```
 * offset  bytes  field    meaning
 *      0      8  to       the id that the receiver chose for its end of the link
 *      8      8  counter  0, 1, 2...; also the nonce, behind 4 bytes of zeros
 *     16      n  sealed
 *   16+n     16  tag
 * ```
 */
export const SEAL_HEAD_BYTES = 16;
export const SEAL_TAG_BYTES = 16;
export const LINK_ID_BYTES = 8;
const COUNTER_BYTES = 8;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

const ALGORITHM = 'chacha20-poly1305';
const OPTIONS = { authTagLength: SEAL_TAG_BYTES } as const;
const NOTE_DOMAIN = Buffer.from('vb1/mqtt-note\0\0\0');
const LINK_DOMAIN = Buffer.from('vb1/mqtt-link\0\0\0');
const WHO_DOMAIN = Buffer.from('vb1/mqtt-who\0\0\0\0');
const SALT = 'vertebra 1';
export const WHO_BYTES = 16;

/** The same for one Avatar in all its processes, and nothing to whoever lacks the World. */
export function deriveWho(brokerKey: Uint8Array, avatar: Uint8Array): Uint8Array {
  const whole = createHmac('sha256', brokerKey).update(WHO_DOMAIN).update(avatar).digest();
  return Uint8Array.from(whole.subarray(0, WHO_BYTES));
}

/** Seals for all of the World. */
export class NoteSeal {
  readonly #brokerKey: Uint8Array;

  /** @param brokerKey 32 bytes, derived from the World identifier. */
  constructor(brokerKey: Uint8Array) {
    this.#brokerKey = Uint8Array.from(brokerKey);
  }

  /** @param salt 16 fresh random bytes: a key is used once. */
  seal(topic: string, plain: Uint8Array, salt: Uint8Array): Uint8Array {
    const box = { key: this.#keyOf(salt), nonce: Buffer.alloc(NONCE_BYTES) };
    return encrypt(salt, plain, { ...box, associated: Buffer.from(topic) });
  }

  /** @returns the content, or null for what no member of the World sealed for this topic. */
  open(topic: string, bytes: Uint8Array): Uint8Array | null {
    if (bytes.length < SEAL_HEAD_BYTES + SEAL_TAG_BYTES) return null;
    const key = this.#keyOf(bytes.subarray(0, SEAL_HEAD_BYTES));
    const nonce = Buffer.alloc(NONCE_BYTES);
    return decrypt(bytes, { key, nonce, associated: Buffer.from(topic) });
  }

  #keyOf(salt: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#brokerKey).update(NOTE_DOMAIN).update(salt).digest();
  }
}

/** Both ends of one link: inboxes of 16 bytes, ids of 8. */
export interface LinkEnds {
  readonly openerInbox: Uint8Array;
  readonly acceptorInbox: Uint8Array;
  readonly openerId: Uint8Array;
  readonly acceptorId: Uint8Array;
}

/** Each end adds 8 random bytes, so no old word of another makes a pair of keys twice. */
export function deriveLinkKeys(
  brokerKey: Uint8Array,
  ends: LinkEnds,
): { readonly toAcceptor: Uint8Array; readonly toOpener: Uint8Array } {
  const { openerInbox, acceptorInbox, openerId, acceptorId } = ends;
  const info = Buffer.concat([LINK_DOMAIN, openerInbox, acceptorInbox, openerId, acceptorId]);
  const keys = new Uint8Array(hkdfSync('sha256', brokerKey, SALT, info, 2 * KEY_BYTES));
  return { toAcceptor: keys.slice(0, KEY_BYTES), toOpener: keys.slice(KEY_BYTES) };
}

/** Seals one direction of a link. */
export class PacketSeal {
  /** Of the next packet. */
  counter = 0;
  readonly #key: Uint8Array;
  readonly #to: Uint8Array;

  constructor(key: Uint8Array, to: Uint8Array) {
    this.#key = key;
    this.#to = to;
  }

  seal(plain: Uint8Array): Uint8Array {
    const head = Buffer.alloc(SEAL_HEAD_BYTES);
    head.set(this.#to);
    head.writeBigUInt64BE(BigInt(this.counter), LINK_ID_BYTES);
    this.counter += 1;
    const associated = head.subarray(0, LINK_ID_BYTES);
    return encrypt(head, plain, { key: this.#key, nonce: nonceOf(head), associated });
  }
}

/** Opens the other direction. */
export class PacketOpener {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** @returns counter and content, fresh; null for what the other end did not seal. */
  open(bytes: Uint8Array): { readonly counter: number; readonly plain: Uint8Array } | null {
    if (bytes.length < SEAL_HEAD_BYTES + SEAL_TAG_BYTES) return null;
    const head = Buffer.from(bytes.buffer, bytes.byteOffset, SEAL_HEAD_BYTES);
    const associated = head.subarray(0, LINK_ID_BYTES);
    const plain = decrypt(bytes, { key: this.#key, nonce: nonceOf(head), associated });
    return plain && { counter: Number(head.readBigUInt64BE(LINK_ID_BYTES)), plain };
  }
}

function nonceOf(head: Buffer): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  head.copy(nonce, NONCE_BYTES - COUNTER_BYTES, LINK_ID_BYTES);
  return nonce;
}

interface Box {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly associated: Uint8Array;
}

function encrypt(head: Uint8Array, plain: Uint8Array, box: Box): Uint8Array {
  const cipher = createCipheriv(ALGORITHM, box.key, box.nonce, OPTIONS);
  cipher.setAAD(box.associated, { plaintextLength: plain.length });
  const sealed = new Uint8Array(SEAL_HEAD_BYTES + plain.length + SEAL_TAG_BYTES);
  sealed.set(head);
  sealed.set(cipher.update(plain), SEAL_HEAD_BYTES);
  cipher.final();
  sealed.set(cipher.getAuthTag(), SEAL_HEAD_BYTES + plain.length);
  return sealed;
}

function decrypt(bytes: Uint8Array, box: Box): Uint8Array | null {
  const end = bytes.length - SEAL_TAG_BYTES;
  const cipher = createDecipheriv(ALGORITHM, box.key, box.nonce, OPTIONS);
  cipher.setAuthTag(bytes.subarray(end));
  cipher.setAAD(box.associated, { plaintextLength: end - SEAL_HEAD_BYTES });
  const plain = cipher.update(bytes.subarray(SEAL_HEAD_BYTES, end));
  try {
    cipher.final();
  } catch {
    return null; // The only thing that `final` does here is to compare the tag.
  }
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength);
}
