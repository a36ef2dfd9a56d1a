import { encode } from 'cborg';
import { describe, expect, test } from 'vitest';
import { pactOf, reader } from './schema-samples.ts';

const codec = reader.codecOf(pactOf({ type: 'string' }));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Around the lengths at which text is written in another way, and at which heads grow. */
const LENGTHS = [0, 1, 2, 3, 11, 12, 13, 14, 23, 24, 127, 128, 129, 255, 256, 1023, 1024, 1025];

/** `count` characters, one of them `odd`. */
function textWith(odd: string, count: number, at: number): string {
  return 'a'.repeat(at) + odd + 'b'.repeat(count - at);
}

describe('text of every length, with one character of 1 to 4 bytes at either end or within', () => {
  test.each(['z', '\0', '\x7f', '\x80', 'é', '߿', '€', '\uffff', '😀', 'éé', '€€€€'])(
    '%j',
    (odd) => {
      for (const count of LENGTHS) {
        for (const at of new Set([0, Math.floor(count / 2), count])) {
          const text = textWith(odd, count, at);
          const encoded = codec.encode({ x: text });
          expect(encoded.ok).toBe(true);
          if (!encoded.ok) continue;
          expect(hexOf(encoded.value)).toBe(hexOf(encode([text])));
          expect(codec.decode(encoded.value)).toEqual({ ok: true, value: [text] });
        }
      }
    },
  );

  test.each(['\ud800', '\udc00', '\udc00\ud800'])('%j, half of a pair, is refused', (half) => {
    for (const count of LENGTHS) {
      for (const at of [0, count]) {
        const encoded = codec.encode({ x: textWith(half, count, at) });
        expect(encoded).toMatchObject({ ok: false, field: 'x' });
      }
    }
  });
});

test('texts of many Entries decode wherever they lie, also where one is long', () => {
  const texts = Array.from({ length: 3000 }, (_, index) => {
    const odd = index % 7 === 0 ? 'é' : '';
    return `${index} ${odd}${'.'.repeat(index % 128)}`;
  });
  texts.splice(1500, 0, 'x'.repeat(65_000), 'y');
  const entries = texts.map((x) => codec.encode({ x }));
  const bytes = entries.map((entry) => (entry.ok ? entry.value : new Uint8Array()));
  const lengths = Uint32Array.from(bytes, (each) => each.length);
  const decoded = codec.decodeAll(new Uint8Array(Buffer.concat(bytes)), lengths);
  expect(decoded).toEqual({ ok: true, value: texts.map((text) => [text]) });
});
