import { invariant } from '../model/invariant.ts';
import type { Carriage, HandshakeStep } from '../ports/session.ts';
import { makeGreeting, readGreeting } from './greeting.ts';
import type { Handshake, HandshakeResult } from './handshake.ts';
import { readKnock, writeKnock } from './knock.ts';
import { makeSession } from './make-session.ts';
import { HANDSHAKE_FRAMES, NoiseHandshake, refuseStep } from './session-handshake.ts';
import { openNoise, type SessionIdentity } from './session-identity.ts';

/**
 * The end that opened the link. It says its lasting key only to one that answered its knock, so
 * that knows the World; and it has no session before the responder's first sealed frame, which
 * alone proves the responder to have taken message 3.
 */
export class Initiator {
  readonly #identity: SessionIdentity;
  readonly #carriage: Carriage;
  #noise: Handshake;
  #result: HandshakeResult | null = null;

  constructor(identity: SessionIdentity, carriage: Carriage) {
    this.#identity = identity;
    this.#carriage = carriage;
    this.#noise = openNoise(identity, 'initiator', carriage);
  }

  /** A handshake at its beginning. */
  static handshake(identity: SessionIdentity, carriage: Carriage): NoiseHandshake {
    const end = new Initiator(identity, carriage);
    return new NoiseHandshake(
      () => end.#knock(),
      [
        { bounds: HANDSHAKE_FRAMES.answer, take: (frame) => end.#takeAnswer(frame) },
        { bounds: HANDSHAKE_FRAMES.confirm, take: (frame) => end.#takeConfirm(frame) },
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

  #knock(): Uint8Array[] {
    const knock = writeKnock(this.#noise, this.#identity.world.knockKey);
    invariant(knock.ok, 'message 1 needs nothing of the peer');
    return [knock.value];
  }

  #takeAnswer(frame: Uint8Array): HandshakeStep {
    const { world, binding, hello } = this.#identity;
    const answer = readKnock(this.#noise, frame, world.knockKey);
    if (!answer.ok) return refuseStep(answer.reason);
    const greeting = this.#noise.writeMessage(makeGreeting(binding, hello()));
    if (!greeting.ok) return refuseStep(greeting.reason);
    this.#result = this.#noise.finish();
    return { kind: 'continue', send: [greeting.value] };
  }

  #takeConfirm(frame: Uint8Array): HandshakeStep {
    invariant(this.#result !== null, 'a confirm frame follows an answer');
    const { hash, remoteStatic, initiatorToResponder, responderToInitiator } = this.#result;
    const greeting = responderToInitiator.decrypt(frame);
    if (greeting === null) return refuseStep('handshake-forged');
    const peer = readGreeting(greeting, remoteStatic, this.#identity.verifier);
    if (!peer.ok) return refuseStep(peer.reason);
    const session = makeSession(this.#carriage, {
      peer: peer.value,
      handshakeHash: hash,
      sending: initiatorToResponder,
      receiving: responderToInitiator,
    });
    return { kind: 'open', send: [], session };
  }
}
