import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/model/invariant.ts';
import {
  A,
  ANSWER,
  B,
  CONFIRM,
  factoryOf,
  GREETING,
  HELLO_A,
  HELLO_B,
  KNOCK,
  openBoth,
  runTo,
} from './identity-session-ends.ts';

describe('a handshake between members of a World', () => {
  it('opens a session in which each knows the other Avatar and its hello', () => {
    const { calling, taking } = openBoth();
    expect(calling.peer.avatar).toEqual(B.avatar.id);
    expect(calling.peer.sessionStatic).toEqual(B.avatar.sessionStatic.publicKey);
    expect(calling.peer.hello).toEqual(HELLO_B);
    expect(taking.peer.avatar).toEqual(A.avatar.id);
    expect(taking.peer.sessionStatic).toEqual(A.avatar.sessionStatic.publicKey);
    expect(taking.peer.hello).toEqual(HELLO_A);
    expect(calling.handshakeHash).toEqual(taking.handshakeHash);
    for (const [from, to] of [
      [calling, taking],
      [taking, calling],
    ] as const) {
      const plain = Uint8Array.of(1, 2, 3);
      expect(to.open(from.seal(plain))).toEqual({ ok: true, plain });
    }
  });

  it('gives every session a hash and keys of its own', () => {
    const [first, second] = [openBoth(), openBoth()];
    expect(first.calling.handshakeHash).not.toEqual(second.calling.handshakeHash);
    const frame = first.calling.seal(Uint8Array.of(1));
    expect(second.taking.open(frame)).toEqual({ ok: false, reason: 'frame-forged' });
    expect(first.calling.open(frame)).toEqual({ ok: false, reason: 'frame-forged' });
  });

  it('gives the initiator no session before the first sealed frame of the responder', () => {
    const { greeting, last } = openBoth();
    expect(greeting.kind).toBe('continue');
    expect(last).toMatchObject({ kind: 'open', send: [] });
  });

  it('carries a hello of 0 to 1,024 bytes and refuses to make a longer one', () => {
    for (const length of [0, 1024]) {
      const hello = new Uint8Array(length).fill(7);
      const factory = factoryOf({ ...A, hello: () => hello });
      expect(openBoth(factory, factoryOf(B)).taking.peer.hello).toEqual(hello);
      expect(openBoth(factoryOf(B), factory).calling.peer.hello).toEqual(hello);
    }
    const long = factoryOf({ ...A, hello: () => new Uint8Array(1025) });
    expect(() => openBoth(long, factoryOf(B))).toThrow(InvariantError);
  });

  it('asks for the hello anew each time', () => {
    let count = 0;
    const factory = factoryOf({ ...A, hello: () => Uint8Array.of(++count) });
    expect(openBoth(factory).taking.peer.hello).toEqual(Uint8Array.of(1));
    expect(openBoth(factory).taking.peer.hello).toEqual(Uint8Array.of(2));
  });

  it('opens with ones own Avatar, so that a cloned device is noticed', () => {
    const { calling } = openBoth(factoryOf(A), factoryOf(A));
    expect(calling.peer.avatar).toEqual(A.avatar.id);
  });

  it('starts once, before it receives', () => {
    const fresh = factoryOf(A).respond();
    expect(() => fresh.receive(new Uint8Array(64))).toThrow(InvariantError);
    fresh.start();
    expect(() => fresh.start()).toThrow(InvariantError);
  });
});

describe('a frame of the handshake', () => {
  const frames = [KNOCK, ANSWER, GREETING, CONFIRM];

  it.each(frames)('opens nothing with a bit changed at any byte: frame %i', (index) => {
    const length = runTo(index).frame.length;
    for (let at = 0; at < length; at++) {
      const { taker, frame } = runTo(index);
      frame[at]! ^= 1 << (at & 7);
      const step = taker.receive(frame);
      expect(step, `byte ${at}`).toEqual({ kind: 'refused', reason: 'handshake-forged' });
    }
  });

  it.each(frames)('opens nothing when it is cut short: frame %i', (index) => {
    const { frame } = runTo(index);
    const hello = index === GREETING ? HELLO_A.length : index === CONFIRM ? HELLO_B.length : 0;
    const least = frame.length - hello;
    for (const length of [0, 1, 16, 32, 48, least - 1, least, frame.length - 1]) {
      const { taker, frame: whole } = runTo(index);
      if (length >= whole.length) continue;
      const reason = length < least ? 'handshake-truncated' : 'handshake-forged';
      const step = taker.receive(whole.subarray(0, length));
      expect(step, `${length} bytes`).toEqual({ kind: 'refused', reason });
    }
  });

  it.each([
    [KNOCK, 64],
    [ANSWER, 112],
    [GREETING, 1184],
    [CONFIRM, 1136],
  ])('has a bound: frame %i of at most %i bytes', (index, most) => {
    const atBound = runTo(index).taker.receive(new Uint8Array(most));
    expect(atBound).toMatchObject({ kind: 'refused' });
    expect(atBound).not.toMatchObject({ reason: 'handshake-too-long' });
    for (const length of [most + 1, 65_536, 1_000_000]) {
      expect(runTo(index).taker.receive(new Uint8Array(length))).toEqual({
        kind: 'refused',
        reason: 'handshake-too-long',
      });
    }
  });

  it.each(frames)('opens nothing when it comes from another handshake: frame %i', (index) => {
    const other = runTo(index).frame;
    const { taker } = runTo(index);
    const step = taker.receive(other);
    if (index === KNOCK) {
      // Without our own ephemeral key an overheard knock leads no further than this answer.
      expect(step.kind).toBe('continue');
      expect(taker.receive(runTo(GREETING).frame)).toMatchObject({ reason: 'handshake-forged' });
    } else {
      expect(step).toEqual({ kind: 'refused', reason: 'handshake-forged' });
    }
  });

  it.each(frames)('after a refusal changes nothing, even if it is right: frame %i', (index) => {
    const { taker, frame } = runTo(index);
    expect(taker.receive(new Uint8Array(0)).kind).toBe('refused');
    expect(taker.receive(frame)).toEqual({ kind: 'refused', reason: 'handshake-over' });
  });

  it('after the end is refused', () => {
    const { taker, frame } = runTo(CONFIRM);
    expect(taker.receive(frame).kind).toBe('open');
    expect(taker.receive(frame)).toEqual({ kind: 'refused', reason: 'handshake-over' });
  });
});
