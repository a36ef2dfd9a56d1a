import { createHash } from 'node:crypto';
import {
  type Behavior,
  type BehaviorManifest,
  STANDARD_LIMITS,
  sealBehavior,
} from '../../src/model/behavior.ts';
import type { Hex32 } from '../../src/model/bytes.ts';

export const hash = (message: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(message).digest());

/** 32 bytes that all have one value. */
export const idOf = (byte: number): Hex32 => byte.toString(16).padStart(2, '0').repeat(32) as Hex32;

export const READING = { name: 'reading', pact: idOf(1) };
export const STOCK = { name: 'stock', pact: idOf(2) };
export const ORDER = { name: 'order', pact: idOf(3) };

/** A manifest that declares something of everything. */
export const SAID: Omit<BehaviorManifest, 'codeHash'> = {
  name: 'guard',
  kind: 'javascript',
  consumes: [READING],
  accesses: [READING, STOCK],
  produces: [ORDER],
  devices: [
    { name: 'fan', moves: true },
    { name: 'probe', moves: false },
  ],
  requires: ['gpio', 'site=greenhouse-3'],
  limits: STANDARD_LIMITS,
  idempotent: true,
  undoes: false,
};

/** Seals what must be well formed. */
export function behaviorOf(
  code: Uint8Array | string,
  said: Partial<Omit<BehaviorManifest, 'codeHash'>> = {},
): Behavior {
  const bytes = typeof code === 'string' ? new TextEncoder().encode(code) : code;
  const sealed = sealBehavior(hash, { ...SAID, ...said }, bytes);
  if (!sealed.ok) throw new Error(`${sealed.reason}: ${sealed.detail}`);
  return sealed.value;
}
