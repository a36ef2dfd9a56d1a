import type { Availability, PactId, QuorumPolicy } from './sync-group.ts';

/** What a field of a Pact holds, and so what kind of column its table has. */
export type FieldType = 'string' | 'integer' | 'number' | 'boolean' | 'bytes' | 'array' | 'object';

export interface PactField {
  readonly name: string;
  readonly type: FieldType;
  /** May an Entry leave the field out? It is then null in the Entry and in SQL. */
  readonly optional: boolean;
}

/**
 * A schema with an identifier, and what else holds for all its Sync Groups.
 *
 * @source features A6; architecture, Formats.
 */
export interface Pact {
  /** Hash of the canonical definition. */
  readonly id: PactId;
  /** `[a-z][a-z0-9_]*`, at most 48 characters; names its table. */
  readonly name: string;
  readonly description: string;
  /** In the order in which an Entry carries them: those of the extended Pact first. */
  readonly fields: readonly PactField[];
  /** Fields that name the thing an Entry tells about; empty where there is no current state. */
  readonly key: readonly string[];
  readonly extends: PactId | null;
  readonly quorumPolicy: QuorumPolicy;
  readonly availability: Availability;
  /** What is kept of a group; null: all. Every Participant may keep more or less. */
  readonly retention: Retention | null;
  /** Whose Blocks go first where a link cannot carry all at once. */
  readonly priority: Priority;
  /**
   * Canonical JSON text of the whole Pact with what it inherits: spreads as an Entry, hashes to
   * `id`.
   */
  readonly definition: string;
}

/** First the one that goes first; no other is shut out for ever by it. */
export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Bounds of what is kept: whatever exceeds one of them goes. Null: no such bound. */
export interface Retention {
  /** The newest Entries of a group. */
  readonly count: number | null;
  /** Since they became final. */
  readonly ageDays: number | null;
  /** Of Blocks. */
  readonly bytes: number | null;
}

/** Longest a Pact's definition may be, in bytes of UTF-8. */
export const PACT_BYTES_MAX = 64 * 1024;

export const PACT_NAME = /^[a-z][a-z0-9_]{0,47}$/;

/** One value of an Entry, in the Pact's field order. Left out: null. */
export type EntryValue =
  | string
  | number
  | boolean
  | Uint8Array
  | null
  | readonly EntryValue[]
  | { readonly [name: string]: EntryValue };
