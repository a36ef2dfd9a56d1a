import { createHmac } from 'node:crypto';
import { x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { deriveAvatar } from '../../src/identity/avatar.ts';
import { bindAvatar, checkAvatarBinding } from '../../src/identity/avatar-binding.ts';
import { checkAvatarProof, proveAvatar } from '../../src/identity/avatar-proof.ts';
import { Secret } from '../../src/identity/secret.ts';
import { Ed25519Signer } from '../../src/identity/signer.ts';
import { Ed25519Verifier } from '../../src/identity/verifier.ts';
import { deriveWorld } from '../../src/identity/world.ts';

const verifier = new Ed25519Verifier();
const filled = (fill: number) => new Secret(new Uint8Array(32).fill(fill));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const seed = filled(1);
const world = filled(2);
const keys = deriveAvatar(seed, world);
const { tag } = deriveWorld(world);
const subject = { avatar: keys.id, sessionStatic: keys.sessionStatic.publicKey, worldTag: tag };

/** HKDF-SHA256 of RFC 5869 for at most 32 bytes, written out. */
function hkdf(material: Uint8Array, info: string, length: number): Uint8Array {
  const extracted = createHmac('sha256', 'vertebra 1').update(material).digest();
  const block = createHmac('sha256', extracted).update(info).update(Uint8Array.of(1)).digest();
  return Uint8Array.from(block.subarray(0, length));
}

describe('an Avatar', () => {
  it('is the same each time it is derived, and another for another Participant or World', () => {
    expect(deriveAvatar(filled(1), filled(2)).id).toEqual(keys.id);
    const ids = [keys, deriveAvatar(filled(1), filled(3)), deriveAvatar(filled(3), filled(2))];
    const all = ids.flatMap((each) => [
      hex(each.id),
      hex(each.sessionStatic.publicKey),
      hex(each.participant.publicKey),
    ]);
    expect(new Set(all).size).toBe(8); // The one Participant key that stands twice.
    expect(deriveAvatar(filled(2), filled(1)).id).not.toEqual(keys.id);
  });

  it('comes of both secrets by HKDF-SHA256 with a purpose of its own for each key', () => {
    const material = Buffer.concat([seed.reveal(), world.reveal()]);
    const signing = new Ed25519Signer(new Secret(hkdf(material, 'vb1/avatar-signing', 32)));
    expect(keys.id).toEqual(signing.publicKey);
    const session = x25519.getPublicKey(hkdf(material, 'vb1/avatar-session', 32));
    expect(keys.sessionStatic.publicKey).toEqual(session);
  });

  it('signs under its id', () => {
    const message = new TextEncoder().encode('what it says');
    expect(verifier.verify(keys.id, message, keys.signer.sign(message))).toBe(true);
  });
});

describe('a World', () => {
  it('has a tag and keys that come one way of its identifier', () => {
    const derived = deriveWorld(world);
    expect(derived.tag).toEqual(hkdf(world.reveal(), 'vb1/world-tag', 8));
    expect(derived.sessionKey.reveal()).toEqual(hkdf(world.reveal(), 'vb1/session-key', 32));
    expect(derived.knockKey.reveal()).toEqual(hkdf(world.reveal(), 'vb1/knock-key', 32));
    expect(derived.brokerKey.reveal()).toEqual(hkdf(world.reveal(), 'vb1/broker-key', 32));
    expect(deriveWorld(filled(3)).tag).not.toEqual(derived.tag);
  });
});

describe('an Avatar binding', () => {
  const sessionStatic = keys.sessionStatic.publicKey;
  const binding = bindAvatar(keys);

  it('names the Avatar that signed for a session key', () => {
    expect(checkAvatarBinding(binding, sessionStatic, verifier)).toEqual({
      ok: true,
      value: keys.id,
    });
  });

  it('is refused with any bit changed, at another length, or for another key', () => {
    for (let bit = 0; bit < binding.length * 8; bit++) {
      const flipped = binding.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(checkAvatarBinding(flipped, sessionStatic, verifier).ok, `bit ${bit}`).toBe(false);
    }
    for (const other of [binding.subarray(1), Buffer.concat([binding, binding])]) {
      expect(checkAvatarBinding(other, sessionStatic, verifier).ok).toBe(false);
    }
    const stranger = deriveAvatar(filled(4), world).sessionStatic.publicKey;
    expect(checkAvatarBinding(binding, stranger, verifier)).toEqual({
      ok: false,
      reason: 'handshake-unbound',
    });
  });
});

describe('an Avatar proof', () => {
  const proof = proveAvatar(keys, tag);

  it('tells which Participant made the Avatar', () => {
    const { publicKey } = new Ed25519Signer(seed);
    expect(checkAvatarProof(proof, subject, verifier)).toEqual({ ok: true, value: publicKey });
  });

  it('links Avatars of one Participant, which nothing else of them does', () => {
    const elsewhere = deriveAvatar(seed, filled(9));
    const shared = hex(keys.participant.publicKey);
    expect(hex(proof)).toContain(shared);
    expect(hex(proveAvatar(elsewhere, deriveWorld(filled(9)).tag))).toContain(shared);
    expect(hex(bindAvatar(keys))).not.toContain(shared);
  });

  it('is refused with any bit changed', () => {
    for (let bit = 0; bit < proof.length * 8; bit += 3) {
      const flipped = proof.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(checkAvatarProof(flipped, subject, verifier), `bit ${bit}`).toEqual({
        ok: false,
        reason: 'avatar-proof-forged',
      });
    }
  });

  it('is refused at another length', () => {
    for (const length of [0, 32, 159, 161]) {
      expect(checkAvatarProof(new Uint8Array(length), subject, verifier)).toEqual({
        ok: false,
        reason: 'avatar-proof-malformed',
      });
    }
  });

  it('holds for one Avatar, one session key and one World', () => {
    const other = deriveAvatar(filled(4), world);
    for (const wrong of [
      { ...subject, avatar: other.id },
      { ...subject, sessionStatic: other.sessionStatic.publicKey },
      { ...subject, worldTag: deriveWorld(filled(3)).tag },
    ]) {
      expect(checkAvatarProof(proof, wrong, verifier).ok).toBe(false);
    }
  });

  it('cannot be made by a Participant for the Avatar of another', () => {
    const thief = deriveAvatar(filled(4), world);
    const stolen = { ...keys, participant: thief.participant, signer: thief.signer };
    const claim = proveAvatar(stolen, tag);
    expect(checkAvatarProof(claim, subject, verifier).ok).toBe(false);
    const halfStolen = Buffer.concat([claim.subarray(0, 96), proof.subarray(96)]);
    expect(checkAvatarProof(halfStolen, subject, verifier).ok).toBe(false);
  });
});
