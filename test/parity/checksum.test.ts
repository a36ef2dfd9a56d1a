import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KERNELS, sampleBytes } from './kernels.ts';

/** Check values of CRC-32/ISO-HDLC, as in the catalogues and the PNG and zlib documents. */
const PUBLISHED: readonly (readonly [string, number])[] = [
  ['', 0],
  ['a', 0xe8b7be43],
  ['abc', 0x352441c2],
  ['123456789', 0xcbf43926],
  ['message digest', 0x20159d7f],
  ['abcdefghijklmnopqrstuvwxyz', 0x4c2750bd],
  ['The quick brown fox jumps over the lazy dog', 0x414fa339],
];

/** The definition: remainder of the message as a polynomial, a bit at a time, from the front. */
function crcByDefinition(bytes: Uint8Array): number {
  let remainder = 0xffffffffn;
  for (const byte of bytes) {
    for (let bit = 0n; bit < 8n; bit++) {
      const out = (remainder ^ (BigInt(byte) >> bit)) & 1n;
      remainder = (remainder >> 1n) ^ (out * 0xedb88320n);
    }
  }
  return Number(remainder ^ 0xffffffffn);
}

/** zlib's where this Node has it (20.15 and later). */
const independentCrc: (bytes: Uint8Array) => number =
  typeof zlib.crc32 === 'function' ? (bytes) => zlib.crc32(bytes) : crcByDefinition;

describe.each(KERNELS)('%s', (_name, { checksum }) => {
  test.each(PUBLISHED)('has the published check value of "%s"', (text, value) => {
    expect(checksum.crc32(new Uint8Array(Buffer.from(text)))).toBe(value);
  });

  test('equals the independent library for every length up to 300', () => {
    for (let length = 0; length <= 300; length++) {
      const bytes = sampleBytes(length, length + 1);
      expect(checksum.crc32(bytes), `${length} bytes`).toBe(independentCrc(bytes));
    }
  });

  test('a checksum goes on where the bytes before ended', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (a, b) => {
        const whole = checksum.crc32(new Uint8Array(Buffer.concat([a, b])));
        expect(checksum.crc32(b, checksum.crc32(a))).toBe(whole);
      }),
      { numRuns: 100 },
    );
  });

  test('takes more bytes than one call does', () => {
    const bytes = sampleBytes(2 ** 22 + 5);
    expect(checksum.crc32(bytes)).toBe(independentCrc(bytes));
  });
});
