import type { BlockId } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import type { Metablock, MetablockId } from '../model/metablock.ts';
import {
  type Ballot,
  type CausalSequence,
  type Generation,
  type Level,
  NO_GENERATION,
} from '../model/numbers.ts';
import { type AvatarId, deriveQuorum, type GroupId, type SyncGroup } from '../model/sync-group.ts';
import { type BlockWindow, NO_BLOCKS } from './block-window.ts';
import type { FinalizedHead } from './events.ts';
import type { Node } from './node.ts';
import { makeRecentChain, type RecentChain } from './recent-chain.ts';
import { RecentMap } from './recent-map.ts';
import { CONSENSUS_LIMITS } from './settings.ts';
import type { Lock, Promises } from './vote-rules.ts';

/** A Metablock that waits for what it names. */
export interface Held {
  readonly metablock: Metablock;
  /** Is its predecessor in the group missing? */
  readonly lacksPredecessor: boolean;
  readonly missingBlocks: ReadonlySet<BlockId>;
}

/** When something missing is asked for next, and how often it was. */
export interface Ask {
  readonly atMs: number;
  readonly attempts: number;
}

/** The tree of a group as the conflict checks take it; node `i` is the i-th of `nodes`. */
export interface PackedWindow {
  readonly indices: ReadonlyMap<MetablockId, number>;
  readonly predecessors: Int32Array;
}

/**
 * Why a Metablock is not looked at again: `old` lies below all that is remembered, `rival` is a
 * rival of the finalized head, `malformed` breaks consensus.md 2. The votes for a rival are kept: a
 * final one would be a fork.
 */
export interface Dismissed {
  readonly kind: 'old' | 'rival' | 'malformed';
  readonly metablock: Metablock;
  readonly certificates: readonly Certificate[];
}

/** What is known of a Causal Group of which there is a fork proof. */
export interface ForkedLog {
  /** The causal sequence before its earliest fork: Blocks above it are covered by the proof. */
  readonly lastGood: CausalSequence;
  /** How often a proof of a still earlier fork came. */
  readonly lowered: number;
}

/** What could be prepared on the head of a group. */
export interface PendingBlocks {
  /** Counted no further than asked for. */
  readonly count: number;
  /** When the first of them came, in milliseconds; infinite where there is none. */
  readonly sinceMs: number;
  /** Whose the first of them is; null where there is none. */
  readonly firstIssuer: AvatarId | null;
}

/**
 * All that is kept of one Sync Group. Changed only on a copy that belongs to the running step; the
 * values inside are never changed, but replaced.
 */
export interface GroupState extends Promises {
  readonly sync: SyncGroup;
  readonly quorum: number;
  /** f: how many liars it stands. */
  readonly faults: number;
  readonly ownerIndices: ReadonlyMap<AvatarId, number>;
  /** Does this Participant prepare and vote here? */
  isVoter: boolean;
  /** Two rivals that are both final: nothing moves any more. */
  alarm: readonly MetablockId[] | null;

  ballot: Ballot;
  votedBallot: Ballot;
  votes: readonly MetablockId[];
  lock: Lock | null;
  highestCertified: Generation;
  highestFinalizable: Generation;

  finalized: FinalizedHead | null;
  finalizedGeneration: Generation;
  /** The finalized head, where there is one, and what is known above it; predecessors first. */
  nodes: Map<MetablockId, Node>;
  head: MetablockId | null;
  packed: PackedWindow | null;
  recentFinal: RecentChain;
  dismissed: RecentMap<Dismissed>;

  held: Map<MetablockId, Held>;
  heldCertificates: Map<MetablockId, readonly Certificate[]>;
  asks: Map<MetablockId, Ask>;

  blocks: BlockWindow;
  /** What could be prepared on the head; null when it must be looked up again. */
  pending: PendingBlocks | null;
  /** Since when `prepareBlockCount` Blocks are pending. */
  pendingFullAtMs: number | null;
  forked: ReadonlyMap<AvatarId, ForkedLog>;

