import { concatBytes, ID_BYTES, SIGNATURE_BYTES } from '../model/bytes.ts';
import { domainOf } from '../model/codec.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { Verifier } from '../ports/signer.ts';
import type { AvatarKeys } from './avatar.ts';

const DOMAIN = domainOf('vb1/avatar-bind');

export const AVATAR_BINDING_BYTES = ID_BYTES + SIGNATURE_BYTES;

/**
 * What the Avatar signs so that its session key speaks for it.
 *
 * ```
 * offset  bytes  field           meaning
 *      0     16  domain          'vb1/avatar-bind'
 *     16     32  avatar          Avatar id
 *     48     32  session static  X25519 public key
 * ```
 * 80 bytes in all.
 */
function bindingMessage(avatar: Uint8Array, sessionStatic: Uint8Array): Uint8Array {
  return concatBytes(DOMAIN, avatar, sessionStatic);
}

/** @returns 96 bytes: the Avatar id (32), then its signature (64). */
export function bindAvatar(keys: AvatarKeys): Uint8Array {
  const message = bindingMessage(keys.id, keys.sessionStatic.publicKey);
  return concatBytes(keys.id, keys.signer.sign(message));
}

/**
 * Says which Avatar a session key speaks for.
 *
 * @param binding From a peer, 96 bytes.
 * @param sessionStatic The peer's X25519 key, as the handshake proved it.
 * @returns the Avatar id, a copy of 32 bytes.
 */
export function checkAvatarBinding(
  binding: Uint8Array,
  sessionStatic: Uint8Array,
  verifier: Verifier,
): Verdict<Uint8Array, 'handshake-unbound'> {
  if (binding.length !== AVATAR_BINDING_BYTES) return refuse('handshake-unbound');
  const avatar = Uint8Array.from(binding.subarray(0, ID_BYTES));
  const message = bindingMessage(avatar, sessionStatic);
  const holds = verifier.verify(avatar, message, binding.subarray(ID_BYTES));
  return holds ? accept(avatar) : refuse('handshake-unbound');
}
