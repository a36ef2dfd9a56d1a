import type { MetablockId } from '../model/metablock.ts';
import { type Generation, NO_GENERATION } from '../model/numbers.ts';
import { IdMap } from './id-map.ts';

/** The last Metablocks of a finalized chain: at least `max`, at most twice as many. */
export interface RecentChain {
  readonly young: IdMap<Generation>;
  readonly old: IdMap<Generation>;
  /** Generation of the last of each half. */
  readonly youngTop: Generation;
  readonly oldTop: Generation;
  /** All of the chain that has a Generation above this one is remembered. */
  readonly floor: Generation;
}

/** @param floor Generation below which nothing of the chain is known. */
export function makeRecentChain(floor: Generation = NO_GENERATION): RecentChain {
  const none = IdMap.empty<Generation>();
  return { young: none, old: none, youngTop: floor, oldTop: floor, floor };
}

export function isRecent(chain: RecentChain, id: MetablockId): boolean {
  return chain.young.has(id) || chain.old.has(id);
}

/** @returns the chain with one more at its end. */
export function withRecent(
  chain: RecentChain,
  id: MetablockId,
  { generation, max }: { readonly generation: Generation; readonly max: number },
): RecentChain {
  if (chain.young.size < max) {
    return { ...chain, young: chain.young.set(id, generation), youngTop: generation };
  }
  return {
    young: IdMap.empty<Generation>().set(id, generation),
    old: chain.young,
    youngTop: generation,
    oldTop: chain.youngTop,
    floor: chain.oldTop,
  };
}
