import { createHash } from 'node:crypto';
import type { HashFunction } from '../../src/model/bytes.ts';
import type { Pact } from '../../src/model/pact.ts';
import { PactError } from '../../src/ports/pacts.ts';
import { createPactReader } from '../../src/schema/pact-reader.ts';

export const sha256: HashFunction = (message) =>
  new Uint8Array(createHash('sha256').update(message).digest());

export const reader = createPactReader({ hash: sha256 });

/** A Pact whose one field `x` has this schema. */
export function pactOf(schema: unknown): Pact {
  return readPact({ properties: { x: schema }, required: ['x'] });
}

/** A Pact `sample` with this `schema`, and with what else a Pact file says. */
export function readPact(
  schema: Record<string, unknown>,
  rest: Record<string, unknown> = {},
  known: readonly Pact[] = [],
): Pact {
  const file = { name: 'sample', schema: { type: 'object', ...schema }, ...rest };
  return reader.readFile(JSON.stringify(file), (wanted) =>
    known.find((each) => each.name === wanted || each.id === wanted),
  );
}

/** What a wrong Pact is refused with. */
export function refusalOf(read: () => unknown): PactError {
  try {
    read();
  } catch (cause) {
    if (cause instanceof PactError) return cause;
    throw cause;
  }
  throw new Error('was not refused');
}
