import { concatBytes } from '../model/bytes.ts';
import { invariant } from '../model/invariant.ts';
import type { Signer } from '../ports/signer.ts';
import { derive } from './derivation.ts';
import type { Secret } from './secret.ts';
import { SESSION_KEY_BYTES, SessionKey } from './session-key.ts';
import { Ed25519Signer, SEED_BYTES } from './signer.ts';
import { WORLD_BYTES } from './world.ts';

/** The keys of one Participant in one World. */
export interface AvatarKeys {
  /** The Avatar id: public key of `signer`, 32 bytes. */
  readonly id: Uint8Array;
  /** Signs what the Avatar says in its World. */
  readonly signer: Signer;
  /** Proves at the start of a session who is speaking. */
  readonly sessionStatic: SessionKey;
  /** Signs as the Participant. Its public key links Avatars: it appears in an Avatar proof only. */
  readonly participant: Signer;
}

/**
 * Derives a Participant's Avatar in a World, the same one each time. Nobody can tell that Avatars
 * in different Worlds have one Participant, nor compute an Avatar without both secrets.
 *
 * @param participantSeed Ed25519 seed, 32 bytes.
 * @param world World identifier, 32 bytes.
 * @source features A3.
 */
export function deriveAvatar(participantSeed: Secret, world: Secret): AvatarKeys {
  invariant(participantSeed.length === SEED_BYTES, 'a Participant seed has 32 bytes');
  invariant(world.length === WORLD_BYTES, 'a World identifier has 32 bytes');
  const material = concatBytes(participantSeed.reveal(), world.reveal());
  const signer = new Ed25519Signer(derive(material, 'vb1/avatar-signing', SEED_BYTES));
  return {
    id: signer.publicKey,
    signer,
    sessionStatic: SessionKey.fromSecret(derive(material, 'vb1/avatar-session', SESSION_KEY_BYTES)),
    participant: new Ed25519Signer(participantSeed),
  };
}
