import { concatBytes, ID_BYTES, SIGNATURE_BYTES } from '../model/bytes.ts';
import { domainOf } from '../model/codec.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { Verifier } from '../ports/signer.ts';
import type { AvatarKeys } from './avatar.ts';

const PROOF = domainOf('vb1/avatar-proof');
const CLAIM = domainOf('vb1/avatar-claim');

export const AVATAR_PROOF_BYTES = ID_BYTES + 2 * SIGNATURE_BYTES;

/** Of whom a proof speaks. */
export interface AvatarProofSubject {
  /** Avatar id, 32 bytes. */
  readonly avatar: Uint8Array;
  /** The Avatar's X25519 public key, 32 bytes. */
  readonly sessionStatic: Uint8Array;
  /** The World tag, 8 bytes. */
  readonly worldTag: Uint8Array;
}

/**
 * What the Participant signs: «I made this Avatar».
 *
 * ```
 * offset  bytes  field           meaning
 *      0     16  domain          'vb1/avatar-proof'
 *     16     32  avatar          Avatar id
 *     48     32  session static  X25519 public key
 *     80      8  world tag
 * ```
 * 88 bytes in all.
 */
function proofMessage(subject: AvatarProofSubject): Uint8Array {
  return concatBytes(PROOF, subject.avatar, subject.sessionStatic, subject.worldTag);
}

/**
 * What the Avatar signs: «this Participant made me». Without it any Participant of the World could
 * claim somebody else's Avatar.
 *
 * ```
 * offset  bytes  field        meaning
 *      0     16  domain       'vb1/avatar-claim'
 *     16     32  participant  the Participant's Ed25519 public key
 *     48     64  signature    the Participant's, over the proof message
 * ```
 * 112 bytes in all.
 */
function claimMessage(participant: Uint8Array, signature: Uint8Array): Uint8Array {
  return concatBytes(CLAIM, participant, signature);
}

/**
 * Discloses which Participant made an Avatar. Whoever sees proofs from two Worlds can link the two
 * Avatars, so it is given on request only, and never a part of the handshake.
 *
 * ```
 * offset  bytes  field        meaning
 *      0     32  participant  the Participant's Ed25519 public key
 *     32     64  proof        the Participant's signature
 *     96     64  claim        the Avatar's signature
 * ```
 * @returns 160 bytes.
 * @source features A3.
 */
export function proveAvatar(keys: AvatarKeys, worldTag: Uint8Array): Uint8Array {
  const proof = keys.participant.sign(
    proofMessage({
      avatar: keys.id,
      sessionStatic: keys.sessionStatic.publicKey,
      worldTag,
    }),
  );
  const participant = keys.participant.publicKey;
  return concatBytes(participant, proof, keys.signer.sign(claimMessage(participant, proof)));
}

/**
 * Says which Participant made an Avatar.
 *
 * @param proof From a peer.
 * @param subject The Avatar as our session with it knows it, and our own World tag.
 * @returns the Participant's public key, a copy of 32 bytes.
 */
export function checkAvatarProof(
  proof: Uint8Array,
  subject: AvatarProofSubject,
  verifier: Verifier,
): Verdict<Uint8Array, 'avatar-proof-malformed' | 'avatar-proof-forged'> {
  if (proof.length !== AVATAR_PROOF_BYTES) return refuse('avatar-proof-malformed');
  const participant = Uint8Array.from(proof.subarray(0, ID_BYTES));
  const signature = proof.subarray(ID_BYTES, ID_BYTES + SIGNATURE_BYTES);
  const claim = proof.subarray(ID_BYTES + SIGNATURE_BYTES);
  const holds =
    verifier.verify(participant, proofMessage(subject), signature) &&
    verifier.verify(subject.avatar, claimMessage(participant, signature), claim);
  return holds ? accept(participant) : refuse('avatar-proof-forged');
}
