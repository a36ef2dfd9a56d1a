import { createHmac, timingSafeEqual } from 'node:crypto';
import { domainOf } from '../model/codec.ts';
import { invariant } from '../model/invariant.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { HandshakeRefusal } from '../ports/session.ts';
import type { Handshake } from './handshake.ts';
import type { Secret } from './secret.ts';

export const KNOCK_BYTES = 16;

const DOMAIN = domainOf('vb1/knock');

/**
 * HMAC-SHA256 over the handshake hash just before the payload, which holds the prologue and every
 * fresh key of this one handshake so far; its first 16 bytes.
 */
function makeKnock(knockKey: Secret, transcript: Uint8Array): Uint8Array {
  const mac = createHmac('sha256', knockKey.reveal()).update(DOMAIN).update(transcript);
  return Uint8Array.from(mac.digest().subarray(0, KNOCK_BYTES));
}

/**
 * Writes message 1 or 2 with a payload that shows, before any name or lasting key is said, that one
 * knows the World identifier.
 *
 * @param knockKey Of the World, 32 bytes.
 */
export function writeKnock(
  noise: Handshake,
  knockKey: Secret,
): Verdict<Uint8Array, HandshakeRefusal> {
  return noise.writeMessage((transcript) => makeKnock(knockKey, transcript));
}

/**
 * Reads message 1 or 2 and judges whether its sender knows the World.
 *
 * @returns the knock, 16 bytes.
 */
export function readKnock(
  noise: Handshake,
  message: Uint8Array,
  knockKey: Secret,
): Verdict<Uint8Array, HandshakeRefusal> {
  const read = noise.readMessage(message);
  if (!read.ok) return read;
  const { payload, transcript } = read.value;
  const due = makeKnock(knockKey, transcript);
  const isDue = payload.length === KNOCK_BYTES && timingSafeEqual(payload, due);
  return isDue ? accept(payload) : refuse('handshake-stranger');
}

/**
 * The knocks answered last, so that one who overheard a knock cannot have it answered again. Only
 * true knocks are remembered: a stranger cannot wash the memory out.
 */
export class KnockMemory {
  readonly #knocksMax: number;
  readonly #seen = new Set<string>();

  constructor(knocksMax: number) {
    invariant(Number.isSafeInteger(knocksMax) && knocksMax > 0, 'at least one knock is remembered');
    this.#knocksMax = knocksMax;
  }

  /** @returns false if it was there already. */
  remember(knock: Uint8Array): boolean {
    const name = Buffer.from(knock).toString('latin1');
    if (this.#seen.has(name)) return false;
    this.#seen.add(name);
    if (this.#seen.size > this.#knocksMax) this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      return;
    }
  }
}
