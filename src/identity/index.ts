/**
 * Keys of Participants and Avatars, World identifiers, proofs, and the sessions between Avatars.
 */
export { type AvatarKeys, deriveAvatar } from './avatar.ts';
export { AVATAR_BINDING_BYTES, bindAvatar, checkAvatarBinding } from './avatar-binding.ts';
export {
  AVATAR_PROOF_BYTES,
  type AvatarProofSubject,
  checkAvatarProof,
  proveAvatar,
} from './avatar-proof.ts';
export { HELLO_BYTES_MAX } from './greeting.ts';
export { IdentityError, type IdentityErrorCode } from './identity-error.ts';
export { Secret } from './secret.ts';
export { createSecretFile, loadSecretFile } from './secret-file.ts';
export {
  formatSecretLine,
  parseSecretLine,
  SECRET_LINE_BYTES_MAX,
  type SecretKind,
} from './secret-line.ts';
export { NoiseSessionFactory, type SessionFactoryOptions } from './session-factory.ts';
export { Ed25519Signer, SEED_BYTES } from './signer.ts';
export { Ed25519Verifier } from './verifier.ts';
export { deriveWorld, WORLD_BYTES, WORLD_TAG_BYTES, type WorldKeys } from './world.ts';
