/**
 * What one call takes at most. The WASM and its twin refuse the same; `assembly/layout.ts` has the
 * same numbers, and loading compares them.
 */

/** Entries of one payload. A Block of 64 MiB cannot hold more: each takes 4 bytes of length. */
export const ENTRY_COUNT_MAX = 2 ** 24;
/** Nodes of one window. */
export const NODE_COUNT_MAX = 2 ** 19;
/** Ids, Issuing Hashes, Blocks or issuers of one call. */
export const ITEM_COUNT_MAX = 2 ** 16;
