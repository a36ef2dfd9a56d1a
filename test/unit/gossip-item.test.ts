import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { keyOf } from '../../src/gossip/item.ts';
import { Ed25519Verifier } from '../../src/identity/verifier.ts';
import { signedBytesOf } from '../../src/model/block.ts';
import { concatBytes, toHex32 } from '../../src/model/bytes.ts';
import { type Certificate, sealCertificate } from '../../src/model/certificate.ts';
import type { Ballot } from '../../src/model/numbers.ts';
import { idOf } from './gossip-samples.ts';

const { Point } = ed25519;
const order = Point.Fn.ORDER;

/** A number below 2^256 in 32 bytes, little-endian (RFC 8032). */
const toBytes = (value: bigint) =>
  Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));

const toNumber = (bytes: Uint8Array) =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

const sha512 = (message: Uint8Array) =>
  new Uint8Array(createHash('sha512').update(message).digest());

/** Signs with a nonce of its own choice: honest signers never use one twice, others may. */
function signWith(nonce: bigint, secret: bigint, message: Uint8Array): Uint8Array {
  const point = Point.BASE.multiply(nonce).toBytes();
  const owner = Point.BASE.multiply(secret).toBytes();
  const digest = sha512(concatBytes(point, owner, message));
  const challenge = toNumber(digest) % order;
  return concatBytes(point, toBytes((nonce + challenge * secret) % order));
}

describe('what an item is remembered by', () => {
  it('differs for two Certificates that their owner signed with one nonce', () => {
    const [secret, nonce] = [123_456_789n, 987_654_321n];
    const key = Point.BASE.multiply(secret).toBytes();
    const certify = (metablock: string): Certificate => {
      const entries = [{ group: idOf('group'), ballot: 1 as Ballot }];
      const body = { metablock: idOf(metablock), certifier: toHex32(key), entries };
      const unsigned = sealCertificate(body, new Uint8Array(64));
      return sealCertificate(body, signWith(nonce, secret, signedBytesOf(unsigned)));
    };
    const certificates = ['one', 'other'].map(certify);
    const verifier = new Ed25519Verifier();
    for (const each of certificates) {
      expect(verifier.verify(key, signedBytesOf(each), each.signature)).toBe(true);
    }
    const keys = certificates.map((certificate) => keyOf({ kind: 'certificate', certificate }));
    expect(new Set(keys).size).toBe(2);
  });
});
