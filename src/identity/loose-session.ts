import { invariant } from '../model/invariant.ts';
import { OnceWindow } from '../model/once-window.ts';
import type { OpenedFrame, Session, SessionPeer } from '../ports/session.ts';
import { type CipherState, NONCE_MAX, TAG_BYTES } from './cipher-state.ts';
import { NOISE_MESSAGE_BYTES_MAX } from './handshake.ts';
import { type NoiseSessionOptions, REKEY_FRAMES } from './noise-session.ts';

/** In front of each frame, big-endian: which nonce it was sealed with. */
export const COUNTER_BYTES = 8;

/** So far may a frame lag behind the newest one. */
export const REPLAY_WINDOW_FRAMES = 1_024;

const OVERHEAD_BYTES = COUNTER_BYTES + TAG_BYTES;

/**
 * Frames under the keys of a finished Noise handshake, over a link that loses them, or on which
 * they overtake each other: each says its own number, and is accepted once.
 *
 * ```
 * offset  bytes  field    meaning
 *      0      8  counter  big-endian; the nonce
 *      8      n  sealed   content, then a tag of 16 bytes
 * ```
 * The key changes after every `rekeyFrames` counters, as it does in a session over an ordered link.
 */
export class LooseSession implements Session {
  readonly peer: SessionPeer;
  readonly handshakeHash: Uint8Array;
  readonly sealOverheadBytes = OVERHEAD_BYTES;
  readonly maxPlainBytes = NOISE_MESSAGE_BYTES_MAX - OVERHEAD_BYTES;
  readonly #sending: CipherState;
  readonly #rekeyFrames: number;
  readonly #window: OnceWindow;
  /** Keys of the newest frames' stretch of counters, of the one before, and of the one after. */
  #stretch: number;
  #previous: CipherState | null = null;
  #current: CipherState;
  #following: CipherState;

  constructor(options: NoiseSessionOptions) {
    const { receiving } = options;
    this.peer = options.peer;
    this.handshakeHash = options.handshakeHash;
    this.#sending = options.sending;
    this.#rekeyFrames = options.rekeyFrames ?? REKEY_FRAMES;
    invariant(this.#rekeyFrames >= REPLAY_WINDOW_FRAMES, 'a window lies on two keys at most');
    this.#window = new OnceWindow(REPLAY_WINDOW_FRAMES, receiving.nonce);
    this.#stretch = Math.floor(receiving.nonce / this.#rekeyFrames);
    this.#current = receiving;
    this.#following = receiving.successor();
  }

  seal(plain: Uint8Array): Uint8Array {
    invariant(plain.length <= this.maxPlainBytes, 'a frame that was split to its bound');
    const frame = new Uint8Array(OVERHEAD_BYTES + plain.length);
    writeCounter(frame, this.#sending.nonce);
    frame.set(this.#sending.encrypt(plain), COUNTER_BYTES);
    if (this.#sending.nonce % this.#rekeyFrames === 0) this.#sending.rekey();
    return frame;
  }

  open(frame: Uint8Array): OpenedFrame {
    if (frame.length < OVERHEAD_BYTES) return { ok: false, reason: 'frame-truncated' };
    if (frame.length > NOISE_MESSAGE_BYTES_MAX) return { ok: false, reason: 'frame-too-long' };
    const counter = readCounter(frame);
    if (counter > NONCE_MAX || !this.#window.isFresh(counter)) return FORGED;
    const stretch = Math.floor(counter / this.#rekeyFrames);
    const plain = this.#keyOf(stretch)?.decryptAt(counter, frame.subarray(COUNTER_BYTES));
    if (plain === null || plain === undefined) return FORGED;
    this.#window.add(counter);
    if (stretch > this.#stretch) this.#turnTo(stretch);
    return { ok: true, plain };
  }

  #keyOf(stretch: number): CipherState | null {
    if (stretch === this.#stretch) return this.#current;
    if (stretch === this.#stretch + 1) return this.#following;
    return stretch === this.#stretch - 1 ? this.#previous : null;
  }

  /** Only an authentic frame of the next key comes here: nobody else turns the keys. */
  #turnTo(stretch: number): void {
    this.#stretch = stretch;
    this.#previous = this.#current;
    this.#current = this.#following;
    this.#following = this.#current.successor();
  }
}

const FORGED: OpenedFrame = { ok: false, reason: 'frame-forged' };

function writeCounter(frame: Uint8Array, counter: number): void {
  const view = new DataView(frame.buffer);
  view.setUint32(0, Math.floor(counter / 0x1_0000_0000));
  view.setUint32(4, counter % 0x1_0000_0000);
}

function readCounter(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset);
  return view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4);
}
