import { readFileSync } from 'node:fs';
import { x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { CipherState, NONCE_MAX } from '../../src/identity/cipher-state.ts';
import { Handshake, PROTOCOL_NAME, type Role } from '../../src/identity/handshake.ts';
import { NoiseSession } from '../../src/identity/noise-session.ts';
import { Secret } from '../../src/identity/secret.ts';
import { SessionKey } from '../../src/identity/session-key.ts';
import { equalBytes } from '../../src/model/bytes.ts';
import { InvariantError } from '../../src/model/invariant.ts';

interface Vector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly resp_prologue: string;
  readonly init_psks: readonly string[];
  readonly resp_psks: readonly string[];
  readonly init_static: string;
  readonly init_ephemeral: string;
  readonly resp_static: string;
  readonly resp_ephemeral: string;
  readonly handshake_hash: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const url = new URL('../vectors/noise-xxpsk3.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(url, 'utf8')) as { vectors: readonly Vector[] };

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');
const keyOf = (secret: string) => SessionKey.fromSecret(new Secret(bytes(secret)));

function endOf(vector: Vector, role: Role): Handshake {
  const side = role === 'initiator' ? 'init' : 'resp';
  return new Handshake({
    role,
    prologue: bytes(vector[`${side}_prologue`]),
    psk: new Secret(bytes(vector[`${side}_psks`][0]!)),
    sessionStatic: keyOf(vector[`${side}_static`]),
    newEphemeral: () => keyOf(vector[`${side}_ephemeral`]),
  });
}

/** One end plays its part of the vector; the other end is the file. */
function play(vector: Vector, role: Role): void {
  const end = endOf(vector, role);
  const parity = role === 'initiator' ? 0 : 1;
  for (const [index, message] of vector.messages.slice(0, 3).entries()) {
    expect(end.isComplete).toBe(false);
    if (index % 2 === parity) {
      const written = end.writeMessage(bytes(message.payload));
      expect(written.ok && hex(written.value)).toBe(message.ciphertext);
    } else {
      const read = end.readMessage(bytes(message.ciphertext));
      expect(read.ok && hex(read.value.payload)).toBe(message.payload);
    }
  }
  const result = end.finish();
  expect(hex(result.hash)).toBe(vector.handshake_hash);
  const remote = keyOf(role === 'initiator' ? vector.resp_static : vector.init_static);
  expect(result.remoteStatic).toEqual(remote.publicKey);
  const [sending, receiving] =
    role === 'initiator'
      ? [result.initiatorToResponder, result.responderToInitiator]
      : [result.responderToInitiator, result.initiatorToResponder];
  for (const [index, message] of vector.messages.entries()) {
    if (index < 3) continue;
    if (index % 2 === parity) {
      expect(hex(sending.encrypt(bytes(message.payload)))).toBe(message.ciphertext);
    } else {
      const plain = receiving.decrypt(bytes(message.ciphertext));
      expect(plain && hex(plain)).toBe(message.payload);
    }
  }
}

describe('Noise_XXpsk3_25519_ChaChaPoly_SHA256 against the published vectors', () => {
  it('has vectors of its own protocol, with all six messages', () => {
    expect(vectors.map((each) => each.protocol_name)).toEqual([PROTOCOL_NAME]);
    expect(vectors[0]?.messages.length).toBe(6);
  });

  it.each(vectors)('writes and reads each message as the initiator', (vector) =>
    play(vector, 'initiator'),
  );

  it.each(vectors)('writes and reads each message as the responder', (vector) =>
    play(vector, 'responder'),
  );
});

const KEY = new Uint8Array(32).fill(5);
const peer = {
  avatar: new Uint8Array(32),
  sessionStatic: new Uint8Array(32),
  hello: new Uint8Array(0),
};

/** Two ends of a session with the same keys both ways, both starting at `nonce`. */
function sessionPair(options: { rekeyFrames?: number; nonce?: number } = {}) {
  const { nonce = 0, ...rest } = options;
  const end = () =>
    new NoiseSession({
      peer,
      handshakeHash: new Uint8Array(32),
      sending: new CipherState(KEY, nonce),
      receiving: new CipherState(KEY, nonce),
      ...rest,
    });
  return { ours: end(), theirs: end() };
}

describe('a cipher state', () => {
  it('keeps its nonce when a message is not authentic', () => {
    const sender = new CipherState(KEY);
    const receiver = new CipherState(KEY);
    const sealed = sender.encrypt(Uint8Array.of(1, 2, 3));
    expect(receiver.decrypt(new Uint8Array(19))).toBeNull();
    expect(receiver.nonce).toBe(0);
    expect(receiver.decrypt(sealed)).toEqual(Uint8Array.of(1, 2, 3));
    expect(receiver.nonce).toBe(1);
  });

  it('seals under nonces that never repeat, across the 32-bit word', () => {
    const sender = new CipherState(KEY, 2 ** 32 - 1);
    const receiver = new CipherState(KEY, 2 ** 32 - 1);
    const empty = new Uint8Array(0);
    const frames = [0, 1, 2].map(() => sender.encrypt(empty));
    expect(new Set(frames.map(hex)).size).toBe(3);
    expect(hex(new CipherState(KEY, 0).encrypt(empty))).not.toBe(hex(frames[1]!));
    for (const frame of frames) expect(receiver.decrypt(frame)).toEqual(empty);
  });

  it('refuses to go on when its nonces are used up', () => {
    const sender = new CipherState(KEY, NONCE_MAX);
    sender.encrypt(new Uint8Array(1));
    expect(sender.isWorn).toBe(true);
    expect(() => sender.encrypt(new Uint8Array(1))).toThrow(InvariantError);
    expect(() => sender.decrypt(new Uint8Array(17))).toThrow(InvariantError);
  });

  it('binds the associated data', () => {
    const sealed = new CipherState(KEY).encrypt(Uint8Array.of(7), Uint8Array.of(1));
    expect(new CipherState(KEY).decrypt(sealed, Uint8Array.of(2))).toBeNull();
    expect(new CipherState(KEY).decrypt(sealed)).toBeNull();
    expect(new CipherState(KEY).decrypt(sealed, Uint8Array.of(1))).toEqual(Uint8Array.of(7));
  });

  it('forgets its key when it takes a new one', () => {
    const [old, renewed] = [new CipherState(KEY), new CipherState(KEY)];
    renewed.rekey();
    expect(renewed.nonce).toBe(0);
    expect(hex(renewed.encrypt(KEY))).not.toBe(hex(old.encrypt(KEY)));
  });
});

describe('a session', () => {
  it('gives back what was sealed, up to the most that a frame holds', () => {
    const { ours, theirs } = sessionPair();
    expect(ours.maxPlainBytes).toBe(65_519);
    for (const length of [0, 1, 15, 16, 17, 65_518, 65_519]) {
      const plain = Uint8Array.from({ length }, (_, index) => index * 31);
      const frame = ours.seal(plain);
      expect(frame.length).toBe(length + ours.sealOverheadBytes);
      const opened = theirs.open(frame);
      expect(opened.ok && equalBytes(opened.plain, plain)).toBe(true);
    }
    expect(() => ours.seal(new Uint8Array(65_520))).toThrow(InvariantError);
  });

  it('gives copies that share no memory with anything', () => {
    const { ours, theirs } = sessionPair();
    const plain = Uint8Array.from({ length: 40 }, (_, index) => index);
    const frame = ours.seal(plain);
    plain.fill(0);
    const opened = theirs.open(frame);
    frame.fill(0);
    if (!opened.ok) throw new Error(opened.reason);
    expect(opened.plain[39]).toBe(39);
    expect(opened.plain.slice().buffer).not.toBe(opened.plain.buffer);
    expect(frame.slice().buffer).not.toBe(frame.buffer);
  });

  it('accepts each frame once and in order', () => {
    const { ours, theirs } = sessionPair();
    const [first, second] = [ours.seal(Uint8Array.of(1)), ours.seal(Uint8Array.of(2))];
    expect(theirs.open(second)).toEqual({ ok: false, reason: 'frame-forged' });
    expect(theirs.open(first)).toEqual({ ok: true, plain: Uint8Array.of(1) });
    expect(theirs.open(first)).toEqual({ ok: false, reason: 'frame-forged' });
    expect(theirs.open(second)).toEqual({ ok: true, plain: Uint8Array.of(2) });
    expect(theirs.open(second)).toEqual({ ok: false, reason: 'frame-forged' });
  });

  it('refuses a frame with any bit changed, cut short or drawn out, and goes on after it', () => {
    const { ours, theirs } = sessionPair();
    const frame = ours.seal(new Uint8Array(24));
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const flipped = frame.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(theirs.open(flipped)).toEqual({ ok: false, reason: 'frame-forged' });
    }
    for (let length = 0; length < frame.length; length++) {
      const reason = length < 16 ? 'frame-truncated' : 'frame-forged';
      expect(theirs.open(frame.subarray(0, length))).toEqual({ ok: false, reason });
    }
    const longer = Buffer.concat([frame, Buffer.of(0)]);
    expect(theirs.open(longer)).toEqual({ ok: false, reason: 'frame-forged' });
    const atBound = theirs.open(new Uint8Array(65_535));
    expect(atBound).toEqual({ ok: false, reason: 'frame-forged' });
    const pastBound = theirs.open(new Uint8Array(65_536));
    expect(pastBound).toEqual({ ok: false, reason: 'frame-too-long' });
    expect(theirs.open(frame).ok).toBe(true);
  });

  it('changes keys on both ends after the same frame, whatever is refused between', () => {
    const { ours, theirs } = sessionPair({ rekeyFrames: 4 });
    const still = sessionPair({ rekeyFrames: 1000 }).ours;
    for (let index = 0; index < 13; index++) {
      const plain = Uint8Array.of(index);
      const frame = ours.seal(plain);
      expect(hex(frame) === hex(still.seal(plain)), `frame ${index}`).toBe(index < 4);
      expect(theirs.open(new Uint8Array(17)).ok).toBe(false);
      expect(theirs.open(frame)).toEqual({ ok: true, plain });
      expect(theirs.open(frame).ok).toBe(false);
    }
  });

  it('is worn out rather than use a nonce twice', () => {
    const { ours, theirs } = sessionPair({ nonce: NONCE_MAX });
    const last = ours.seal(Uint8Array.of(1));
    expect(theirs.open(last).ok).toBe(true);
    expect(theirs.open(last)).toEqual({ ok: false, reason: 'session-worn' });
    expect(() => ours.seal(Uint8Array.of(1))).toThrow(InvariantError);
  });
});

describe('a session key', () => {
  /** RFC 7748 and the other u-coordinates whose product with any key is zero. */
  const smallOrder = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ];

  it.each(smallOrder)('agrees on nothing with a key of small order: %s', (text) => {
    const key = SessionKey.generate();
    expect(key.agree(bytes(text))).toBeNull();
    const highBit = bytes(text);
    highBit[31]! |= 0x80;
    expect(key.agree(highBit)).toBeNull();
  });

  it('agrees on what an independent library finds', () => {
    for (let index = 0; index < 8; index++) {
      const secret = new Uint8Array(32).fill(index * 17 + 1);
      const ours = SessionKey.fromSecret(new Secret(secret));
      const theirs = SessionKey.generate();
      expect(ours.publicKey).toEqual(x25519.getPublicKey(secret));
      const shared = x25519.getSharedSecret(secret, theirs.publicKey);
      expect(Uint8Array.from(ours.agree(theirs.publicKey)!)).toEqual(shared);
      expect(theirs.agree(ours.publicKey)).toEqual(ours.agree(theirs.publicKey));
    }
  });
});
