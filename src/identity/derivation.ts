import { hkdfSync } from 'node:crypto';
import { Secret } from './secret.ts';

/** Keeps what is derived here apart from all else that is ever derived from the same bytes. */
const SALT = 'vertebra 1';

/**
 * HKDF-SHA256 (RFC 5869).
 *
 * @param material The secret bytes, at least 32 of them random.
 * @param purpose Names the result and its version; another purpose gives unrelated bytes.
 * @param lengthBytes At most 8,160.
 */
export function derive(material: Uint8Array, purpose: string, lengthBytes: number): Secret {
  return new Secret(new Uint8Array(hkdfSync('sha256', material, SALT, purpose, lengthBytes)));
}
