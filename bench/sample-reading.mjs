// The Entry of all benchmarks that move Entries: typed, and exactly 100 bytes long when encoded.
import { strictEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createPactReader } from '../build/schema/pact-reader.js';

export const ENTRY_BYTES = 100;

/** A Pact file's text. */
export const readingPact = JSON.stringify({
  name: 'bench_reading',
  description: 'A reading of a sensor, 100 bytes when encoded',
  schema: {
    type: 'object',
    properties: {
      sensor: { type: 'string', maxLength: 32 },
      at: { type: 'integer', minimum: 0 },
      value: { type: 'number' },
      quality: { type: 'integer', minimum: 0, maximum: 100 },
      note: { type: 'string', maxLength: 80 },
    },
    required: ['sensor', 'at', 'value', 'quality', 'note'],
  },
});

/**
 * 1 array head, 12 sensor, 9 at, 9 value, 2 quality: what is left is the note and its 2 of length.
 */
const NOTE = 'the quick brown fox jumps over the lazy dog '.repeat(2).slice(0, 65);

/** Reading number `index`. Every one has another time and value. */
export function readingAt(index) {
  return {
    sensor: `sensor-${String(index % 10_000).padStart(4, '0')}`,
    at: 1_790_000_000_000 + index,
    value: 20 + 10 * Math.sin(index + 1),
    quality: 30 + (index % 70),
    note: NOTE,
  };
}

/** Holds the promise of the first line. */
export function checkReadings() {
  const hash = (message) => createHash('sha256').update(message).digest();
  const reader = createPactReader({ hash, entryBytesMax: 4096 });
  const codec = reader.codecOf(reader.readFile(readingPact, () => undefined));
  for (let index = 0; index < 10_000; index++) {
    const encoded = codec.encode(readingAt(index));
    strictEqual(encoded.value?.length, ENTRY_BYTES, `reading ${index}`);
  }
}
