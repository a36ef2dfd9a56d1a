import { concatBytes } from '../model/bytes.ts';
import { invariant } from '../model/invariant.ts';
import { accept, type Verdict } from '../model/verdict.ts';
import type { HandshakeRefusal, SessionPeer } from '../ports/session.ts';
import type { Verifier } from '../ports/signer.ts';
import { AVATAR_BINDING_BYTES, checkAvatarBinding } from './avatar-binding.ts';

export const HELLO_BYTES_MAX = 1024;
export const GREETING_BYTES_MIN = AVATAR_BINDING_BYTES;
export const GREETING_BYTES_MAX = AVATAR_BINDING_BYTES + HELLO_BYTES_MAX;

/**
 * What each end says of itself, under keys that only a Participant of the World has: the initiator
 * in message 3, the responder in its first frame.
 *
 * ```
 * offset   bytes  field    meaning
 *      0      96  binding  Avatar id (32) and its signature over its session key (64)
 *     96  0-1024  hello    opaque here
 * ```
 * 96 to 1,120 bytes in all.
 */
export function makeGreeting(binding: Uint8Array, hello: Uint8Array): Uint8Array {
  invariant(binding.length === AVATAR_BINDING_BYTES, 'a binding has 96 bytes');
  invariant(hello.length <= HELLO_BYTES_MAX, `a hello has at most ${HELLO_BYTES_MAX} bytes`);
  return concatBytes(binding, hello);
}

/**
 * @param greeting From a peer, of a length between the two bounds.
 * @param sessionStatic The peer's X25519 key, as the handshake proved it.
 */
export function readGreeting(
  greeting: Uint8Array,
  sessionStatic: Uint8Array,
  verifier: Verifier,
): Verdict<SessionPeer, HandshakeRefusal> {
  const binding = greeting.subarray(0, AVATAR_BINDING_BYTES);
  const bound = checkAvatarBinding(binding, sessionStatic, verifier);
  if (!bound.ok) return bound;
  const hello = Uint8Array.from(greeting.subarray(AVATAR_BINDING_BYTES));
  return accept({ avatar: bound.value, sessionStatic, hello });
}
