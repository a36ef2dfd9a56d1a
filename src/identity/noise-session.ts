import { invariant } from '../model/invariant.ts';
import type { OpenedFrame, Session, SessionPeer } from '../ports/session.ts';
import { type CipherState, TAG_BYTES } from './cipher-state.ts';
import { NOISE_MESSAGE_BYTES_MAX } from './handshake.ts';

/** Each direction takes a new key after so many frames: at most 4 GiB under one key. */
export const REKEY_FRAMES = 65_536;

export interface NoiseSessionOptions {
  readonly peer: SessionPeer;
  /** 32 bytes. */
  readonly handshakeHash: Uint8Array;
  readonly sending: CipherState;
  readonly receiving: CipherState;
  /** Both ends must agree on it; only tests choose another than `REKEY_FRAMES`. */
  readonly rekeyFrames?: number;
}

/** Keys are replaced on both ends after the same frame, without a word. */
function rekeyIfDue(cipher: CipherState, rekeyFrames: number): void {
  if (cipher.nonce % rekeyFrames === 0) cipher.rekey();
}

/** Frames under the keys of a finished Noise handshake. */
export class NoiseSession implements Session {
  readonly peer: SessionPeer;
  readonly handshakeHash: Uint8Array;
  readonly sealOverheadBytes = TAG_BYTES;
  readonly maxPlainBytes = NOISE_MESSAGE_BYTES_MAX - TAG_BYTES;
  readonly #sending: CipherState;
  readonly #receiving: CipherState;
  readonly #rekeyFrames: number;

  constructor(options: NoiseSessionOptions) {
    this.peer = options.peer;
    this.handshakeHash = options.handshakeHash;
    this.#sending = options.sending;
    this.#receiving = options.receiving;
    this.#rekeyFrames = options.rekeyFrames ?? REKEY_FRAMES;
  }

  seal(plain: Uint8Array): Uint8Array {
    invariant(plain.length <= this.maxPlainBytes, 'a frame that was split to its bound');
    const frame = this.#sending.encrypt(plain);
    rekeyIfDue(this.#sending, this.#rekeyFrames);
    return frame;
  }

  open(frame: Uint8Array): OpenedFrame {
    if (frame.length < TAG_BYTES) return { ok: false, reason: 'frame-truncated' };
    if (frame.length > NOISE_MESSAGE_BYTES_MAX) return { ok: false, reason: 'frame-too-long' };
    if (this.#receiving.isWorn) return { ok: false, reason: 'session-worn' };
    const plain = this.#receiving.decrypt(frame);
    if (plain === null) return { ok: false, reason: 'frame-forged' };
    rekeyIfDue(this.#receiving, this.#rekeyFrames);
    return { ok: true, plain };
  }
}
