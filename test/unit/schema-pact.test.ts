import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PACT_BYTES_MAX } from '../../src/model/pact.ts';
import { createBuiltInPacts } from '../../src/schema/built-in.ts';
import { pactOf, reader, readPact, refusalOf, sha256 } from './schema-samples.ts';

const NONE = () => undefined;
const TEXT = { type: 'string' };

describe('the permitted schemas', () => {
  test.each<[string, unknown]>([
    ['text', { type: 'string', minLength: 1, maxLength: 10 }],
    ['a choice of texts', { type: 'string', enum: ['a', 'b'] }],
    ['one text', { type: 'string', const: 'a' }],
    ['bytes', { type: 'string', contentEncoding: 'base64', minBytes: 1, maxBytes: 32 }],
    ['integers', { type: 'integer', minimum: -5, maximum: 5 }],
    ['numbers', { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.5 }],
    ['truth values', { type: 'boolean', const: true }],
    ['arrays', { type: 'array', items: TEXT, minItems: 1, maxItems: 3 }],
    ['objects', { type: 'object', properties: { y: TEXT }, additionalProperties: false }],
    ['notes', { type: 'string', title: 't', description: 'd' }],
  ])('%s', (_name, schema) => {
    const pact = pactOf(schema);
    expect(reader.readDefinition(pact.definition)).toEqual(pact);
  });
});

describe('what is not permitted is refused where it stands, with what is', () => {
  test.each<[schema: unknown, path: string, words: string]>([
    [{ type: 'text' }, '/type', 'string, integer, number, boolean, array, object'],
    [{ type: ['string', 'null'] }, '/type', 'required'],
    [{}, '/type', 'one of'],
    [true, '', 'must be an object'],
    [{ type: 'string', pattern: '(a+)+' }, '/pattern', 'permitted: type, title'],
    [{ type: 'string', default: 'a' }, '/default', 'required'],
    [{ type: 'string', format: 'date-time' }, '/format', 'integer milliseconds'],
    [{ type: 'string', minimum: 1 }, '/minimum', 'minLength'],
    [{ type: 'string', maxLength: -1 }, '/maxLength', 'integer from 0'],
    [{ type: 'string', maxLength: 1.5 }, '/maxLength', 'integer from 0'],
    [{ type: 'string', maxLength: 4194305 }, '/maxLength', 'at most 4194304'],
    [{ type: 'string', minLength: 3, maxLength: 2 }, '', '"minLength" 3 is above'],
    [{ type: 'string', minLength: 70_000 }, '', '"maxLength" 65536'],
    [{ type: 'string', contentEncoding: 'base32' }, '/contentEncoding', 'base64'],
    [{ type: 'string', contentEncoding: 'base64', maxLength: 3 }, '/maxLength', 'maxBytes'],
    [{ type: 'string', enum: [] }, '/enum', '1 to 256'],
    [{ type: 'string', enum: ['a', 'a'] }, '/enum', 'repeats'],
    [{ type: 'string', enum: [1] }, '/enum/0', 'type string'],
    [{ type: 'string', enum: ['\ud800'] }, '/enum/0', 'surrogate'],
    [{ type: 'integer', minimum: 1.5 }, '/minimum', 'integer'],
    [{ type: 'integer', maximum: 2 ** 53 }, '/maximum', '2^53'],
    [{ type: 'integer', minimum: 2, maximum: 1 }, '', 'above'],
    [{ type: 'number', multipleOf: 2 }, '/multipleOf', 'exclusiveMaximum'],
    [{ type: 'array' }, '', 'items'],
    [{ type: 'array', items: TEXT, maxItems: 262_145 }, '/maxItems', 'at most 262144'],
    [{ type: 'array', items: { type: 'null' } }, '/items/type', 'one of'],
    [{ type: 'array', items: TEXT, uniqueItems: true }, '/uniqueItems', 'maxItems'],
    [{ type: 'object', properties: {} }, '/properties', 'at least one'],
    [{ type: 'object', properties: { y: TEXT }, required: ['z'] }, '/required', '"z"'],
    [
      { type: 'object', properties: { y: TEXT }, additionalProperties: true },
      '/additionalProperties',
      'false',
    ],
    [{ $ref: '#' }, '/type', 'one of'],
    [{ type: 'string', $ref: 'http://example.org' }, '/$ref', 'extends'],
  ])('%j', (schema, path, words) => {
    const refusal = refusalOf(() => pactOf(schema));
    expect(refusal.code).toBe('PACT_NOT_PERMITTED');
    expect(refusal.path).toBe(`/schema/properties/x${path}`);
    expect(refusal.message).toContain(words);
  });

  test.each<[name: string, words: string]>([
    ['_seq', 'reserved'],
    ['constructor', 'reserved'],
    ['__proto__', 'reserved'],
    ['Door', 'a-z'],
    ['1st', 'a-z'],
    ['a-b', 'a-z'],
    ['a"; DROP TABLE vb_block; --', 'a-z'],
    ['x'.repeat(49), '48'],
  ])('the field name %s', (name, words) => {
    const schema = `{"type":"object","properties":{${JSON.stringify(name)}:{"type":"string"}}}`;
    const file = `{"name":"sample","schema":${schema}}`;
    expect(refusalOf(() => reader.readFile(file, NONE)).message).toContain(words);
  });

  test.each<[rest: Record<string, unknown>, path: string, words: string]>([
    [{ name: 'Sample' }, '/name', 'a-z'],
    [{ name: 'x'.repeat(49) }, '/name', '48'],
    [{ name: 'vb_block' }, '/name', 'vb_'],
    [{ name: 'sqlite_x' }, '/name', 'sqlite_'],
    [{ name: 'vertebra_pact' }, '/name', 'vertebra_'],
    [{ name: 7 }, '/name', 'text'],
    [{ owners: ['a'] }, '/owners', 'quorum'],
    [{ quorum: 'most' }, '/quorum', 'two-thirds, every-owner, strict'],
    [{ availability: 'none' }, '/availability', 'entries, headers'],
    [{ priority: 'urgent' }, '/priority', 'high, normal, low'],
    [{ priority: 1 }, '/priority', 'high, normal, low'],
    [{ key: 'host' }, '/key', 'list'],
    [{ key: ['host', 'host'] }, '/key', 'twice'],
    [{ key: ['post'] }, '/key', '"post" is not a field'],
    [{ key: ['note'] }, '/key', 'required'],
    [{ key: ['load'] }, '/key', 'string, integer, boolean, bytes'],
    [{ extends: 'unheard_of' }, '/extends', 'add it first'],
    [{ schema: { type: 'array' } }, '/schema/type', 'object'],
    [{ schema: 'x' }, '/schema', 'JSON Schema'],
    [{ description: 5 }, '/description', 'text'],
  ])('%j', (rest, path, words) => {
    const fields = { host: TEXT, load: { type: 'number' }, note: TEXT };
    const schema = { properties: fields, required: ['host', 'load'] };
    const refusal = refusalOf(() => readPact(schema, rest));
    expect(refusal.path).toBe(path);
    expect(refusal.message).toContain(words);
  });

  test('text that is not JSON, or no object', () => {
    expect(refusalOf(() => reader.readFile('{"name":', NONE)).code).toBe('PACT_NOT_JSON');
    expect(refusalOf(() => reader.readFile('[]', NONE)).code).toBe('PACT_NOT_PERMITTED');
    expect(refusalOf(() => reader.readFile('null', NONE)).code).toBe('PACT_NOT_PERMITTED');
  });
});

