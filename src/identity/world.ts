import { invariant } from '../model/invariant.ts';
import { derive } from './derivation.ts';
import type { Secret } from './secret.ts';

/** Bytes of a World identifier: private, random, never sent, logged or stored in a table. */
export const WORLD_BYTES = 32;
export const WORLD_TAG_BYTES = 8;

/** What a World identifier is used for, each derived one way. */
export interface WorldKeys {
  /**
   * 8 bytes that may be public: they name the World on a broker and say nothing of its identifier.
   */
  readonly tag: Uint8Array;
  /** The pre-shared key of every Noise session, 32 bytes. */
  readonly sessionKey: Secret;
  /** Proves to a peer, before anything is said, that one knows the World; 32 bytes. */
  readonly knockKey: Secret;
  /** Seals what members say to each other on a broker before they have a session; 32 bytes. */
  readonly brokerKey: Secret;
}

/** @param world The World identifier, 32 bytes. */
export function deriveWorld(world: Secret): WorldKeys {
  invariant(world.length === WORLD_BYTES, 'a World identifier has 32 bytes');
  const identifier = world.reveal();
  return {
    tag: derive(identifier, 'vb1/world-tag', WORLD_TAG_BYTES).reveal(),
    sessionKey: derive(identifier, 'vb1/session-key', 32),
    knockKey: derive(identifier, 'vb1/knock-key', 32),
    brokerKey: derive(identifier, 'vb1/broker-key', 32),
  };
}