  /** Highest Ballot at which each other owner was seen. */
  seen: Map<AvatarId, Ballot>;
  /** Per owner: the last Metablock of the chain that it certified at its highest Ballot. */
  voteTips: Map<AvatarId, { readonly ballot: Ballot; readonly metablock: MetablockId }>;
  /** When this Ballot began here. */
  ballotAtMs: number;
  /** Since when the timer of this Ballot runs; null when it does not. */
  timerAtMs: number | null;
  highestLevel: Level;
  /** The Ballot at which the last new Level became Finalizable. */
  newLevelBallot: Ballot;
  /** A message and its answer, as votes show it, smoothed, in milliseconds; null: not known. */
  roundTripMs: number | null;
  /** When the last Metablock with Blocks that became Finalizable was observed. */
  carriedAtMs: number;
  /** How many Blocks of the group it carried. */
  carriedCount: number;
  /** When the last Metablock with Blocks became Finalizable here. */
  decidedAtMs: number;

  prepareAtMs: number | null;
  deadlineMs: number | null;
}

/** A Sync Group of which nothing is known but itself. */
export function makeGroupState(sync: SyncGroup, isVoter: boolean, nowMs: number): GroupState {
  const zero = 0 as Ballot;
  return {
    sync,
    quorum: deriveQuorum(sync.owners.length, sync.quorumPolicy),
    faults: Math.ceil(sync.owners.length / 3) - 1,
    ownerIndices: new Map(sync.owners.map((owner, index) => [owner, index])),
    isVoter,
    alarm: null,
    ballot: zero,
    votedBallot: zero,
    votes: [],
    lock: null,
    highestCertified: NO_GENERATION,
    highestFinalizable: NO_GENERATION,
    finalized: null,
    finalizedGeneration: NO_GENERATION,
    nodes: new Map(),
    head: null,
    packed: null,
    recentFinal: makeRecentChain(),
    dismissed: RecentMap.empty(CONSENSUS_LIMITS.dismissedMax),
    held: new Map(),
    heldCertificates: new Map(),
    asks: new Map(),
    blocks: NO_BLOCKS,
    pending: null,
    pendingFullAtMs: null,
    forked: new Map(),
    seen: new Map(),
    voteTips: new Map(),
    ballotAtMs: nowMs,
    timerAtMs: null,
    highestLevel: -1 as Level,
    newLevelBallot: zero,
    roundTripMs: null,
    carriedAtMs: Number.NEGATIVE_INFINITY,
    carriedCount: 0,
    decidedAtMs: Number.NEGATIVE_INFINITY,
    prepareAtMs: null,
    deadlineMs: null,
  };
}

/**
 * What a Metablock names as its predecessor in a group: null for none, undefined if it does not.
 */
export function predecessorIn(
  metablock: Metablock,
  group: GroupId,
): MetablockId | null | undefined {
  for (const each of metablock.predecessors) if (each.group === group) return each.metablock;
  return undefined;
}

function copyMap<Key, Value>(map: Map<Key, Value>): Map<Key, Value> {
  return map.size === 0 ? new Map() : new Map(map);
}

/** A copy that a step may change without the given state noticing. */
export function copyGroupState(state: GroupState): GroupState {
  return {
    ...state,
    nodes: new Map(state.nodes),
    held: copyMap(state.held),
    heldCertificates: copyMap(state.heldCertificates),
    asks: copyMap(state.asks),
    seen: new Map(state.seen),
    voteTips: new Map(state.voteTips),
  };
}

/** The node of the head, or null where the group has none yet. */
export function headNode(group: GroupState): Node | null {
  return group.head === null ? null : group.nodes.get(group.head)!;
}

/** The children of a Metablock that are known; of null, the first Metablocks. */
export function childrenOf(group: GroupState, predecessor: MetablockId | null): Node[] {
  const children: Node[] = [];
  for (const node of group.nodes.values()) {
    // The finalized head is in nobody's choice, and where it is all that is kept it has no parent.
    if (node.predecessor === predecessor && node.metablock.id !== group.finalized?.metablock) {
      children.push(node);
    }
  }
  return children;
}
