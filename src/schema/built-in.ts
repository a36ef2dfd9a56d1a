import type { HashFunction } from '../model/bytes.ts';
import { PACT_BYTES_MAX, type Pact } from '../model/pact.ts';
import { OWNERS_MAX } from '../model/sync-group.ts';
import { sealPact, writeDefinition } from './definition.ts';
import { readPactFile } from './pact-file.ts';
import type { Json } from './subset.ts';

const ID = { type: 'string', contentEncoding: 'base64', minBytes: 32, maxBytes: 32 };

/** A Pact that somebody deployed. */
const VERTEBRA_PACT: Json = {
  name: 'vertebra_pact',
  description: 'Pacts, deployed by the owner of this Sync Group',
  schema: {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 48 },
      definition: { type: 'string', minLength: 1, maxLength: PACT_BYTES_MAX },
    },
    required: ['name', 'definition'],
  },
};

/** A Sync Group that somebody made. */
const VERTEBRA_GROUP: Json = {
  name: 'vertebra_group',
  description: 'Sync Groups, deployed by the owner of this Sync Group',
  schema: {
    type: 'object',
    properties: {
      pact: ID,
      owners: { type: 'array', items: ID, minItems: 1, maxItems: OWNERS_MAX },
      name: { type: 'string', maxLength: 48 },
    },
    required: ['pact', 'owners'],
  },
};

const CONTEXT = { find: () => undefined, fieldsOf: () => [], builtIn: true };

let definitions: ReadonlySet<string> | null = null;

/** The definitions whose names may begin with a reserved prefix. */
export function builtInDefinitions(): ReadonlySet<string> {
  definitions ??= new Set(
    [VERTEBRA_PACT, VERTEBRA_GROUP].map((file) => writeDefinition(readPactFile(file, CONTEXT))),
  );
  return definitions;
}

/** The Pacts that every Participant knows: in their groups Pacts and Sync Groups spread. */
export interface BuiltInPacts {
  /** Entries `{ name, definition }`. */
  readonly pact: Pact;
  /** Entries `{ pact, owners, name? }`, ids as bytes. */
  readonly group: Pact;
}

export function createBuiltInPacts(hash: HashFunction): BuiltInPacts {
  return {
    pact: sealPact(hash, readPactFile(VERTEBRA_PACT, CONTEXT)),
    group: sealPact(hash, readPactFile(VERTEBRA_GROUP, CONTEXT)),
  };
}
