import type { Carriage, SessionFactory, SessionHandshake } from '../ports/session.ts';
import type { Verifier } from '../ports/signer.ts';
import type { AvatarKeys } from './avatar.ts';
import { bindAvatar } from './avatar-binding.ts';
import { KnockMemory } from './knock.ts';
import type { SessionIdentity } from './session-identity.ts';
import { Initiator } from './session-initiator.ts';
import type { SessionKey } from './session-key.ts';
import { Responder } from './session-responder.ts';
import type { WorldKeys } from './world.ts';

/** Knocks remembered, 16 bytes each: a memory of the last so many links that peers opened. */
const KNOCKS_MAX = 4096;

export interface SessionFactoryOptions {
  readonly avatar: AvatarKeys;
  readonly world: WorldKeys;
  readonly verifier: Verifier;
  /**
   * What to tell each peer, asked for once per handshake; at most 1,024 bytes. Default: nothing.
   */
  readonly hello?: () => Uint8Array;
  /** Makes the key of one handshake; only tests bring their own. */
  readonly newEphemeral?: () => SessionKey;
}

/**
 * Sessions of one Avatar: Noise XXpsk3, with two MACs by which both ends know each other for
 * members of the World before they say anything lasting.
 *
 * What somebody without the World identifier learns:
 * - calling us: nothing. Every frame but a true knock meets silence, and no key is computed for it.
 * - being called by us: a fresh key and 32 bytes like random ones; no name, no lasting key.
 * - overhearing: sizes and times of frames. No Avatar id, session key, hello or World tag in clear.
 * - repeating an overheard knock: silence, if it goes to whom it was meant for and is not older
 * than  the last 4,096 of its kind; else one answer, which it cannot read: that this is a
 * Participant of
 *   the same World as the one overheard.
 * - that it speaks this protocol at all can be seen from the lengths of the frames.
 *
 * Past sessions stay sealed when the World identifier or the lasting keys leak later. Who holds the
 * World identifier is a member, whatever its Avatar: which Avatars to trust is decided above.
 */
export class NoiseSessionFactory implements SessionFactory {
  readonly #identity: SessionIdentity;

  constructor(options: SessionFactoryOptions) {
    const { avatar, world, verifier, hello, newEphemeral } = options;
    this.#identity = {
      world,
      sessionStatic: avatar.sessionStatic,
      binding: bindAvatar(avatar),
      verifier,
      hello: hello ?? (() => new Uint8Array(0)),
      knocks: new KnockMemory(KNOCKS_MAX),
      ...(newEphemeral === undefined ? {} : { newEphemeral }),
    };
  }

  initiate(carriage: Carriage = 'ordered'): SessionHandshake {
    return Initiator.handshake(this.#identity, carriage);
  }

  respond(carriage: Carriage = 'ordered'): SessionHandshake {
    return Responder.handshake(this.#identity, carriage);
  }
}
