import { createHash } from 'node:crypto';
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import { expect, it } from 'vitest';
import type { Signer, Verifier } from '../../src/ports/signer.ts';

/** Makes what the suite runs over. */
export interface SignerMaker {
  signerOf(seed: Uint8Array): Signer;
  verifier(): Verifier;
}

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const little = (value: bigint) => {
  const text = value.toString(16).padStart(64, '0');
  return Uint8Array.from(Buffer.from(text, 'hex')).reverse();
};
const joined = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const MESSAGE = new TextEncoder().encode('vb1/contract a message');
const SEED = new Uint8Array(32).fill(7);

/** RFC 8032, 7.1: tests 1, 2, 3 and SHA(abc). */
const VECTORS = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
      '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
      '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589' +
      '09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
];

/**
 * Keys under which R = identity and S = 0 pass the bare equation for some messages: all eight
 * points of small order, and the forms of them that are not canonical (y + p, or the sign of a zero
 * x).
 */
export const CRAFTED_KEYS: readonly Uint8Array[] = [
  ...ED25519_TORSION_SUBGROUP.map(bytes),
  little(P), // y = 0, order 4
  little(P + 1n), // y = 1, the identity
  little(P | (1n << 255n)),
  little((P + 1n) | (1n << 255n)),
  little(1n | (1n << 255n)), // the identity with the sign of a zero x
  little((P - 1n) | (1n << 255n)), // order 2 with the sign of a zero x
];

/** R = identity, S = 0. */
export const CRAFTED_SIGNATURE = joined(little(1n), little(0n));

/** The laws of `Signer` and `Verifier`; call it inside a `describe`. */
export function signerContract(make: SignerMaker): void {
  const signer = make.signerOf(SEED);
  const verifier = make.verifier();
  const signature = signer.sign(MESSAGE);

  it.each(VECTORS)('gives the keys and signatures of RFC 8032, message "$message"', (vector) => {
    const known = make.signerOf(bytes(vector.seed));
    expect(Buffer.from(known.publicKey).toString('hex')).toBe(vector.publicKey);
    const signed = known.sign(bytes(vector.message));
    expect(Buffer.from(signed).toString('hex')).toBe(vector.signature);
    expect(verifier.verify(known.publicKey, bytes(vector.message), signed)).toBe(true);
  });

  it('signs the same message alike, each time in a copy of its own', () => {
    const again = signer.sign(MESSAGE);
    expect(again).toEqual(signature);
    again.fill(0);
    expect(verifier.verify(signer.publicKey, MESSAGE, signer.sign(MESSAGE))).toBe(true);
    expect(signature.slice().buffer).not.toBe(signature.buffer);
  });

  it('refuses a signature with a bit changed in any byte', () => {
    for (const flipped of flippedOf(signature)) {
      expect(verifier.verify(signer.publicKey, MESSAGE, flipped)).toBe(false);
    }
  });

  it('refuses a key or a message with a bit changed in any byte', () => {
    for (const key of flippedOf(signer.publicKey)) {
      expect(verifier.verify(key, MESSAGE, signature)).toBe(false);
    }
    for (const message of flippedOf(MESSAGE)) {
      expect(verifier.verify(signer.publicKey, message, signature)).toBe(false);
    }
  });

  it('refuses keys and signatures of another length', () => {
    for (const length of [0, 1, 31, 33, 64]) {
      expect(verifier.verify(new Uint8Array(length), MESSAGE, signature)).toBe(false);
    }
    for (const length of [0, 1, 63, 65, 128]) {
      const resized = new Uint8Array(length);
      resized.set(signature.subarray(0, length));
      expect(verifier.verify(signer.publicKey, MESSAGE, resized)).toBe(false);
    }
  });

  it('refuses keys of small order and keys not in their canonical form', () => {
    for (const key of CRAFTED_KEYS) {
      for (let index = 0; index < 16; index++) {
        const message = Uint8Array.of(index);
        expect(verifier.verify(key, message, CRAFTED_SIGNATURE)).toBe(false);
      }
    }
  });

  it('refuses an S at or above the group order, and an R not in its canonical form', () => {
    const s = BigInt(`0x${Buffer.from(signature.slice(32).reverse()).toString('hex')}`);
    const above = joined(signature.subarray(0, 32), little(s + ORDER));
    expect(verifier.verify(signer.publicKey, MESSAGE, above)).toBe(false);
    expect(verifier.verify(signer.publicKey, MESSAGE, zeroNonceSignature(little(1n)))).toBe(true);
    for (const identity of [little(P + 1n), little(1n | (1n << 255n))]) {
      const crafted = zeroNonceSignature(identity);
      expect(verifier.verify(signer.publicKey, MESSAGE, crafted)).toBe(false);
    }
  });
}

/** Copies of `whole`, each with one bit changed: bit `index % 8` of byte `index`. */
function flippedOf(whole: Uint8Array): Uint8Array[] {
  return Array.from(whole, (byte, index) => {
    const flipped = whole.slice();
    flipped[index] = byte ^ (1 << (index % 8));
    return flipped;
  });
}

/** SHA-512 of the parts as a number modulo the group order. */
function challengeOf(...parts: Uint8Array[]): bigint {
  const digest = createHash('sha512')
    .update(joined(...parts))
    .digest();
  return BigInt(`0x${digest.reverse().toString('hex')}`) % ORDER;
}

/** A signature by `SEED` with nonce zero, so R = identity, written in any form of it: S = h * a. */
function zeroNonceSignature(identity: Uint8Array): Uint8Array {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(SEED);
  const challenge = challengeOf(identity, pointBytes, MESSAGE);
  return joined(identity, little((challenge * scalar) % ORDER));
}

/**
 * A signature by `seed` whose R has a part of small order: it satisfies the equation with the
 * cofactor and not the one without.
 */
export function cofactorSignature(seed: Uint8Array, message: Uint8Array): Uint8Array {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  const torsion = ed25519.Point.fromBytes(bytes(ED25519_TORSION_SUBGROUP[1]!));
  const nonce = 12345n;
  const r = ed25519.Point.BASE.multiply(nonce).add(torsion).toBytes();
  const challenge = challengeOf(r, pointBytes, message);
  return joined(r, little((nonce + challenge * scalar) % ORDER));
}
