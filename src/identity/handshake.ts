import { concatBytes } from '../model/bytes.ts';
import { invariant } from '../model/invariant.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { HandshakeRefusal } from '../ports/session.ts';
import { TAG_BYTES } from './cipher-state.ts';
import type { Secret } from './secret.ts';
import { SESSION_KEY_BYTES, SessionKey } from './session-key.ts';
import { type SplitKeys, SymmetricState } from './symmetric-state.ts';

export const PROTOCOL_NAME = 'Noise_XXpsk3_25519_ChaChaPoly_SHA256';

/** No Noise message is longer (revision 34, 3). */
export const NOISE_MESSAGE_BYTES_MAX = 65_535;

export type Role = 'initiator' | 'responder';
type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'psk';

/** The pattern XXpsk3 (7.5 and 9.4); the initiator writes the first and the third. */
const PATTERN: readonly (readonly Token[])[] = [['e'], ['e', 'ee', 's', 'es'], ['s', 'se', 'psk']];

export interface HandshakeOptions {
  readonly role: Role;
  /** What both ends must hold alike beforehand. */
  readonly prologue: Uint8Array;
  /** 32 bytes. */
  readonly psk: Secret;
  readonly sessionStatic: SessionKey;
  /** Makes the key of this one handshake; only tests bring their own. */
  readonly newEphemeral?: () => SessionKey;
}

/**
 * What a message carries besides keys: bytes, or what makes them of the handshake hash as it stands
 * just before, so that a payload can vouch for all that was said.
 */
export type Payload = Uint8Array | ((transcript: Uint8Array) => Uint8Array);

export interface ReadMessage {
  readonly payload: Uint8Array;
  /** Handshake hash just before the payload, 32 bytes. */
  readonly transcript: Uint8Array;
}

export interface HandshakeResult extends SplitKeys {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** The other end's proven X25519 key, 32 bytes. */
  readonly remoteStatic: Uint8Array;
}

/** Bytes of message 0, 1 or 2 that are not payload, the payload's tag included. */
export function messageOverheadBytes(index: number): number {
  const tokens = PATTERN[index];
  invariant(tokens !== undefined, 'a message of the pattern');
  let bytes = TAG_BYTES;
  for (const token of tokens) {
    if (token === 'e') bytes += SESSION_KEY_BYTES;
    if (token === 's') bytes += SESSION_KEY_BYTES + TAG_BYTES;
  }
  return bytes;
}

/**
 * Noise_XXpsk3_25519_ChaChaPoly_SHA256: the HandshakeState of Noise (revision 34, 5.3). It sends
 * nothing and knows no World: three messages, then keys. After a refusal it takes no more.
 */
export class Handshake {
  readonly #options: HandshakeOptions;
  #state = new SymmetricState(PROTOCOL_NAME);
  #next = 0;
  #failure: HandshakeRefusal | null = null;
  #ephemeral: SessionKey | null = null;
  #remoteEphemeral: Uint8Array | null = null;
  #remoteStatic: Uint8Array | null = null;

  constructor(options: HandshakeOptions) {
    invariant(options.psk.length === 32, 'a pre-shared key has 32 bytes');
    this.#options = options;
    this.#state.mixHash(options.prologue);
  }

