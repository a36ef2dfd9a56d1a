import type { BlockId } from '../model/block.ts';
import type { CausalSequence, Level } from '../model/numbers.ts';
import type { GroupId } from '../model/sync-group.ts';
import type { Range } from './messages.ts';
import type { CausalDigest, Digest, GroupDigest } from './source.ts';

/** What one Participant lacks and another has. */
export interface Differences {
  /** For each group its chain first, if that differs, then its Causal Groups. */
  readonly ranges: readonly Range[];
  /** Blocks of theirs that stand where we have another one: an issuer has forked its log. */
  readonly forks: readonly BlockId[];
  /** Groups of which they have a fork proof that we lack. */
  readonly proofs: readonly GroupId[];
}

const NONE: ReadonlySet<GroupId> = new Set();

/**
 * Compares two places in all Sync Groups; what we have and they lack is for them to find.
 *
 * @param mine By group; what is absent stands at its beginning.
 * @param fresh Groups of which votes under way may have been missed, because the link is new: ask
 *   for what is open although both stand at the same Level.
 */
export function compare(
  mine: ReadonlyMap<GroupId, GroupDigest>,
  theirs: Digest,
  fresh: ReadonlySet<GroupId> = NONE,
): Differences {
  const ranges: Range[] = [];
  const forks: BlockId[] = [];
  const proofs: GroupId[] = [];
  for (const group of theirs) {
    const own = mine.get(group.group);
    if (lacksChain(own, group, fresh.has(group.group))) {
      const from = ((own?.finalized?.level ?? -1) + 1) as Level;
      ranges.push({ range: 'chain', group: group.group, from });
    }
    const tips = new Map(own?.issuers.map((each) => [each.issuer, each] as const));
    if (group.issuers.some((each) => lacksProof(tips.get(each.issuer), each))) {
      proofs.push(group.group);
    }
    for (const { issuer, sequence, block } of group.issuers) {
      const tip = tips.get(issuer);
      const ownSequence = tip?.sequence ?? 0;
      // What comes at or after a fork is in no order, and wanted one by one if at all.
      const theirSequence = tip?.fork === undefined ? sequence : Math.min(sequence, tip.fork - 1);
      if (theirSequence > ownSequence) {
        const from = (ownSequence + 1) as CausalSequence;
        ranges.push({ range: 'causal', group: group.group, issuer, from });
      } else if (sequence === ownSequence && block !== null && block !== tip?.block) {
        forks.push(block);
      }
    }
  }
  return { ranges, forks, proofs };
}

/** Do they know of a fork, or of an earlier or another one, than we do? */
function lacksProof(own: CausalDigest | undefined, theirs: CausalDigest): boolean {
  if (theirs.fork === undefined) return false;
  if (own?.fork === undefined || own.fork > theirs.fork) return true;
  const isSamePlace = own.fork === theirs.fork && own.sequence === theirs.sequence;
  return isSamePlace && own.block !== theirs.block;
}

function lacksChain(own: GroupDigest | undefined, theirs: GroupDigest, fresh: boolean): boolean {
  const ownLevel = own?.finalized?.level ?? -1;
  const theirLevel = theirs.finalized?.level ?? -1;
  if (theirLevel !== ownLevel) return theirLevel > ownLevel;
  return theirs.head !== null && (fresh || theirs.head !== own?.head);
}

/** Where a place in a group is in one range of it: the same as long as nothing was gained there. */
export function standingIn(group: GroupDigest | undefined, range: Range): string {
  if (group === undefined) return '';
  if (range.range === 'chain') return `${group.finalized?.level ?? -1} ${group.head ?? ''}`;
  return String(group.issuers.find((each) => each.issuer === range.issuer)?.sequence ?? 0);
}
