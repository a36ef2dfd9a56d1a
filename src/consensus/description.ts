import type { MetablockId } from '../model/metablock.ts';
import type { Ballot, Generation, Level } from '../model/numbers.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import { type GroupState, headNode } from './group-state.ts';
import { hasVoted } from './node.ts';
import { pendingOf } from './pending-blocks.ts';
import type { ConsensusState } from './work.ts';

/** Where one Sync Group stands, for `status` and `dag`. */
export interface GroupDescription {
  readonly group: GroupId;
  /** R. */
  readonly ballot: Ballot;
  /** The Finalizable Metablock with the highest Ballot and Level, or null. */
  readonly head: {
    readonly metablock: MetablockId;
    readonly level: Level;
    readonly generation: Generation;
  } | null;
  /** The last Finalized Metablock, or null. */
  readonly finalized: {
    readonly metablock: MetablockId;
    readonly level: Level;
    readonly generation: Generation;
  } | null;
  /** -1 where nothing is final. */
  readonly finalizedLevel: number;
  /** HCG and HFG. */
  readonly highestCertified: Generation;
  readonly highestFinalizable: Generation;
  /** Is something undecided? */
  readonly open: boolean;
  /** Block Headers known here that are not final. */
  readonly pendingBlocks: number;
  /** Metablocks known above the finalized head, and those held for something missing. */
  readonly candidates: number;
  readonly held: number;
  /**
   * While something is open: owners whose vote for the head at this Ballot, or for a child, is not
   * here.
   */
  readonly awaited: readonly AvatarId[];
  /** What went wrong for good, for people; null while nothing has. */
  readonly alarm: string | null;
}

/** @returns one description per group, in the order of their ids. */
export function describe(state: ConsensusState): GroupDescription[] {
  return [...state.groups]
    .map(([, group]) => describeGroup(group))
    .sort((a, b) => (a.group < b.group ? -1 : 1));
}

function describeGroup(group: Readonly<GroupState>): GroupDescription {
  const head = headNode(group);
  const { finalized } = group;
  const pendingCount = pendingOf({ ...group }, 1).count;
  const open = group.alarm === null && (head?.carries === true || pendingCount > 0);
  return {
    group: group.sync.id,
    ballot: group.ballot,
    head: head === null ? null : placeOf(head.metablock.id, head.level, head.metablock.generation),
    finalized:
      finalized === null
        ? null
        : placeOf(finalized.metablock, finalized.level, group.finalizedGeneration),
    finalizedLevel: finalized?.level ?? -1,
    highestCertified: group.highestCertified,
    highestFinalizable: group.highestFinalizable,
    open,
    pendingBlocks: group.blocks.byId.size,
    candidates: group.nodes.size - (finalized === null ? 0 : 1),
    held: group.held.size,
    awaited: open ? awaitedOf(group) : [],
    alarm:
      group.alarm === null
        ? null
        : `fork: both final, and rivals: ${group.alarm.map((id) => id.slice(0, 16)).join(', ')}`,
  };
}

function placeOf(metablock: MetablockId, level: Level, generation: Generation) {
  return { metablock, level, generation };
}

/** Who did not vote at R: for nothing at or above the head, so nothing is known of them there. */
function awaitedOf(group: Readonly<GroupState>): AvatarId[] {
  const voted = new Set<AvatarId>();
  for (const node of group.nodes.values()) {
    for (const owner of group.sync.owners) {
      if (hasVoted(node, owner, group.ballot)) voted.add(owner);
    }
  }
  return group.sync.owners.filter((owner) => !voted.has(owner));
}
