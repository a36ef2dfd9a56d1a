import fc from 'fast-check';
import type { Pact } from '../../src/model/pact.ts';
import { readPact } from '../unit/schema-samples.ts';

/** A field's schema and values that fit it. */
interface Sample {
  readonly schema: Record<string, unknown>;
  readonly value: fc.Arbitrary<unknown>;
}

const wellFormed = fc.string({ unit: 'binary', maxLength: 60 });
const finite = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => (value === 0 ? 0 : value));
const safe = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 70_000 }));
const numbers = fc.oneof(finite, safe);

const scalars: readonly Sample[] = [
  { schema: { type: 'string' }, value: wellFormed },
  { schema: { type: 'string', maxLength: 60 }, value: fc.string({ maxLength: 60 }) },
  { schema: { type: 'string', enum: ['on', 'off'] }, value: fc.constantFrom('on', 'off') },
  { schema: { type: 'integer' }, value: safe },
  { schema: { type: 'integer', minimum: 0, maximum: 9 }, value: fc.nat({ max: 9 }) },
  { schema: { type: 'number' }, value: numbers },
  { schema: { type: 'boolean' }, value: fc.boolean() },
  {
    schema: { type: 'string', contentEncoding: 'base64' },
    value: fc.uint8Array({ maxLength: 300 }),
  },
];

const sample: fc.Arbitrary<Sample> = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(...scalars),
    tie('sample').map(arrayOf),
    fc.array(fc.tuple(tie('sample'), fc.boolean()), { minLength: 1, maxLength: 4 }).map(objectOf),
  ),
})).sample;

function arrayOf(items: Sample): Sample {
  return {
    schema: { type: 'array', items: items.schema },
    value: fc.array(items.value, { maxLength: 4 }),
  };
}

function objectOf(fields: readonly (readonly [Sample, boolean])[]): Sample {
  const named = fields.map(([each, required], index) => ({ ...each, required, name: `f${index}` }));
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(named.map(({ name, schema }) => [name, schema])),
      required: named.filter(({ required }) => required).map(({ name }) => name),
    },
    value: fc.record(Object.fromEntries(named.map(({ name, value }) => [name, value])), {
      requiredKeys: named.filter(({ required }) => required).map(({ name }) => name),
      noNullPrototype: true,
    }),
  };
}

/** A Pact and Entries that fit it. */
export const pactAndEntry: fc.Arbitrary<{ pact: Pact; entry: Record<string, unknown> }> = fc
  .array(fc.tuple(sample, fc.boolean()), { minLength: 1, maxLength: 6 })
  .map(objectOf)
  .chain(({ schema, value }) =>
    value.map((entry) => ({
      pact: readPact(schema),
      entry: entry as Record<string, unknown>,
    })),
  );
