import { invariant } from '../model/invariant.ts';
import type { HandshakeRefusal, HandshakeStep, SessionHandshake } from '../ports/session.ts';
import { TAG_BYTES } from './cipher-state.ts';
import { GREETING_BYTES_MAX, GREETING_BYTES_MIN } from './greeting.ts';
import { messageOverheadBytes } from './handshake.ts';
import { KNOCK_BYTES } from './knock.ts';

/** Least and most bytes of a frame, both included. */
export interface FrameBounds {
  readonly min: number;
  readonly max: number;
}

/**
 * The four frames of a session handshake.
 *
 * ```
 * frame     from       bytes       content
 * knock     initiator  64          Noise message 1: ephemeral key, knock
 * answer    responder  112         Noise message 2: ephemeral key, session key, answer to the knock
 * greeting  initiator  160-1,184   Noise message 3: session key, greeting
 * confirm   responder  112-1,136   first frame of the session: greeting
 * ```
 */
export const HANDSHAKE_FRAMES = {
  knock: exactly(messageOverheadBytes(0) + KNOCK_BYTES),
  answer: exactly(messageOverheadBytes(1) + KNOCK_BYTES),
  greeting: greetingAfter(messageOverheadBytes(2)),
  confirm: greetingAfter(TAG_BYTES),
} as const satisfies Record<string, FrameBounds>;

/** Frames that one handshake passes over; each costs a little reckoning. */
const IGNORED_MAX = 256;

function exactly(bytes: number): FrameBounds {
  return { min: bytes, max: bytes };
}

function greetingAfter(overheadBytes: number): FrameBounds {
  return { min: overheadBytes + GREETING_BYTES_MIN, max: overheadBytes + GREETING_BYTES_MAX };
}

export function refuseStep(reason: HandshakeRefusal): HandshakeStep {
  return { kind: 'refused', reason };
}

/** What one end does with one frame of the other. */
export interface FrameStep {
  readonly bounds: FrameBounds;
  take(frame: Uint8Array): HandshakeStep;
}

/**
 * Walks one end of a handshake through its steps: one frame each, in order, within its bounds, and
 * nothing after the first refusal or the last step. Over a loose link a frame that does not fit is
 * passed over: it may have come late, or from anybody.
 */
export class NoiseHandshake implements SessionHandshake {
  readonly #first: () => Uint8Array[];
  readonly #steps: readonly FrameStep[];
  /** Over a loose link: remembers where the end stands. @returns what leads back there. */
  readonly #save: (() => () => void) | null;
  #ignored = 0;
  #next = -1;

  constructor(
    first: () => Uint8Array[],
    steps: readonly FrameStep[],
    save: (() => () => void) | null = null,
  ) {
    this.#first = first;
    this.#steps = steps;
    this.#save = save;
  }

  start(): Uint8Array[] {
    invariant(this.#next === -1, 'a handshake starts once');
    this.#next = 0;
    return this.#first();
  }

  receive(frame: Uint8Array): HandshakeStep {
    invariant(this.#next >= 0, 'a handshake starts before it receives');
    const step = this.#steps[this.#next];
    if (step === undefined) return refuseStep('handshake-over');
    const restore = this.#save?.();
    const outcome = takeWithin(step, frame);
    if (outcome.kind === 'refused' && restore !== undefined && this.#ignored < IGNORED_MAX) {
      restore();
      this.#ignored += 1;
      return { kind: 'ignored', reason: outcome.reason };
    }
    this.#next = outcome.kind === 'continue' ? this.#next + 1 : this.#steps.length;
    return outcome;
  }
}

function takeWithin(step: FrameStep, frame: Uint8Array): HandshakeStep {
  if (frame.length < step.bounds.min) return refuseStep('handshake-truncated');
  if (frame.length > step.bounds.max) return refuseStep('handshake-too-long');
  return step.take(frame);
}
