import type { Carriage, Session } from '../ports/session.ts';
import { LooseSession } from './loose-session.ts';
import { NoiseSession, type NoiseSessionOptions } from './noise-session.ts';

/** The session that follows a handshake, as its carriage needs it. */
export function makeSession(carriage: Carriage, options: NoiseSessionOptions): Session {
  return carriage === 'ordered' ? new NoiseSession(options) : new LooseSession(options);
}
