import type { Pact } from '../model/pact.ts';
import type { GroupId } from '../model/sync-group.ts';

export interface SearchWish {
  /** Columns that hold no lists or objects, `_cause` among them, and what they must equal. */
  readonly where: Readonly<Record<string, string | number | boolean | Uint8Array>>;
  /** The last sequence number that is looked at. */
  readonly upTo: number;
  readonly limit: number;
  readonly order: 'newest' | 'oldest';
}

/** Finds Finalized Entries by what they hold. Part of the store. */
export interface EntrySearchPort {
  /** @returns sequence numbers, in the order asked for. */
  find(pact: Pact, group: GroupId, wish: SearchWish): number[];
}
