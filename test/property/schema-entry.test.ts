import { encode } from 'cborg';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pact } from '../../src/model/pact.ts';
import type { EntryCodec } from '../../src/ports/pacts.ts';
import { reader } from '../unit/schema-samples.ts';
import { pactAndEntry } from './pact-arbitraries.ts';

interface Schema {
  readonly type: string;
  readonly items?: Schema;
  readonly properties?: readonly Field[];
}
interface Field {
  readonly name: string;
  readonly schema: Schema;
}

/** The nested arrays that an Entry is in CBOR, by a reading of the definition of its own. */
function positional(schema: Schema, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (schema.items !== undefined) {
    const { items } = schema;
    return (value as unknown[]).map((each) => positional(items, each));
  }
  if (schema.properties === undefined) return value;
  return fieldsOf(schema.properties, value as Record<string, unknown>);
}

function fieldsOf(fields: readonly Field[], record: Record<string, unknown>): unknown[] {
  return fields.map(({ name, schema }) => positional(schema, record[name]));
}

function encodeWithOracle(pact: Pact, entry: Record<string, unknown>): Uint8Array {
  const { fields } = JSON.parse(pact.definition) as { fields: Field[] };
  return encode(fieldsOf(fields, entry), { float64: true });
}

function encoded(codec: EntryCodec, entry: Record<string, unknown>): Uint8Array {
  const verdict = codec.encode(entry);
  if (!verdict.ok) throw new Error(`${verdict.field}: ${verdict.message}`);
  return verdict.value;
}

interface Change {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly removed: number;
}

function changed(bytes: Uint8Array, { at, bytes: inserted, removed }: Change): Uint8Array {
  const place = at % (bytes.length + 1);
  const rest = bytes.subarray(place + removed);
  return new Uint8Array(Buffer.concat([bytes.subarray(0, place), inserted, rest]));
}

describe('Entries', () => {
  test('have the bytes that cborg makes', () => {
    fc.assert(
      fc.property(pactAndEntry, ({ pact, entry }) => {
        const bytes = encoded(reader.codecOf(pact), entry);
        expect(Buffer.from(bytes)).toEqual(Buffer.from(encodeWithOracle(pact, entry)));
      }),
      { numRuns: 150 },
    );
  });

  test('decode to what was encoded', () => {
    fc.assert(
      fc.property(pactAndEntry, ({ pact, entry }) => {
        const codec = reader.codecOf(pact);
        const decoded = codec.decode(encoded(codec, entry));
        expect(decoded).toEqual({
          ok: true,
          value: pact.fields.map(({ name }) => entry[name] ?? null),
        });
      }),
      { numRuns: 150 },
    );
  });

  test('survive the way over JSON', () => {
    fc.assert(
      fc.property(pactAndEntry, ({ pact, entry }) => {
        const codec = reader.codecOf(pact);
        const bytes = encoded(codec, entry);
        const decoded = codec.decode(bytes);
        const record = decoded.ok ? codec.toRecord(decoded.value) : {};
        const again = JSON.parse(JSON.stringify(record)) as Record<string, unknown>;
        expect(encoded(codec, again)).toEqual(bytes);
      }),
      { numRuns: 100 },
    );
  });

  test('have one encoding: what decodes encodes to the same bytes', () => {
    const change = fc.record({
      at: fc.nat(),
      bytes: fc.uint8Array({ maxLength: 3 }),
      removed: fc.nat({ max: 3 }),
    });
    const variants = fc.array(fc.array(change, { maxLength: 3 }), { minLength: 10, maxLength: 20 });
    fc.assert(
      fc.property(pactAndEntry, variants, ({ pact, entry }, each) => {
        const codec = reader.codecOf(pact);
        for (const changes of each) {
          const bytes = changes.reduce(changed, encoded(codec, entry));
          const decoded = codec.decode(bytes);
          if (decoded.ok) expect(encoded(codec, codec.toRecord(decoded.value))).toEqual(bytes);
          else expect(decoded.message).not.toBe('');
        }
      }),
      { numRuns: 200 },
    );
  });

  test('that lie one after the other decode as each alone', () => {
    const change = fc.record({
      at: fc.nat(),
      bytes: fc.uint8Array({ maxLength: 3 }),
      removed: fc.nat({ max: 3 }),
    });
    const variants = fc.array(fc.array(change, { maxLength: 1 }), { maxLength: 12 });
    fc.assert(
      fc.property(pactAndEntry, variants, fc.boolean(), ({ pact, entry }, each, isGood) => {
        const codec = reader.codecOf(pact);
        const good = encoded(codec, entry);
        const parts = each.map((changes) => (isGood ? good : changes.reduce(changed, good)));
        const lengths = Uint32Array.from(parts, (part) => part.length);
        const verdicts = parts.map((part) => codec.decode(part));
        const index = verdicts.findIndex(({ ok }) => !ok);
        expect(codec.decodeAll(new Uint8Array(Buffer.concat(parts)), lengths)).toEqual(
          index < 0
            ? { ok: true, value: verdicts.map((verdict) => verdict.ok && verdict.value) }
            : { ...verdicts[index], index },
        );
      }),
      { numRuns: 300 },
    );
  });

  test('of any bytes at all never throw', () => {
    fc.assert(
      fc.property(pactAndEntry, fc.uint8Array({ maxLength: 200 }), ({ pact }, bytes) => {
        expect(typeof reader.codecOf(pact).decode(bytes).ok).toBe('boolean');
      }),
      { numRuns: 150 },
    );
  });
});

describe('Pacts', () => {
  test('read back from their definitions', () => {
    fc.assert(
      fc.property(pactAndEntry, ({ pact }) => {
        expect(reader.readDefinition(pact.definition)).toEqual(pact);
      }),
    );
  });
});
