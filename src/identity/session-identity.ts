import type { Carriage } from '../ports/session.ts';
import type { Verifier } from '../ports/signer.ts';
import { Handshake, type Role } from './handshake.ts';
import type { KnockMemory } from './knock.ts';
import type { SessionKey } from './session-key.ts';
import type { WorldKeys } from './world.ts';

/** Version of the protocol that both ends must speak: mixed into every handshake, never sent. */
export const SESSION_PROLOGUE: Uint8Array = Uint8Array.from(Buffer.from('vb1/noise 1', 'ascii'));

/** The same where frames may be lost or overtaken: a handshake between the two comes to nothing. */
export const LOOSE_PROLOGUE: Uint8Array = Uint8Array.from(
  Buffer.from('vb1/noise loose 1', 'ascii'),
);

const PROLOGUES: Readonly<Record<Carriage, Uint8Array>> = {
  ordered: SESSION_PROLOGUE,
  loose: LOOSE_PROLOGUE,
};

/** For whom a session handshake speaks, and what it needs to do so. */
export interface SessionIdentity {
  readonly world: WorldKeys;
  readonly sessionStatic: SessionKey;
  /** Of our Avatar, 96 bytes: see `bindAvatar`. */
  readonly binding: Uint8Array;
  readonly verifier: Verifier;
  /** What to tell the peer now; at most 1,024 bytes. */
  readonly hello: () => Uint8Array;
  /** Shared by all handshakes of one Avatar. */
  readonly knocks: KnockMemory;
  /** Makes the key of one handshake; only tests bring their own. */
  readonly newEphemeral?: () => SessionKey;
}

/** The Noise handshake under a session between Avatars. */
export function openNoise(identity: SessionIdentity, role: Role, carriage: Carriage): Handshake {
  const { sessionStatic, newEphemeral } = identity;
  return new Handshake({
    role,
    prologue: PROLOGUES[carriage],
    psk: identity.world.sessionKey,
    sessionStatic,
    ...(newEphemeral === undefined ? {} : { newEphemeral }),
  });
}
