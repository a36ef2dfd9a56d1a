import { expect } from 'vitest';
import { type AvatarKeys, deriveAvatar } from '../../src/identity/avatar.ts';
import { Secret } from '../../src/identity/secret.ts';
import { NoiseSessionFactory } from '../../src/identity/session-factory.ts';
import type { SessionKey } from '../../src/identity/session-key.ts';
import { Ed25519Verifier } from '../../src/identity/verifier.ts';
import { deriveWorld, type WorldKeys } from '../../src/identity/world.ts';
import type {
  Carriage,
  HandshakeStep,
  Session,
  SessionHandshake,
} from '../../src/ports/session.ts';

/** The two ends of a session in tests: members of one World, and frames halted on their way. */

const verifier = new Ed25519Verifier();
export const filled = (fill: number) => new Secret(new Uint8Array(32).fill(fill));
export const WORLD = filled(1);
export const HELLO_A = new TextEncoder().encode('hello from a');
export const HELLO_B = new TextEncoder().encode('hello from b');

export interface Member {
  readonly avatar: AvatarKeys;
  readonly world: WorldKeys;
  readonly hello?: () => Uint8Array;
  readonly newEphemeral?: () => SessionKey;
}

export function memberOf(seedFill: number, changes: Partial<Member> = {}): Member {
  return { avatar: deriveAvatar(filled(seedFill), WORLD), world: deriveWorld(WORLD), ...changes };
}

export const factoryOf = (member: Member) => new NoiseSessionFactory({ ...member, verifier });
export const A = memberOf(10, { hello: () => HELLO_A });
export const B = memberOf(20, { hello: () => HELLO_B });

export function sent(step: HandshakeStep): Uint8Array {
  if (!('send' in step)) throw new Error(`${step.kind}: ${step.reason}`);
  expect(step.send.length).toBe(1);
  return step.send[0]!;
}

export function sessionOf(step: HandshakeStep): Session {
  if (step.kind !== 'open') throw new Error(`not open: ${JSON.stringify(step)}`);
  return step.session;
}

/** The frames of a handshake, in the order in which they travel. */
export const KNOCK = 0;
export const ANSWER = 1;
export const GREETING = 2;
export const CONFIRM = 3;

/** A handshake of which `upTo` frames were delivered, and the next one still on its way. */
export interface Halted {
  /** The end that the frame on its way is for. */
  readonly taker: SessionHandshake;
  readonly frame: Uint8Array;
}

/** Runs a handshake until frame `upTo` is on its way. */
export function runTo(upTo: number, initiator = factoryOf(A), responder = factoryOf(B)): Halted {
  const ends = [responder.respond(), initiator.initiate()] as const;
  expect(ends[0].start()).toEqual([]);
  const [knock] = ends[1].start();
  let frame = knock!;
  for (let index = 0; index < upTo; index++) frame = sent(ends[index % 2]!.receive(frame));
  return { taker: ends[upTo % 2]!, frame };
}

/** Opens a session between two factories. */
export function openBoth(
  initiator = factoryOf(A),
  responder = factoryOf(B),
  carriage: Carriage = 'ordered',
) {
  const calls = initiator.initiate(carriage);
  const takes = responder.respond(carriage);
  takes.start();
  const answer = takes.receive(calls.start()[0]!);
  const greeting = calls.receive(sent(answer));
  const confirm = takes.receive(sent(greeting));
  const last = calls.receive(sent(confirm));
  return { greeting, calling: sessionOf(last), taking: sessionOf(confirm), last };
}
