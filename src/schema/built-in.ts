import { CODE_BYTES_MAX } from '../model/behavior.ts';
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
  priority: 'high',
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
  priority: 'high',
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
  priority: 'high',
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
  priority: 'high',
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

const TEXT = { type: 'string', minLength: 1, maxLength: 64 * 1024 };
const NAME = { type: 'string', minLength: 1, maxLength: 48 };

/** Code that somebody deployed, and what it says of itself (see model/behavior). */
const VERTEBRA_BEHAVIOR: Json = {
  name: 'vertebra_behavior',
  description: 'Behaviors, deployed by the owner of this Sync Group',
  schema: {
    type: 'object',
    properties: {
      name: NAME,
      manifest: { type: 'string', contentEncoding: 'base64', maxBytes: 64 * 1024 },
      code: { type: 'string', contentEncoding: 'base64', minBytes: 1, maxBytes: CODE_BYTES_MAX },
    },
    required: ['name', 'manifest', 'code'],
  },
};

/** One Stage of a Saga (see model/saga). */
const VERTEBRA_STAGE: Json = {
  name: 'vertebra_stage',
  description: 'Saga Stages, deployed by the owner of this Sync Group',
  schema: {
    type: 'object',
    properties: { name: NAME, definition: TEXT },
    required: ['name', 'definition'],
  },
};

/** A Saga: its Stages, what starts it, where its States stand. */
const VERTEBRA_SAGA: Json = {
  name: 'vertebra_saga',
  description: 'Saga Descriptions, deployed by the owner of this Sync Group',
  schema: {
    type: 'object',
    properties: { name: NAME, definition: TEXT },
    required: ['name', 'definition'],
  },
};

/** What a Participant can do, by what is connected to it and what its operator says. */
const VERTEBRA_CAPABILITY: Json = {
  name: 'vertebra_capability',
  description: 'Capabilities of the owner of this Sync Group; the last Entry holds',
  schema: {
    type: 'object',
    properties: {
      capabilities: {
        type: 'array',
        maxItems: 256,
        items: { type: 'string', minLength: 1, maxLength: 100 },
      },
      at: { type: 'integer', minimum: 0 },
    },
    required: ['capabilities', 'at'],
  },
};

const FILES = {
  pact: VERTEBRA_PACT,
  group: VERTEBRA_GROUP,
  approval: VERTEBRA_APPROVAL,
  split: VERTEBRA_SPLIT,
  behavior: VERTEBRA_BEHAVIOR,
  stage: VERTEBRA_STAGE,
  saga: VERTEBRA_SAGA,
  capability: VERTEBRA_CAPABILITY,
} as const;

const CONTEXT = { find: () => undefined, fieldsOf: () => [], builtIn: true };

let definitions: ReadonlySet<string> | null = null;

/** The definitions whose names may begin with a reserved prefix. */
export function builtInDefinitions(): ReadonlySet<string> {
  definitions ??= new Set(
    Object.values(FILES).map((file) => writeDefinition(readPactFile(file, CONTEXT))),
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
  /** Entries `{ name, manifest, code }`. */
  readonly behavior: Pact;
  /** Entries `{ name, definition }`, as are those of `saga`. */
  readonly stage: Pact;
  readonly saga: Pact;
  /** Entries `{ capabilities, at }`. */
  readonly capability: Pact;
}

export function createBuiltInPacts(hash: HashFunction): BuiltInPacts {
  const made = Object.entries(FILES).map(([name, file]) => [
    name,
    sealPact(hash, readPactFile(file, CONTEXT)),
  ]);
  return Object.fromEntries(made) as Record<keyof typeof FILES, Pact>;
}
