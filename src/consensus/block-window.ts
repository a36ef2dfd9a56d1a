import type { Block, BlockId } from '../model/block.ts';
import type { Hex32 } from '../model/bytes.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { IdMap } from './id-map.ts';

/** A Block Header of the group that is not final. */
export interface OpenBlock {
  readonly block: Block;
  /** Are its Entries here, and right (V4)? */
  readonly held: boolean;
  /** When it, or its Entries, came, in milliseconds. */
  readonly atMs: number;
}

/** The Block Headers of one Sync Group that are not final; versions share their parts. */
export interface BlockWindow {
  readonly byId: IdMap<OpenBlock>;
  /** What follows a Block in its Causal Group; an issuer's first Blocks stand under the issuer. */
  readonly following: IdMap<readonly BlockId[]>;
  readonly counts: ReadonlyMap<AvatarId, number>;
}

export const NO_BLOCKS: BlockWindow = {
  byId: IdMap.empty(),
  following: IdMap.empty(),
  counts: new Map(),
};

/** Under which key of `following` a Block stands. */
export function placeOf(block: Block): Hex32 {
  return block.previous ?? block.issuer;
}

/** @returns the window with the Block, or with what is newly held of it. */
export function withBlock(window: BlockWindow, open: OpenBlock): BlockWindow {
  const { block } = open;
  const known = window.byId.get(block.id);
  const byId = window.byId.set(block.id, open);
  if (known !== undefined) return { ...window, byId };
  const place = placeOf(block);
  const following = window.following.set(place, [...(window.following.get(place) ?? []), block.id]);
  const counts = new Map(window.counts);
  counts.set(block.issuer, (counts.get(block.issuer) ?? 0) + 1);
  return { byId, following, counts };
}

/**
 * @returns the window without these final Blocks, and without all that their finality rules out.
 */
export function withoutFinal(window: BlockWindow, blocks: readonly Block[]): BlockWindow {
  if (blocks.length === 0) return window;
  let { byId, following } = window;
  const counts = new Map(window.counts);
  const drop = (block: Block): void => {
    byId = byId.delete(block.id);
    counts.set(block.issuer, (counts.get(block.issuer) ?? 1) - 1);
  };
  const ruledOut: Block[] = [];
  for (const block of blocks) {
    if (byId.has(block.id)) drop(block);
    const place = placeOf(block);
    for (const id of following.get(place) ?? []) {
      const rival = id === block.id ? undefined : byId.get(id);
      if (rival !== undefined) ruledOut.push(rival.block);
    }
    following = following.delete(place);
  }
  for (let block = ruledOut.pop(); block !== undefined; block = ruledOut.pop()) {
    drop(block);
    for (const id of following.get(block.id) ?? []) {
      const next = byId.get(id);
      if (next !== undefined) ruledOut.push(next.block);
    }
    following = following.delete(block.id);
  }
  return { byId, following, counts };
}
