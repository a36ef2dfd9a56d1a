import type { EntryValue, Pact } from '../model/pact.ts';

/** Encodes and decodes the Entries of one Pact; both check them against it. */
export interface EntryCodec {
  readonly pact: Pact;

  /**
   * @param entry Field names to values; bytes as Uint8Array, or as base64 text from JSON.
   * @returns canonical CBOR (an array in field order), or the field that breaks the Pact and how.
   */
  encode(entry: Readonly<Record<string, unknown>>): EntryVerdict<Uint8Array>;

  /**
   * Accepts exactly the bytes that `encode` makes of some Entry, and those with a cause.
   * @returns one value for each field of the Pact, in order; null where left out. Then the cause,
   *   36 bytes (see model/saga), where a Saga produced it.
   */
  decode(bytes: Uint8Array): EntryVerdict<readonly EntryValue[]>;

  /**
   * Decodes Entries that lie one after the other, each as `decode` would.
   *
   * @param lengths Bytes of each; they add up to at most `bytes`.
   * @returns the values of each, or why the first that is refused is refused.
   */
  decodeAll(bytes: Uint8Array, lengths: Uint32Array): EntriesVerdict;

  /** The values as a JSON-ready record: bytes as base64, fields left out are absent. */
  toRecord(values: readonly EntryValue[]): Record<string, unknown>;
}

export type EntryVerdict<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly field: string; readonly message: string };

export type EntriesVerdict =
  | { readonly ok: true; readonly value: readonly (readonly EntryValue[])[] }
  | {
      readonly ok: false;
      readonly index: number;
      readonly field: string;
      readonly message: string;
    };

/** Reads Pacts. Nothing a peer sends as a Pact can run code or take unbounded time or memory. */
export interface PactReader {
  /**
   * Reads a Pact file (JSON text), checks it against the permitted subset, and merges what it
   * extends.
   *
   * @param find Finds the Pact that `extends` names, by name or id.
   * @throws PactError that says what, where (JSON path) and how to mend it.
   */
  readFile(text: string, find: (nameOrId: string) => Pact | undefined): Pact;

  /** Reads a canonical definition, as it came in an Entry. @throws PactError */
  readDefinition(definition: string): Pact;

  /** Compiles a Pact once; the result is cached, within a bound, by id. */
  codecOf(pact: Pact): EntryCodec;
}

/** The Pact itself is wrong. */
export class PactError extends Error {
  override readonly name = 'PactError';
  readonly code: 'PACT_NOT_JSON' | 'PACT_TOO_LONG' | 'PACT_NOT_PERMITTED' | 'PACT_EXTENDS_UNKNOWN';
  /** JSON path of the offending part, for instance `/schema/properties/load/type`. */
  readonly path: string;

  constructor(
    code: PactError['code'],
    path: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.path = path;
  }
}
