import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, HASHERS, hex, independentSha256, lengthsOf, sampleBytes } from './kernels.ts';

/** FIPS 180-4 examples and short messages of the NIST SHAVS set: message in hex, digest. */
const NIST_VECTORS: readonly (readonly [string, string])[] = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  [
    Buffer.from('abc').toString('hex'),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  ],
  [
    Buffer.from('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq').toString('hex'),
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  [
    Buffer.from(
      'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno' +
        'ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
    ).toString('hex'),
    'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1',
  ],
  ['d3', '28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1'],
  ['11af', '5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98'],
  ['b4190e', 'dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2'],
  ['74ba2521', 'b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e'],
];

const MILLION_A = 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0';
const DIGEST_BYTES = 32;

/** More messages and bytes than the WASM takes in one call, and one that does not fit at all. */
const LARGE = sampleBatch();

function sampleBatch() {
  const lengths = Uint32Array.from({ length: 70_000 }, (_, index) => index % 70);
  lengths[100] = 2 ** 21;
  lengths[60_000] = 2 ** 21 + 1;
  const bytes = sampleBytes(lengths.reduce((sum, length) => sum + length, 0));
  const digests = new Map<number, string>();
  let offset = 0;
  lengths.forEach((length, index) => {
    const isChecked = index % 997 === 0 || index === 100 || index === 60_000;
    const message = bytes.subarray(offset, offset + length);
    if (isChecked) digests.set(index, hex(independentSha256(message)));
    offset += length;
  });
  return { bytes, lengths, digests, digest: hex(independentSha256(bytes)) };
}