describe('every limit holds at its edge', () => {
  const nested = (depth: number): unknown =>
    depth === 0 ? { type: 'string' } : { type: 'array', items: nested(depth - 1) };
  const wide = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, TEXT]));
  const described = (length: number) =>
    readPact({ properties: { x: TEXT } }, { description: 'd'.repeat(length) });

  test('a schema is nested 8 deep', () => {
    expect(pactOf(nested(7)).fields.length).toBe(1);
    expect(refusalOf(() => pactOf(nested(8))).message).toContain('deeper than 8');
  });

  test('a Pact has 256 fields, those within fields included', () => {
    expect(readPact({ properties: wide(256) }).fields.length).toBe(256);
    expect(refusalOf(() => readPact({ properties: wide(257) })).message).toContain('256');
    const inner = { type: 'object', properties: wide(255) };
    expect(pactOf(inner).fields.length).toBe(1);
    const outer = { type: 'object', properties: wide(256) };
    expect(refusalOf(() => pactOf(outer)).message).toContain('256');
  });

  test('a Pact has 64 KiB', () => {
    const spare = PACT_BYTES_MAX - described(0).definition.length;
    expect(described(spare).definition.length).toBe(PACT_BYTES_MAX);
    expect(refusalOf(() => described(spare + 1)).code).toBe('PACT_TOO_LONG');
    const padded = ' '.repeat(PACT_BYTES_MAX);
    expect(refusalOf(() => reader.readFile(`${padded}{}`, NONE)).code).toBe('PACT_TOO_LONG');
  });

  test('hostile nesting of JSON is refused, not followed', () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    expect(refusalOf(() => reader.readFile(deep, NONE)).code).toBe('PACT_NOT_PERMITTED');
    expect(refusalOf(() => reader.readDefinition(deep)).code).toBe('PACT_NOT_PERMITTED');
    const open = '{"items":'.repeat(6000);
    const shape = `{"version":1,"fields":[{"name":"x","schema":${open}{}${'}'.repeat(6000)}}]}`;
    expect(refusalOf(() => reader.readDefinition(shape)).message).toContain('nested');
  });
});