  /** One that goes on from here by itself: to try a message that may be none of the peer's. */
  copy(): Handshake {
    const copy = new Handshake(this.#options);
    copy.#state = this.#state.copy();
    copy.#next = this.#next;
    copy.#failure = this.#failure;
    copy.#ephemeral = this.#ephemeral;
    copy.#remoteEphemeral = this.#remoteEphemeral;
    copy.#remoteStatic = this.#remoteStatic;
    return copy;
  }

  get isComplete(): boolean {
    return this.#next === PATTERN.length && this.#failure === null;
  }

  /** Is it this end's turn to write? */
  get isWriter(): boolean {
    return (this.#next % 2 === 0) === (this.#options.role === 'initiator');
  }

  /** @returns the next message, or what is wrong with a key that the peer sent before. */
  writeMessage(payload: Payload): Verdict<Uint8Array, HandshakeRefusal> {
    const tokens = this.#take(true);
    if (tokens === null) return this.#refuse('handshake-over');
    const parts: Uint8Array[] = [];
    for (const token of tokens) {
      if (token === 'e') parts.push(this.#writeEphemeral());
      else if (token === 's') {
        parts.push(this.#state.encryptAndHash(this.#options.sessionStatic.publicKey));
      } else if (!this.#mix(token)) return this.#refuse('handshake-small-order');
    }
    const content = typeof payload === 'function' ? payload(this.#state.hash) : payload;
    const message = concatBytes(...parts, this.#state.encryptAndHash(content));
    invariant(message.length <= NOISE_MESSAGE_BYTES_MAX, 'a Noise message within its bound');
    return accept(message);
  }

  /** @param message From the peer; no reference to it is kept. */
  readMessage(message: Uint8Array): Verdict<ReadMessage, HandshakeRefusal> {
    const index = this.#next;
    const tokens = this.#take(false);
    if (tokens === null) return this.#refuse('handshake-over');
    if (message.length > NOISE_MESSAGE_BYTES_MAX) return this.#refuse('handshake-too-long');
    if (message.length < messageOverheadBytes(index)) return this.#refuse('handshake-truncated');
    let offset = 0;
    for (const token of tokens) {
      if (token === 'e') {
        offset += this.#readEphemeral(message);
      } else if (token === 's') {
        const end = offset + SESSION_KEY_BYTES + TAG_BYTES;
        this.#remoteStatic = this.#state.decryptAndHash(message.subarray(offset, end));
        if (this.#remoteStatic === null) return this.#refuse('handshake-forged');
        offset = end;
      } else if (!this.#mix(token)) return this.#refuse('handshake-small-order');
    }
    const transcript = this.#state.hash;
    const payload = this.#state.decryptAndHash(message.subarray(offset));
    return payload === null ? this.#refuse('handshake-forged') : accept({ payload, transcript });
  }

  /** The keys, once all three messages are through. */
  finish(): HandshakeResult {
    invariant(this.isComplete && this.#remoteStatic !== null, 'a handshake that is complete');
    return { ...this.#state.split(), hash: this.#state.hash, remoteStatic: this.#remoteStatic };
  }

  /** Whose turn is our caller's own business; what comes after a failure is the peer's. */
  #take(writes: boolean): readonly Token[] | null {
    const tokens = PATTERN[this.#next];
    if (this.#failure !== null || tokens === undefined) return null;
    invariant(this.isWriter === writes, 'the ends of a handshake write in turn');
    this.#next += 1;
    return tokens;
  }

  #refuse<Reason extends HandshakeRefusal>(reason: Reason) {
    this.#failure = reason;
    return refuse(reason);
  }

  #writeEphemeral(): Uint8Array {
    this.#ephemeral = (this.#options.newEphemeral ?? SessionKey.generate)();
    this.#mixEphemeral(this.#ephemeral.publicKey);
    return this.#ephemeral.publicKey;
  }

  #readEphemeral(message: Uint8Array): number {
    this.#remoteEphemeral = Uint8Array.from(message.subarray(0, SESSION_KEY_BYTES));
    this.#mixEphemeral(this.#remoteEphemeral);
    return SESSION_KEY_BYTES;
  }

  /** With a pre-shared key an ephemeral key also goes into the chaining key (9.2). */
  #mixEphemeral(publicKey: Uint8Array): void {
    this.#state.mixHash(publicKey);
    this.#state.mixKey(publicKey);
  }

  /** @returns false when the peer's key is of small order. */
  #mix(token: 'ee' | 'es' | 'se' | 'psk'): boolean {
    if (token === 'psk') {
      this.#state.mixKeyAndHash(this.#options.psk.reveal());
      return true;
    }
    const shared = this.#agree(token);
    if (shared === null) return false;
    this.#state.mixKey(shared);
    return true;
  }

  /** First letter: the initiator's key, second: the responder's. */
  #agree(token: 'ee' | 'es' | 'se'): Uint8Array | null {
    const initiates = this.#options.role === 'initiator';
    const ours = initiates ? token[0] : token[1];
    const theirs = initiates ? token[1] : token[0];
    const key = ours === 'e' ? this.#ephemeral : this.#options.sessionStatic;
    const publicKey = theirs === 'e' ? this.#remoteEphemeral : this.#remoteStatic;
    invariant(key !== null && publicKey !== null, 'a pattern that sends keys before it uses them');
    return key.agree(publicKey);
  }
}