describe.each(HASHERS)('%s', (_name, hasher) => {
  test.each(NIST_VECTORS)('hashes the published message %s', (message, digest) => {
    const bytes = new Uint8Array(Buffer.from(message, 'hex'));
    expect(hex(hasher.hash(bytes))).toBe(digest);
    expect(hex(hasher.hashBatch(bytes, Uint32Array.of(bytes.length)))).toBe(digest);
    expect(hex(hasher.stream().update(bytes).digest())).toBe(digest);
  });

  test('hashes a million times the letter a', () => {
    const message = new Uint8Array(1_000_000).fill('a'.charCodeAt(0));
    expect(hex(hasher.hash(message))).toBe(MILLION_A);
    const stream = hasher.stream();
    for (let at = 0; at < message.length; at += 999) stream.update(message.subarray(at, at + 999));
    expect(hex(stream.digest())).toBe(MILLION_A);
  });

  test('equals the independent libraries around every block boundary', () => {
    for (let boundary = 0; boundary <= 1024; boundary += 64) {
      for (let length = Math.max(0, boundary - 10); length <= boundary + 3; length++) {
        const message = sampleBytes(length, length + 1);
        expect(hex(hasher.hash(message)), `${length} bytes`).toBe(hex(independentSha256(message)));
      }
    }
  });

  test('equals the independent libraries for random messages', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (message) => {
        expect(hex(hasher.hash(message))).toBe(hex(independentSha256(message)));
      }),
      { numRuns: 60 },
    );
  });

  test('gives the same digest for every split of up to 130 and 130 bytes', () => {
    const bytes = sampleBytes(260);
    const digests = Array.from({ length: 261 }, (_, length) =>
      hex(independentSha256(bytes.subarray(0, length))),
    );
    const wrong: string[] = [];
    for (let first = 0; first <= 130; first++) {
      for (let second = 0; second <= 130; second++) {
        const stream = hasher.stream().update(bytes.subarray(0, first));
        stream.update(bytes.subarray(first, first + second));
        if (hex(stream.digest()) !== digests[first + second]) wrong.push(`${first}+${second}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('gives the same digest however a message is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }), (pieces) => {
        const stream = hasher.stream();
        for (const piece of pieces) stream.update(piece);
        expect(hex(stream.digest())).toBe(hex(independentSha256(concat(pieces))));
      }),
      { numRuns: 60 },
    );
  });

  test('keeps streams apart that run at the same time', () => {
    const pieces = Array.from({ length: 6 }, (_, index) => sampleBytes(37 + 31 * index, index + 1));
    const [up, down] = [hasher.stream(), hasher.stream()];
    pieces.forEach((piece, index) => {
      up.update(piece);
      hasher.hash(piece);
      down.update(pieces.at(-1 - index)!);
    });
    expect(hex(down.digest())).toBe(hex(independentSha256(concat(pieces.toReversed()))));
    expect(hex(up.digest())).toBe(hex(independentSha256(concat(pieces))));
  });

  test('hashes a batch of any lengths as it hashes each message', () => {
    const length = fc.oneof(
      fc.nat(80),
      fc.nat(300),
      fc.constantFrom(55, 56, 63, 64, 119, 120, 2000),
    );
    fc.assert(
      fc.property(fc.array(length, { maxLength: 40 }), (lengths) => {
        const messages = lengths.map((each, index) => sampleBytes(each, index + 1));
        const digests = hasher.hashBatch(concat(messages), lengthsOf(messages));
        const expected = messages.map((message) => hex(independentSha256(message)));
        expect(hex(digests)).toBe(expected.join(''));
      }),
      { numRuns: 120 },
    );
  });

  test('hashes a batch of equal lengths as it hashes each message', () => {
    for (const length of [0, 1, 32, 55, 56, 63, 64, 100, 119, 120, 128, 1024]) {
      const messages = Array.from({ length: 11 }, (_, index) => sampleBytes(length, index + 1));
      const digests = hasher.hashBatch(concat(messages), lengthsOf(messages));
      const expected = messages.map((message) => hex(independentSha256(message)));
      expect(hex(digests), `${length} bytes`).toBe(expected.join(''));
    }
  });

  test('hashes batches and messages that need several calls', () => {
    const digests = hasher.hashBatch(LARGE.bytes, LARGE.lengths);
    for (const [index, expected] of LARGE.digests) {
      const digest = digests.subarray(DIGEST_BYTES * index, DIGEST_BYTES * (index + 1));
      expect(hex(digest), `message ${index}`).toBe(expected);
    }
    expect(hex(hasher.hash(LARGE.bytes))).toBe(LARGE.digest);
    expect(hex(hasher.stream().update(LARGE.bytes).digest())).toBe(LARGE.digest);
  });

  test('hands out digests that no later call changes', () => {
    const [first, second] = [sampleBytes(100, 1), sampleBytes(100, 2)];
    const digests = [
      hasher.hash(first),
      hasher.hashBatch(first, Uint32Array.of(100)),
      hasher.stream().update(first).digest(),
    ];
    hasher.hash(second);
    hasher.hashBatch(second, Uint32Array.of(100));
    hasher.stream().update(second).digest();
    const expected = hex(independentSha256(first));
    expect(digests.map(hex)).toEqual([expected, expected, expected]);
    expect(digests.map((digest) => digest.constructor)).toEqual(Array(3).fill(Uint8Array));
    for (const digest of digests) expect(digest.buffer.byteLength).toBe(DIGEST_BYTES);
  });

  test('refuses lengths that do not add up', () => {
    const bytes = new Uint8Array(10);
    expect(() => hasher.hashBatch(bytes, Uint32Array.of(4, 5))).toThrow(RangeError);
    expect(() => hasher.hashBatch(bytes, Uint32Array.of(4, 7))).toThrow(RangeError);
    expect(() => hasher.hashBatch(bytes, Uint32Array.of(2 ** 32 - 1, 11))).toThrow(RangeError);
    expect(() => hasher.hashBatch(bytes, new Uint32Array(0))).toThrow(RangeError);
  });

  test('a stream ends with its digest', () => {
    const stream = hasher.stream().update(sampleBytes(10));
    stream.digest();
    expect(() => stream.update(sampleBytes(1))).toThrow('a hash stream is used until');
    expect(() => stream.digest()).toThrow('a hash stream is used until');
  });
});
