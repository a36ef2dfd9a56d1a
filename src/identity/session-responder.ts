import type { HandshakeStep } from '../ports/session.ts';
import { makeGreeting, readGreeting } from './greeting.ts';
import type { Handshake } from './handshake.ts';
import { readKnock, writeKnock } from './knock.ts';
import { NoiseSession } from './noise-session.ts';
import { HANDSHAKE_FRAMES, NoiseHandshake, refuseStep } from './session-handshake.ts';
import { openNoise, type SessionIdentity } from './session-identity.ts';

/**
 * The end that accepted the link. It is silent, and makes no key, until it has seen the knock of
 * one that knows the World; it says who it is only when message 3 has proven who is there.
 */
export class Responder {
  readonly #identity: SessionIdentity;
  readonly #noise: Handshake;

  constructor(identity: SessionIdentity) {
    this.#identity = identity;
    this.#noise = openNoise(identity, 'responder');
  }

  /** A handshake at its beginning. */
  static handshake(identity: SessionIdentity): NoiseHandshake {
    const end = new Responder(identity);
    return new NoiseHandshake(
      () => [],
      [
        { bounds: HANDSHAKE_FRAMES.knock, take: (frame) => end.#takeKnock(frame) },
        { bounds: HANDSHAKE_FRAMES.greeting, take: (frame) => end.#takeGreeting(frame) },
      ],
    );
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
    const session = new NoiseSession({
      peer: peer.value,
      handshakeHash: result.hash,
      sending: result.responderToInitiator,
      receiving: result.initiatorToResponder,
    });
    return { kind: 'open', send: [session.seal(makeGreeting(binding, hello()))], session };
  }
}
