import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, hex, independentSha256, KERNELS, lengthsOf, sampleBytes } from './kernels.ts';

/** RFC 6962, 2.1, word for word: split at the largest power of two below the number of leaves. */
function merkleTreeHash(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return independentSha256(new Uint8Array(0));
  if (leaves.length === 1) return independentSha256(concat([Uint8Array.of(0), leaves[0]!]));
  let split = 1;
  while (2 * split < leaves.length) split *= 2;
  const left = merkleTreeHash(leaves.slice(0, split));
  const right = merkleTreeHash(leaves.slice(split));
  return independentSha256(concat([Uint8Array.of(1), left, right]));
}

/** `count u32 BE | length u32 BE * count | Entries`, written field by field. */
function payloadOf(entries: readonly Uint8Array[]): Uint8Array {
  const word = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  return concat([word(entries.length), ...entries.map((entry) => word(entry.length)), ...entries]);
}

function samples(lengths: readonly number[]): Uint8Array[] {
  return lengths.map((length, index) => sampleBytes(length, index + 1));
}

/** Published Merkle roots of the Certificate Transparency reference implementation. */
const PUBLISHED_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((leaf) => new Uint8Array(Buffer.from(leaf, 'hex')));
const PUBLISHED_ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

function sampleBlock(lengths: readonly number[]) {
  const entries = samples(lengths);
  return { entries, payload: payloadOf(entries), root: hex(merkleTreeHash(entries)) };
}

/** More Entries and bytes than the WASM takes in one call, and Entries that do not fit at all. */
const LARGE = sampleBlock([
  ...[3, 2 ** 21, 5, 2 ** 21 + 1, 2_500_000],
  ...Array.from({ length: 66_000 }, (_, index) => (index < 3000 ? 700 : index % 5)),
  2 ** 21 + 1,
]);

/** Around the number of leaves that are reduced at once. */
const MANY = [4095, 4096, 4097, 8192, 8193, 12_345].map(
  (count) => [count, sampleBlock(Array.from({ length: count }, (_, index) => index % 7))] as const,
);

/** So many short Entries, a long one that ends a chunk early, and a few more. */
const INTERRUPTED = [1, 3, 4095, 4096, 4097].map((before) => {
  const short = Array.from({ length: before }, (_, index) => index % 3);
  return [before, sampleBlock([...short, 2 ** 21 + 1, 7, 8, 9, 10, 11])] as const;
});

describe.each(KERNELS)('%s', (_name, { packer }) => {
  test.each(PUBLISHED_ROOTS.map((root, index) => [index + 1, root] as const))(
    'finds the published Merkle root of %i leaves',
    (count, root) => {
      const leaves = PUBLISHED_LEAVES.slice(0, count);
      expect(hex(packer.merkleRoot(concat(leaves), lengthsOf(leaves)))).toBe(root);
    },
  );

  test('lays out any Entries as payload and RFC 6962 tree', () => {
    const length = fc.oneof(
      fc.nat(70),
      fc.nat(400),
      fc.constantFrom(54, 55, 62, 63, 118, 119, 127),
    );
    fc.assert(
      fc.property(fc.array(length, { maxLength: 70 }), (lengths) => {
        const entries = samples(lengths);
        const packed = packer.pack(concat(entries), lengthsOf(entries));
        expect(hex(packed.payload)).toBe(hex(payloadOf(entries)));
        expect(hex(packed.merkleRoot)).toBe(hex(merkleTreeHash(entries)));
      }),
      { numRuns: 100 },
    );
  });

  test('finds the root for every number of Entries up to 130', () => {
    for (let count = 0; count <= 130; count++) {
      const entries = samples(Array.from({ length: count }, (_, index) => index % 90));
      const root = packer.merkleRoot(concat(entries), lengthsOf(entries));
      expect(hex(root), `${count} Entries`).toBe(hex(merkleTreeHash(entries)));
    }
  });

  test.each(MANY)('finds the root of %i Entries', (_count, { entries, root }) => {
    expect(hex(packer.merkleRoot(concat(entries), lengthsOf(entries)))).toBe(root);
  });

  test('packs more Entries, and longer ones, than one call takes in', () => {
    const packed = packer.pack(concat(LARGE.entries), lengthsOf(LARGE.entries));
    expect(Buffer.compare(packed.payload, LARGE.payload)).toBe(0);
    expect(hex(packed.merkleRoot)).toBe(LARGE.root);
  });

  test.each(INTERRUPTED)('goes on after %i Entries and a long one', (_before, block) => {
    const packed = packer.pack(concat(block.entries), lengthsOf(block.entries));
    expect(Buffer.compare(packed.payload, block.payload)).toBe(0);
    expect(hex(packed.merkleRoot)).toBe(block.root);
  });

  test('a payload without Entries has the root of nothing', () => {
    const { payload, merkleRoot } = packer.pack(new Uint8Array(0), new Uint32Array(0));
    expect(hex(payload)).toBe('00000000');
    expect(hex(merkleRoot)).toBe(hex(independentSha256(new Uint8Array(0))));
  });

  test('hands out payloads and roots that no later call changes', () => {
    const [first, second] = [sampleBytes(50, 1), sampleBytes(50, 2)];
    const lengths = Uint32Array.of(20, 30);
    const packed = packer.pack(first, lengths);
    const root = packer.merkleRoot(first, lengths);
    packer.pack(second, lengths);
    packer.merkleRoot(second, lengths);
    const entries = [first.subarray(0, 20), first.subarray(20)];
    expect(hex(packed.payload)).toBe(hex(payloadOf(entries)));
    expect(hex(packed.merkleRoot)).toBe(hex(root));
    expect(hex(root)).toBe(hex(merkleTreeHash(entries)));
    expect(packed.payload.buffer.byteLength).toBe(62);
    expect(root.buffer.byteLength).toBe(32);
  });

  test('reads its arguments and changes none of them', () => {
    const bytes = sampleBytes(60);
    const lengths = Uint32Array.of(20, 40);
    packer.pack(bytes, lengths);
    expect(hex(bytes)).toBe(hex(sampleBytes(60)));
    expect([...lengths]).toEqual([20, 40]);
  });

  test('refuses lengths that do not add up', () => {
    const bytes = new Uint8Array(10);
    expect(() => packer.pack(bytes, Uint32Array.of(4, 5))).toThrow(RangeError);
    expect(() => packer.pack(bytes, Uint32Array.of(4, 7))).toThrow(RangeError);
    expect(() => packer.merkleRoot(bytes, Uint32Array.of(2 ** 32 - 1, 11))).toThrow(RangeError);
    expect(() => packer.merkleRoot(bytes, new Uint32Array(0))).toThrow(RangeError);
  });

  test('refuses more Entries than a payload may have', () => {
    const nothing = new Uint8Array(0);
    expect(() => packer.merkleRoot(nothing, new Uint32Array(2 ** 24 + 1))).toThrow(RangeError);
  });
});
