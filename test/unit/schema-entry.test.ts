import { describe, expect, test } from 'vitest';
import { createPactReader } from '../../src/schema/pact-reader.ts';
import { pactOf, reader, readPact, sha256 } from './schema-samples.ts';

const load = reader.codecOf(
  readPact({
    properties: {
      host: { type: 'string', maxLength: 5 },
      load1: { type: 'number', minimum: 0 },
      cores: { type: 'integer', maximum: 64 },
      note: { type: 'string' },
    },
    required: ['host', 'load1', 'cores'],
  }),
);
const GOOD = { host: 'pi', load1: 0.25, cores: 4 };

/** What becomes of a value in the one field `x` of this schema. */
function encodeX(schema: unknown, x: unknown) {
  return reader.codecOf(pactOf(schema)).encode({ x });
}

function bytesOf(schema: unknown, x: unknown): string {
  const verdict = encodeX(schema, x);
  return verdict.ok ? Buffer.from(verdict.value).toString('hex') : `${verdict.message}`;
}

describe('an Entry that breaks its Pact is refused with the field named', () => {
  test.each<[entry: unknown, field: string, words: string]>([
    [{ ...GOOD, host: undefined }, 'host', 'required'],
    [{ load1: 1, cores: 1 }, 'host', 'at most 5 characters'],
    [{ ...GOOD, host: null }, 'host', 'required'],
    [{ ...GOOD, host: 'raspberry' }, 'host', '"raspberry"; permitted: text of at most 5'],
    [{ ...GOOD, host: 7 }, 'host', 'the number 7'],
    [{ ...GOOD, host: ['pi'] }, 'host', 'an array of 1 items'],
    [{ ...GOOD, host: '\ud800' }, 'host', 'surrogate'],
    [{ ...GOOD, load1: '0.25' }, 'load1', 'text of 4 characters "0.25"; permitted: a finite'],
    [{ ...GOOD, load1: -1 }, 'load1', 'at least 0'],
    [{ ...GOOD, load1: Number.NaN }, 'load1', 'NaN'],
    [{ ...GOOD, load1: Number.POSITIVE_INFINITY }, 'load1', 'Infinity'],
    [{ ...GOOD, load1: 1n }, 'load1', 'bigint'],
    [{ ...GOOD, cores: 1.5 }, 'cores', 'an integer, at most 64'],
    [{ ...GOOD, cores: 65 }, 'cores', 'at most 64'],
    [{ ...GOOD, cores: true }, 'cores', 'true'],
    [{ ...GOOD, laod1: 1 }, 'laod1', 'permitted: load1'],
    [{ ...GOOD, extra: undefined }, 'extra', 'no field of this Pact'],
    [{ ...GOOD, ['__proto__x']: 1 }, '__proto__x', 'no field of this Pact'],
    [{ ...GOOD, ['y'.repeat(1000)]: 1 }, `${'y'.repeat(64)}...`, 'no field of this Pact'],
    [null, '', 'an object of fields'],
    ['text', '', 'an object of fields'],
    [[GOOD], '', 'an object of fields'],
    [new Uint8Array(3), '', 'an object of fields'],
  ])('%o', (entry, field, words) => {
    const verdict = load.encode(entry as Record<string, unknown>);
    expect(verdict).toMatchObject({ ok: false, field });
    expect(verdict.ok ? '' : verdict.message).toContain(words);
  });

  test.each<[schema: unknown, x: unknown, field: string, words: string]>([
    [{ type: 'array', items: { type: 'integer' } }, [1, 'b'], 'x/1', 'an integer'],
    [{ type: 'array', items: { type: 'integer' }, maxItems: 1 }, [1, 2], 'x', 'at most 1 items'],
    [{ type: 'array', items: { type: 'integer' } }, [1, null], 'x/1', 'null'],
    [{ type: 'array', items: { type: 'integer' } }, { 0: 1 }, 'x', 'an object'],
    [{ type: 'object', properties: { y: { type: 'string' } } }, { z: 1 }, 'x/z', 'permitted: y'],
    [
      { type: 'object', properties: { y: { type: 'string' } }, required: ['y'] },
      {},
      'x/y',
      'required',
    ],
    [{ type: 'object', properties: { y: { type: 'string' } } }, { y: 5 }, 'x/y', 'number 5'],
    [{ type: 'object', properties: { y: { type: 'string' } } }, [], 'x', 'with y'],
    [{ type: 'string', contentEncoding: 'base64', maxBytes: 2 }, 'AAAA', 'x', '3 bytes'],
    [{ type: 'string', contentEncoding: 'base64' }, 'no base64!', 'x', 'base64 text'],
    [{ type: 'string', contentEncoding: 'base64', minBytes: 2 }, new Uint8Array(1), 'x', '2 to'],
    [{ type: 'string', enum: ['a', 'b'] }, 'c', 'x', 'one of "a", "b"'],
    [{ type: 'integer', const: 7 }, 8, 'x', 'only 7'],
    [{ type: 'boolean' }, 0, 'x', 'true or false'],
    [{ type: 'integer' }, 2 ** 53, 'x', '2^53'],
    [{ type: 'integer' }, -(2 ** 53), 'x', '2^53'],
  ])('%j against %o', (schema, x, field, words) => {
    const verdict = encodeX(schema, x);
    expect(verdict).toMatchObject({ ok: false, field });
    expect(verdict.ok ? '' : verdict.message).toContain(words);
  });

  test('each bound of the schema holds on both sides', () => {
    const text = { type: 'string', minLength: 2, maxLength: 3 };
    expect(['a', 'ab', 'abc', 'abcd'].map((x) => encodeX(text, x).ok)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    const pairs = { type: 'string', maxLength: 2 };
    expect(['😀😀', '😀😀😀'].map((x) => encodeX(pairs, x).ok)).toEqual([true, false]);
    const open = { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 };
    expect([0, 0.5, 1].map((x) => encodeX(open, x).ok)).toEqual([false, true, false]);
    const plain = { type: 'string' };
    expect([65_536, 65_537].map((n) => encodeX(plain, 'a'.repeat(n)).ok)).toEqual([true, false]);
    const list = { type: 'array', items: { type: 'integer' } };
    expect([1024, 1025].map((n) => encodeX(list, Array(n).fill(1)).ok)).toEqual([true, false]);
  });

  test('the arrays of an Entry have at most 262,144 items in all', () => {
    const inner = { type: 'array', items: { type: 'boolean' }, maxItems: 262_144 };
    const codec = reader.codecOf(pactOf({ type: 'array', items: inner, maxItems: 262_144 }));
    const nested = (last: number) => [
      ...Array(3).fill(Array(65_535).fill(true)),
      Array(last).fill(true),
    ];
    const most = 262_144 - 3 * 65_535 - 4;
    const fits = codec.encode({ x: nested(most) });
    expect(fits.ok && codec.decode(fits.value).ok).toBe(true);
    expect(codec.encode({ x: nested(most + 1) })).toMatchObject({ ok: false, field: 'x/3' });
    const bytes = Buffer.concat([
      Buffer.from('81849a00020000', 'hex'),
      Buffer.alloc(131_072, 0xf5),
      Buffer.from('9a00020000', 'hex'),
    ]);
    expect(codec.decode(bytes)).toMatchObject({ ok: false, field: 'x/1' });
  });

  test('a fault at the very end of a long array is found without delay', () => {
    const items = { type: 'integer', maximum: 5 };
    const codec = reader.codecOf(pactOf({ type: 'array', items, maxItems: 262_144 }));
    const head = Buffer.from('819a00040000', 'hex');
    const bytes = Buffer.concat([head, Buffer.alloc(262_143, 5), Buffer.from([6])]);
    expect(codec.decode(bytes)).toMatchObject({ ok: false, field: 'x/262143' });
  });

  test('an Entry has at most as many bytes as configured', () => {
    const small = createPactReader({ hash: sha256, entryBytesMax: 300 });
    const codec = small.codecOf(pactOf({ type: 'string' }));
    const fits = codec.encode({ x: 'a'.repeat(296) });
    expect(fits).toMatchObject({ ok: true });
    expect(fits.ok && fits.value.length).toBe(300);
    expect(codec.encode({ x: 'a'.repeat(297) })).toMatchObject({ ok: false });
    expect(codec.encode({ x: 'a'.repeat(60_000) })).toMatchObject({ ok: false, field: 'x' });
    const long = reader.codecOf(pactOf({ type: 'string' })).encode({ x: 'a'.repeat(297) });
    expect(codec.decode(long.ok ? long.value : new Uint8Array())).toMatchObject({ ok: false });
  });
});

describe('the bytes of an Entry', () => {
  test.each<[schema: unknown, x: unknown, hex: string]>([
    [{ type: 'integer' }, 0, '8100'],
    [{ type: 'integer' }, -0, '8100'],
    [{ type: 'integer' }, 23, '8117'],
    [{ type: 'integer' }, 24, '811818'],
    [{ type: 'integer' }, 256, '81190100'],
    [{ type: 'integer' }, 65_536, '811a00010000'],
    [{ type: 'integer' }, 2 ** 32, '811b0000000100000000'],
    [{ type: 'integer' }, Number.MAX_SAFE_INTEGER, '811b001fffffffffffff'],
    [{ type: 'integer' }, -1, '8120'],
    [{ type: 'integer' }, -Number.MAX_SAFE_INTEGER, '813b001ffffffffffffe'],
    [{ type: 'number' }, 0.5, '81fb3fe0000000000000'],
    [{ type: 'number' }, 2, '8102'],
    [{ type: 'number' }, -0, '8100'],
    [{ type: 'number' }, 2 ** 53, '81fb4340000000000000'],
    [{ type: 'boolean' }, true, '81f5'],
    [{ type: 'string' }, 'é', '8162c3a9'],
    [{ type: 'string', contentEncoding: 'base64' }, 'AQI=', '81420102'],
    [{ type: 'string', contentEncoding: 'base64' }, new Uint8Array([1, 2]), '81420102'],
    [{ type: 'array', items: { type: 'boolean' } }, [true, false], '8182f5f4'],
    [
      {
        type: 'object',
        properties: { y: { type: 'integer' }, z: { type: 'integer' } },
      },
      { z: 1 },
      '8182f601',
    ],
  ])('%j: %o is %s', (schema, x, hex) => {
    expect(bytesOf(schema, x)).toBe(hex);
    const codec = reader.codecOf(pactOf(schema));
    expect(codec.decode(Buffer.from(hex, 'hex')).ok).toBe(true);
  });

  test('a field left out is null, in whatever way it is left out', () => {
    const hexes = [GOOD, { ...GOOD, note: null }, { ...GOOD, note: undefined }].map((entry) => {
      const verdict = load.encode(entry);
      return verdict.ok && Buffer.from(verdict.value).toString('hex');
    });
    expect(hexes).toEqual(Array(3).fill('84627069fb3fd000000000000004f6'));
    expect(load.decode(Buffer.from(String(hexes[0]), 'hex'))).toEqual({
      ok: true,
      value: ['pi', 0.25, 4, null],
    });
  });

  test('an Entry does not share memory with what it was made from, or was decoded from', () => {
    const codec = reader.codecOf(pactOf({ type: 'string', contentEncoding: 'base64' }));
    const given = new Uint8Array([1, 2]);
    const encoded = codec.encode({ x: given });
    const bytes = encoded.ok ? encoded.value : new Uint8Array();
    const before = bytes.slice();
    given.fill(9);
    codec.encode({ x: new Uint8Array([7, 7, 7]) });
    expect(bytes).toEqual(before);
    const decoded = codec.decode(bytes);
    bytes.fill(0);
    expect(decoded).toEqual({ ok: true, value: [new Uint8Array([1, 2])] });
  });

  test('as a record, bytes are base64 and fields left out are absent', () => {
    const codec = reader.codecOf(
      readPact({
        properties: {
          b: { type: 'string', contentEncoding: 'base64' },
          o: {
            type: 'object',
            properties: { c: { type: 'string', contentEncoding: 'base64' } },
          },
          n: { type: 'integer' },
        },
      }),
    );
    const values = [new Uint8Array([1]), { c: new Uint8Array([2]) }, null];
    expect(codec.toRecord(values)).toEqual({ b: 'AQ==', o: { c: 'Ag==' } });
  });
});

describe('bytes that no Entry encodes to are refused', () => {
  const SCHEMAS = {
    integer: { type: 'integer' },
    number: { type: 'number' },
    text: { type: 'string', maxLength: 100 },
    flag: { type: 'boolean' },
    bytes: { type: 'string', contentEncoding: 'base64' },
    list: { type: 'array', items: { type: 'integer' }, maxItems: 3 },
    object: { type: 'object', properties: { y: { type: 'integer' } }, required: ['y'] },
  };

  test.each<[string, keyof typeof SCHEMAS, string]>([
    ['nothing', 'integer', ''],
    ['no array', 'integer', '01'],
    ['too few fields', 'integer', '80'],
    ['too many fields', 'integer', '820101'],
    ['bytes after the end', 'integer', '810100'],
    ['an end within', 'integer', '8119'],
    ['an integer in a long form', 'integer', '811800'],
    ['a longer one', 'integer', '81190017'],
    ['longer still', 'integer', '811a00000100'],
    ['the longest', 'integer', '811b0000000000010000'],
    ['a long head of the array', 'integer', '980101'],
    ['an array without end', 'integer', '9f01ff'],
    ['an integer above 2^53 - 1', 'integer', '811b0020000000000000'],
    ['an integer below -(2^53 - 1)', 'integer', '813b001fffffffffffff'],
    ['a reserved head', 'integer', '811c'],
    ['null where required', 'integer', '81f6'],
    ['undefined', 'integer', '81f7'],
    ['a tag', 'integer', '81c001'],
    ['a double for an integer field', 'integer', '81fb3ff8000000000000'],
    ['a double that is integral', 'number', '81fb3ff0000000000000'],
    ['minus zero', 'number', '81fb8000000000000000'],
    ['NaN', 'number', '81fb7ff8000000000000'],
    ['infinity', 'number', '81fb7ff0000000000000'],
    ['a half', 'number', '81f93800'],
    ['a single', 'number', '81fa3f000000'],
    ['a double cut short', 'number', '81fb3fe0'],
    ['text that is not UTF-8', 'text', '8161ff'],
    ['an overlong form', 'text', '8162c080'],
    ['a surrogate in UTF-8', 'text', '8163eda080'],
    ['text cut short', 'text', '816461'],
    ['text without end', 'text', '817f6161ff'],
    ['too much text', 'text', `817865${'61'.repeat(101)}`],
    ['bytes for text', 'text', '814161'],
    ['text for bytes', 'bytes', '816161'],
    ['another simple value', 'flag', '81f8ff'],
    ['an integer for a flag', 'flag', '8101'],
    ['too many items', 'list', '818400000000'],
    ['a claim of 2^32 items', 'list', '819affffffff'],
    ['a claim of 2^53 items', 'list', '819b001fffffffffffff'],
    ['null among items', 'list', '8181f6'],
    ['a missing item', 'list', '818201'],
    ['a map for an object', 'object', '81a1617901'],
    ['an object without its field', 'object', '8181f6'],
    ['an object with more', 'object', '81820101'],
  ])('%s', (_name, field, hex) => {
    const codec = reader.codecOf(pactOf(SCHEMAS[field]));
    expect(codec.decode(Buffer.from(hex, 'hex'))).toMatchObject({ ok: false });
  });

  test('a byte order mark is text like any other', () => {
    const codec = reader.codecOf(pactOf({ type: 'string' }));
    const encoded = codec.encode({ x: '\ufeffa' });
    expect(encoded.ok && codec.decode(encoded.value)).toEqual({ ok: true, value: ['\ufeffa'] });
  });
});
