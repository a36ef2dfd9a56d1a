import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CipherState } from '../../src/identity/cipher-state.ts';
import { Handshake, type Role } from '../../src/identity/handshake.ts';
import { NoiseSession } from '../../src/identity/noise-session.ts';
import { Secret } from '../../src/identity/secret.ts';
import { SessionKey } from '../../src/identity/session-key.ts';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

const statics = {
  initiator: SessionKey.fromSecret(new Secret(new Uint8Array(32).fill(1))),
  responder: SessionKey.fromSecret(new Secret(new Uint8Array(32).fill(2))),
};

function endOf(role: Role, prologue: Uint8Array, psk: Uint8Array): Handshake {
  return new Handshake({ role, prologue, psk: new Secret(psk), sessionStatic: statics[role] });
}

/** Hands each payload over in turn. @returns the payloads as read, or the first refusal. */
function exchange(ends: readonly [Handshake, Handshake], payloads: readonly Uint8Array[]) {
  const read: Uint8Array[] = [];
  for (const [index, payload] of payloads.entries()) {
    const [from, to] = index % 2 === 0 ? ends : [ends[1], ends[0]];
    const message = from.writeMessage(payload);
    if (!message.ok) return { refused: message.reason, at: index };
    const taken = to.readMessage(message.value);
    if (!taken.ok) return { refused: taken.reason, at: index };
    read.push(taken.value.payload);
  }
  return { read };
}

describe('a Noise handshake', () => {
  it('hands over any three payloads and ends in the same hash and keys on both ends', () => {
    fc.assert(
      fc.property(bytes(40), key, fc.tuple(bytes(300), bytes(300), bytes(300)), (...given) => {
        const [prologue, psk, payloads] = given;
        const ends = [
          endOf('initiator', prologue, psk),
          endOf('responder', prologue, psk),
        ] as const;
        expect(exchange(ends, payloads)).toEqual({ read: payloads });
        const [a, b] = [ends[0].finish(), ends[1].finish()];
        expect(a.hash).toEqual(b.hash);
        expect(a.remoteStatic).toEqual(statics.responder.publicKey);
        expect(b.remoteStatic).toEqual(statics.initiator.publicKey);
        const plain = payloads[0];
        const there = a.initiatorToResponder.encrypt(plain);
        expect(b.initiatorToResponder.decrypt(there)).toEqual(plain);
        const back = b.responderToInitiator.encrypt(plain);
        expect(a.responderToInitiator.decrypt(back)).toEqual(plain);
        expect(back).not.toEqual(there);
      }),
      { numRuns: 40 },
    );
  });

  it('ends at message 1 for another prologue and at message 3 for another pre-shared key', () => {
    const payloads = [0, 1, 2].map((fill) => new Uint8Array(16).fill(fill));
    fc.assert(
      fc.property(key, fc.nat(255), (psk, bit) => {
        const other = psk.slice();
        other[bit >> 3]! ^= 1 << (bit & 7);
        const initiator = (prologue: Uint8Array) => endOf('initiator', prologue, psk);
        const forged = 'handshake-forged';
        expect(exchange([initiator(psk), endOf('responder', other, psk)], payloads)).toEqual({
          refused: forged,
          at: 0,
        });
        expect(exchange([initiator(psk), endOf('responder', psk, other)], payloads)).toEqual({
          refused: forged,
          at: 2,
        });
      }),
      { numRuns: 30 },
    );
  });

  it('takes no bytes that its peer did not write', () => {
    fc.assert(
      fc.property(bytes(300), (message) => {
        const end = endOf('responder', new Uint8Array(0), new Uint8Array(32));
        expect(end.readMessage(message).ok).toBe(false);
        expect(end.isComplete).toBe(false);
        expect(end.readMessage(message)).toEqual({ ok: false, reason: 'handshake-over' });
      }),
      { numRuns: 200 },
    );
  });
});

/** What happens to frames on a link that does not keep its promise. */
const fate = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'deliver' as const }) },
  fc.record({ kind: fc.constant('flip' as const), bit: fc.nat(2000) }),
  fc.record({ kind: fc.constant('cut' as const), bytes: fc.integer({ min: 1, max: 20 }) }),
  fc.constant({ kind: 'replay' as const }),
  fc.record({ kind: fc.constant('invent' as const), frame: bytes(80) }),
);

describe('a session', () => {
  it('yields what was sealed, in order and once, whatever a link adds to it', () => {
    const step = fc.record({ plain: bytes(100), fate });
    fc.assert(
      fc.property(key, fc.array(step, { maxLength: 30 }), (secret, steps) => {
        const [ours, theirs] = [0, 1].map(
          () =>
            new NoiseSession({
              peer: { avatar: secret, sessionStatic: secret, hello: secret },
              handshakeHash: secret,
              sending: new CipherState(secret),
              receiving: new CipherState(secret),
              rekeyFrames: 7,
            }),
        ) as [NoiseSession, NoiseSession];
        const sent: Uint8Array[] = [];
        for (const { plain, fate } of steps) {
          const frame = ours.seal(plain);
          for (const wrong of wrongFrames(frame, fate, sent)) {
            expect(theirs.open(wrong).ok).toBe(false);
          }
          expect(theirs.open(frame)).toEqual({ ok: true, plain });
          sent.push(frame);
        }
      }),
      { numRuns: 150 },
    );
  });
});

type Fate = typeof fate extends fc.Arbitrary<infer T> ? T : never;

function wrongFrames(frame: Uint8Array, fate: Fate, sent: readonly Uint8Array[]): Uint8Array[] {
  switch (fate.kind) {
    case 'deliver':
      return [];
    case 'flip': {
      const flipped = frame.slice();
      const bit = fate.bit % (frame.length * 8);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      return [flipped];
    }
    case 'cut':
      return [frame.subarray(0, Math.max(0, frame.length - fate.bytes))];
    case 'replay':
      return [...sent];
    case 'invent':
      return [fate.frame];
    default:
      return fate satisfies never;
  }
}
