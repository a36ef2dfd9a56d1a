import type { HashFunction } from '../model/bytes.ts';
import { PACT_BYTES_MAX, type Pact } from '../model/pact.ts';
import { AVAILABILITIES, OWNERS_MAX, QUORUM_POLICIES } from '../model/sync-group.ts';
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

const RULES = {
  group: ID,
  owners: { type: 'array', items: ID, minItems: 1, maxItems: OWNERS_MAX },
  quorum: { type: 'string', enum: [...QUORUM_POLICIES] },
  availability: { type: 'string', enum: [...AVAILABILITIES] },
};

/** An owner's signature over who is to go on after a Sync Group. */
const VERTEBRA_APPROVAL: Json = {
  name: 'vertebra_approval',
  description: 'Changes of Sync Groups that the owner of this Sync Group approves of',
  schema: {
    type: 'object',
    properties: {
      ...RULES,
      signature: { type: 'string', contentEncoding: 'base64', minBytes: 64, maxBytes: 64 },
    },
    required: ['group', 'owners', 'quorum', 'availability', 'signature'],
  },
};

/** A Sync Group that its operator took on without a Quorum: a fork, on purpose. */
const VERTEBRA_SPLIT: Json = {
  name: 'vertebra_split',
  description: 'Sync Groups that the owner of this Sync Group took on without their Quorum',
  schema: {
    type: 'object',
    properties: {
      ...RULES,
      head: ID,
      sequence: { type: 'integer', minimum: 0, maximum: 2 ** 52 },
      at: { type: 'integer', minimum: 0 },
    },
    required: ['group', 'owners', 'quorum', 'availability', 'sequence', 'at'],
  },
};

const CONTEXT = { find: () => undefined, fieldsOf: () => [], builtIn: true };

let definitions: ReadonlySet<string> | null = null;

/** The definitions whose names may begin with a reserved prefix. */
export function builtInDefinitions(): ReadonlySet<string> {
  definitions ??= new Set(
    [VERTEBRA_PACT, VERTEBRA_GROUP, VERTEBRA_APPROVAL, VERTEBRA_SPLIT].map((file) =>
      writeDefinition(readPactFile(file, CONTEXT)),
    ),
  );
  return definitions;
}

/** The Pacts that every Participant knows: in their groups Pacts and Sync Groups spread, and how
 * these change. */
export interface BuiltInPacts {
  /** Entries `{ name, definition }`. */
  readonly pact: Pact;
  /** Entries `{ pact, owners, name? }`, ids as bytes. */
  readonly group: Pact;
  /** Entries `{ group, owners, quorum, availability, signature }` (see model/hand-over). */
  readonly approval: Pact;
  /** Entries `{ group, owners, quorum, availability, head?, sequence, at }`. */
  readonly split: Pact;
}

export function createBuiltInPacts(hash: HashFunction): BuiltInPacts {
  return {
    pact: sealPact(hash, readPactFile(VERTEBRA_PACT, CONTEXT)),
    group: sealPact(hash, readPactFile(VERTEBRA_GROUP, CONTEXT)),
    approval: sealPact(hash, readPactFile(VERTEBRA_APPROVAL, CONTEXT)),
    split: sealPact(hash, readPactFile(VERTEBRA_SPLIT, CONTEXT)),
  };
}
