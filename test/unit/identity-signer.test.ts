import { createPublicKey, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/identity/secret.ts';
import { Ed25519Signer } from '../../src/identity/signer.ts';
import { Ed25519Verifier, isSoundKey } from '../../src/identity/verifier.ts';
import type { Signer, Verifier } from '../../src/ports/signer.ts';
import {
  CRAFTED_KEYS,
  CRAFTED_SIGNATURE,
  cofactorSignature,
  signerContract,
} from '../contract/signer.ts';

/** An independent library behind the same two ports. */
const noble = {
  signerOf(seed: Uint8Array): Signer {
    const publicKey = ed25519.getPublicKey(seed);
    return { publicKey, sign: (message) => ed25519.sign(message, seed) };
  },
  verifier(): Verifier {
    const options = { zip215: false };
    return {
      verify(publicKey, message, signature) {
        if (publicKey.length !== 32 || signature.length !== 64) return false;
        return ed25519.verify(signature, message, publicKey, options);
      },
    };
  },
};

const ours = {
  signerOf: (seed: Uint8Array) => new Ed25519Signer(new Secret(seed)),
  verifier: () => new Ed25519Verifier(),
};

/** node:crypto alone, without our look at the key. */
function bareVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, message, key, signature);
}

describe('Signer and Verifier on node:crypto', () => signerContract(ours));
describe('Signer and Verifier on an independent library', () => signerContract(noble));

describe('the one judge of signatures', () => {
  it('agrees with an independent library on honest signatures, both ways', () => {
    for (let index = 0; index < 32; index++) {
      const seed = new Uint8Array(32).fill(index + 1);
      const message = new Uint8Array(index * 7).fill(index);
      const a = ours.signerOf(seed);
      const b = noble.signerOf(seed);
      expect(a.publicKey).toEqual(b.publicKey);
      expect(a.sign(message)).toEqual(b.sign(message));
      expect(ours.verifier().verify(b.publicKey, message, b.sign(message))).toBe(true);
      expect(noble.verifier().verify(a.publicKey, message, a.sign(message))).toBe(true);
    }
  });

  it('refuses crafted keys that node:crypto alone would accept', () => {
    const accepted = CRAFTED_KEYS.filter((key) =>
      Array.from({ length: 64 }, (_, index) => Uint8Array.of(index)).some((message) =>
        bareVerify(key, message, CRAFTED_SIGNATURE),
      ),
    );
    expect(accepted.length).toBe(CRAFTED_KEYS.length);
  });

  it('refuses every second form of a key, also where nobody has its private key', () => {
    const forms = (y: number) => {
      const canonical = new Uint8Array(32);
      canonical[0] = y;
      const second = new Uint8Array(32).fill(0xff);
      second[0] = 0xed + y; // y + p
      second[31] = 0x7f;
      return [canonical, second] as const;
    };
    const points = Array.from({ length: 17 }, (_, index) => forms(index + 2)).filter(
      ([canonical]) => isSoundKey(canonical),
    );
    expect(points.length).toBeGreaterThan(4);
    for (const [canonical, second] of points) {
      const same = ed25519.Point.fromBytes(second, true);
      expect(same.equals(ed25519.Point.fromBytes(canonical, true))).toBe(true);
      expect(isSoundKey(second)).toBe(false);
    }
  });

  it('takes the side of no cofactor where the two equations differ', () => {
    const seed = new Uint8Array(32).fill(3);
    const message = Uint8Array.of(1, 2, 3);
    const crafted = cofactorSignature(seed, message);
    const { publicKey } = ours.signerOf(seed);
    expect(noble.verifier().verify(publicKey, message, crafted)).toBe(true);
    expect(ours.verifier().verify(publicKey, message, crafted)).toBe(false);
  });

  it('remembers a bounded number of keys, and its verdicts do not depend on that', () => {
    const verifier = new Ed25519Verifier(3);
    const message = Uint8Array.of(9);
    const signers = [1, 2, 3, 4, 5].map((fill) => ours.signerOf(new Uint8Array(32).fill(fill)));
    for (let turn = 0; turn < 3; turn++) {
      for (const each of signers) {
        expect(verifier.verify(each.publicKey, message, each.sign(message))).toBe(true);
        expect(verifier.verify(CRAFTED_KEYS[turn]!, message, CRAFTED_SIGNATURE)).toBe(false);
        expect(verifier.keyCount).toBeLessThanOrEqual(3);
      }
    }
    expect(verifier.keyCount).toBe(3);
  });

  it('is not fooled by a key whose bytes change after it was judged', () => {
    const verifier = new Ed25519Verifier();
    const [first, second] = [1, 2].map((fill) => ours.signerOf(new Uint8Array(32).fill(fill)));
    const key = first!.publicKey.slice();
    const message = Uint8Array.of(4);
    expect(verifier.verify(key, message, first!.sign(message))).toBe(true);
    key.set(second!.publicKey);
    expect(verifier.verify(key, message, first!.sign(message))).toBe(false);
    expect(verifier.verify(key, message, second!.sign(message))).toBe(true);
  });

  it('shows no part of the seed when it is printed', async () => {
    const { inspect } = await import('node:util');
    const signer = ours.signerOf(new Uint8Array(32).fill(0xab));
    const printed = `${inspect(signer, { showHidden: true, depth: 9 })}${JSON.stringify(signer)}`;
    expect(printed).not.toMatch(/abab|171, ?171|q6ur/i);
  });
});