describe('extending a Pact', () => {
  const base = readPact(
    { properties: { host: TEXT, load: { type: 'number' } }, required: ['host'] },
    { name: 'base', key: ['host'], quorum: 'strict', availability: 'headers', priority: 'low' },
  );

  test('inherited fields come first, and key and policies are inherited', () => {
    const pact = readPact({ properties: { extra: TEXT } }, { extends: 'base' }, [base]);
    expect(pact.fields.map((field) => field.name)).toEqual(['host', 'load', 'extra']);
    expect(pact).toMatchObject({
      extends: base.id,
      key: ['host'],
      quorumPolicy: 'strict',
      availability: 'headers',
      priority: 'low',
    });
    expect(reader.readDefinition(pact.definition)).toEqual(pact);
  });

  test('what the subtype says of key and policies holds', () => {
    const rest = { extends: base.id, key: ['host', 'extra'], quorum: 'two-thirds' };
    const schema = { properties: { extra: TEXT }, required: ['extra'] };
    const pact = readPact(schema, rest, [base]);
    expect(pact).toMatchObject({ key: ['host', 'extra'], quorumPolicy: 'two-thirds' });
  });

  test('an inherited field may not be changed', () => {
    const read = () => readPact({ properties: { load: TEXT } }, { extends: 'base' }, [base]);
    expect(refusalOf(read).path).toBe('/schema/properties/load');
  });

  test('inherited fields count towards the limit', () => {
    const names = Array.from({ length: 255 }, (_, index) => [`f${index}`, TEXT]);
    const wide = { properties: Object.fromEntries(names) };
    expect(refusalOf(() => readPact(wide, { extends: 'base' }, [base])).message).toContain('256');
  });

  test('a subtype has at most as many fields as any Pact, those within fields counted', () => {
    const nested = (count: number) => ({
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, TEXT])),
    });
    const parent = readPact({ properties: { inner: nested(150) } }, { name: 'parent' });
    const extend = (count: number) =>
      readPact({ properties: { own: nested(count) } }, { name: 'child', extends: 'parent' }, [
        parent,
      ]);
    const most = extend(256 - 151 - 1);
    expect(reader.readDefinition(most.definition)).toEqual(most);
    expect(refusalOf(() => extend(256 - 151)).message).toContain('256');
  });
});

