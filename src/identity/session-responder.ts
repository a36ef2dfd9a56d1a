import type { Carriage, HandshakeStep } from '../ports/session.ts';
import { makeGreeting, readGreeting } from './greeting.ts';
import type { Handshake } from './handshake.ts';
import { readKnock, writeKnock } from './knock.ts';
import { makeSession } from './make-session.ts';
import { HANDSHAKE_FRAMES, NoiseHandshake, refuseStep } from './session-handshake.ts';
import { openNoise, type SessionIdentity } from './session-identity.ts';

/**
 * The end that accepted the link. It is silent, and makes no key, until it has seen the knock of
 * one that knows the World; it says who it is only when message 3 has proven who is there.
 */
export class Responder {
  readonly #identity: SessionIdentity;
  readonly #carriage: Carriage;
  #noise: Handshake;

  constructor(identity: SessionIdentity, carriage: Carriage) {
    this.#identity = identity;
    this.#carriage = carriage;
    this.#noise = openNoise(identity, 'responder', carriage);
  }

  /** A handshake at its beginning. */
  static handshake(identity: SessionIdentity, carriage: Carriage): NoiseHandshake {
    const end = new Responder(identity, carriage);
    return new NoiseHandshake(
      () => [],
      [
        { bounds: HANDSHAKE_FRAMES.knock, take: (frame) => end.#takeKnock(frame) },
        { bounds: HANDSHAKE_FRAMES.greeting, take: (frame) => end.#takeGreeting(frame) },
      ],
      carriage === 'loose' ? () => end.#save() : null,
    );
  }

  /** The next frame is tried on a copy. @returns what makes it as if it had not come. */
  #save(): () => void {
    const before = this.#noise;
    this.#noise = before.copy();
    return () => {
      this.#noise = before;
    };
  }

  #takeKnock(frame: Uint8Array): HandshakeStep {
    const { world, knocks } = this.#identity;
    const knock = readKnock(this.#noise, frame, world.knockKey);
    if (!knock.ok) return refuseStep(knock.reason);
    if (!knocks.remember(knock.value)) return refuseStep('handshake-replayed');
    const answer = writeKnock(this.#noise, world.knockKey);
    if (!answer.ok) return refuseStep(answer.reason);
    return { kind: 'continue', send: [answer.value] };
  }

  #takeGreeting(frame: Uint8Array): HandshakeStep {
    const { verifier, binding, hello } = this.#identity;
    const greeting = this.#noise.readMessage(frame);
    if (!greeting.ok) return refuseStep(greeting.reason);
    const result = this.#noise.finish();
    const peer = readGreeting(greeting.value.payload, result.remoteStatic, verifier);
    if (!peer.ok) return refuseStep(peer.reason);
    const sending = result.responderToInitiator;
    const confirm = sending.encrypt(makeGreeting(binding, hello()));
    const session = makeSession(this.#carriage, {
      peer: peer.value,
      handshakeHash: result.hash,
      sending,
      receiving: result.initiatorToResponder,
    });
    return { kind: 'open', send: [confirm], session };
  }
}