describe('the definition of a Pact', () => {
  const pact = readPact({ properties: { b: { type: 'integer', maximum: 9 }, a: TEXT } });

  test('is this text, and its hash this id', () => {
    expect(pact.definition).toBe(
      '{"availability":"entries","description":"","extends":null,"fields":[' +
        '{"name":"b","optional":true,"schema":{"maximum":9,"type":"integer"}},' +
        '{"name":"a","optional":true,"schema":{"maxLength":65536,"type":"string"}}],' +
        '"key":[],"name":"sample","quorum":"two-thirds","version":1}',
    );
    expect(pact.id).toBe('74d4902b9f081dc6ec7747c3f2d04b202dce05b753835e9473e59f75a37cbc8e');
  });

  test('says its priority where that is not the normal one', () => {
    const schema = { properties: { a: TEXT } };
    const texts = (['high', 'normal', 'low'] as const).map((priority) => {
      const named = readPact(schema, { priority });
      expect(named.priority).toBe(priority);
      expect(reader.readDefinition(named.definition)).toEqual(named);
      return named.definition;
    });
    expect(texts[0]).toBe(
      '{"availability":"entries","description":"","extends":null,"fields":[' +
        '{"name":"a","optional":true,"schema":{"maxLength":65536,"type":"string"}}],' +
        '"key":[],"name":"sample","priority":"high","quorum":"two-thirds","version":1}',
    );
    expect(texts[1]).toBe(readPact(schema).definition);
    expect(texts[2]).toBe(texts[0]!.replace('high', 'low'));
    const spoken = texts[0]!.replace('high', 'normal');
    expect(refusalOf(() => reader.readDefinition(spoken)).message).toContain('canonical');
  });

  test('that extends an urgent one may be an ordinary one', () => {
    const base = readPact({ properties: { a: TEXT } }, { name: 'base', priority: 'high' });
    const named = { extends: 'base', priority: 'normal' };
    const pact = readPact({ properties: { b: TEXT } }, named, [base]);
    expect(pact.priority).toBe('normal');
    expect(reader.readDefinition(pact.definition)).toEqual(pact);
  });

  test('does not depend on how the file is laid out', () => {
    const file = {
      schema: {
        required: [],
        properties: { b: { maximum: 9.0, type: 'integer' }, a: TEXT },
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
      },
      quorum: 'two-thirds',
      name: 'sample',
    };
    expect(reader.readFile(JSON.stringify(file, null, 3), NONE).id).toBe(pact.id);
  });

  test('depends on the order of the fields', () => {
    const other = readPact({ properties: { a: TEXT, b: { type: 'integer', maximum: 9 } } });
    expect(other.id).not.toBe(pact.id);
  });

  test.each<[string, (text: string) => string]>([
    ['a space', (text) => text.replace(':', ': ')],
    [
      'another order',
      (text) => text.replace('"key":[],"name":"sample"', '"name":"sample","key":[]'),
    ],
    ['a default left out', (text) => text.replace('"maxLength":65536,', '')],
    ['another way to write a number', (text) => text.replace(':9,', ':9.0,')],
    ['an escape', (text) => text.replace('"sample"', '"s\\u0061mple"')],
    ['another member', (text) => text.replace('{"av', '{"aa":1,"av')],
    ['a member twice', (text) => text.replace('"key":[]', '"key":[],"key":[]')],
    ['optional as a number', (text) => text.replace('"optional":true', '"optional":1')],
    ['another version', (text) => text.replace('"version":1', '"version":2')],
    ['a parent that is no id', (text) => text.replace('"extends":null', '"extends":"base"')],
    ['a field twice', (text) => text.replace('"name":"b"', '"name":"a"')],
    ['no fields', (text) => text.replace(/"fields":\[.*\],"key"/, '"fields":[],"key"')],
    ['a reserved name', (text) => text.replace('"sample"', '"vertebra_pact"')],
    ['smuggled properties', (text) => text.replace('"maximum":9', '"maximum":9,"required":[]')],
  ])('with %s is not one', (_name, change) => {
    const changed = change(pact.definition);
    expect(changed).not.toBe(pact.definition);
    expect(refusalOf(() => reader.readDefinition(changed)).code).toBe('PACT_NOT_PERMITTED');
  });
});

test('the built-in Pacts read back from their definitions', () => {
  const builtIn = createBuiltInPacts(sha256);
  for (const [kind, pact] of Object.entries(builtIn)) {
    expect(reader.readDefinition(pact.definition)).toEqual(pact);
    expect(pact.name).toBe(`vertebra_${kind}`);
  }
});

test('what a peer writes into a Pact never runs', () => {
  const hostile = [
    '"+process.exit(1)+"',
    '`$' + '{process.exit(1)}`',
    "');process.exit(1)//",
    '\u2028process.exit(1)',
    '\\"+process.exit(1)+\\"',
    ['$', 'process.exit(1)', ''].join('{').replace(/{$/, '}'),
    '*/process.exit(1)/*',
    '\n\r"\0',
  ];
  const schema = { type: 'string', enum: hostile, description: hostile.join(), title: hostile[0] };
  const codec = reader.codecOf(pactOf(schema));
  for (const text of hostile) expect(codec.encode({ x: text }).ok).toBe(true);
  expect(codec.encode({ x: 'harmless' }).ok).toBe(false);
});

describe('the examples', () => {
  const folder = new URL('../../examples/pacts/', import.meta.url);
  test.each(readdirSync(folder))('%s is a Pact of that name', (file) => {
    const pact = reader.readFile(readFileSync(new URL(file, folder), 'utf8'), NONE);
    expect(`${pact.name}.json`).toBe(file);
    expect(pact.key.length).toBeGreaterThan(0);
  });
});

test('codecs are kept within a bound, and the same one is given again', () => {
  const first = pactOf({ type: 'integer' });
  const codec = reader.codecOf(first);
  expect(reader.codecOf(first)).toBe(codec);
  for (let maximum = 0; maximum < 256; maximum++) {
    reader.codecOf(pactOf({ type: 'integer', maximum }));
  }
  expect(reader.codecOf(first)).not.toBe(codec);
});
