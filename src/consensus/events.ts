import type { Block, BlockId } from '../model/block.ts';
import type { BallotNote, Certificate } from '../model/certificate.ts';
import type { Metablock, MetablockId } from '../model/metablock.ts';
import type { Ballot, CausalSequence, Generation, Level } from '../model/numbers.ts';
import type { AvatarId, GroupId, SyncGroup } from '../model/sync-group.ts';

/**
 * What happens to the Metablockchain. Signatures of Blocks are judged where Blocks are stacked;
 * signatures of Metablocks, Certificates and notes are judged here, by the one verifier.
 */
export type ConsensusEvent =
  /** A Sync Group became known. Groups of one owner are never handed in: they need no agreement. */
  | { readonly kind: 'group'; readonly group: SyncGroup }
  /**
   * A Block Header that stands in the Block Stack: signed, its causal sequence unbroken. `held`
   * says that its Entries are here too and that Merkle root and Pact are right (V4); it comes a
   * second time with `held` once they are.
   */
  | { readonly kind: 'block'; readonly block: Block; readonly held: boolean }
  | { readonly kind: 'metablock'; readonly metablock: Metablock }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'ballot-note'; readonly note: BallotNote }
  /** What an owner's session says of its own Ballot: as good as a note, but only from itself. */
  | {
      readonly kind: 'ballot-seen';
      readonly group: GroupId;
      readonly owner: AvatarId;
      readonly ballot: Ballot;
    }
  /** The Blocks of this issuer above the causal sequence `lastGood` are covered by a fork proof. */
  | {
      readonly kind: 'fork-proof';
      readonly group: GroupId;
      readonly issuer: AvatarId;
      readonly lastGood: CausalSequence;
    }
  /** This Participant prepares and votes in the group no more, ever: its operator split it. */
  | { readonly kind: 'retire'; readonly group: GroupId }
  /** A Quorum signed that the group stands here; what is below is not to be had. */
  | { readonly kind: 'cut'; readonly head: FinalizedHead; readonly metablock: Metablock }
  /** How long a message and its answer take on the slowest link that matters; null: not known. */
  | { readonly kind: 'round-trip'; readonly ms: number | null }
  /** Time passed: the state's deadline is due. */
  | { readonly kind: 'tick' };

/**
 * What an owner promised for one Sync Group; durable before anything that follows from it is sent.
 */
export interface VoteRecord {
  readonly group: GroupId;
  /** R: the highest Ballot it is at; never falls. */
  readonly ballot: Ballot;
  /** The highest Ballot it certified at, and what it certified there. */
  readonly votedBallot: Ballot;
  readonly votes: readonly MetablockId[];
  readonly lock: { readonly metablock: MetablockId; readonly ballot: Ballot } | null;
  /** HCG(g) and HFG(g): derived, shown, never fall. */
  readonly highestCertified: Generation;
  readonly highestFinalizable: Generation;
}

/** Where the finalized chain of one Sync Group ends, and what its next Metablock must continue. */
export interface FinalizedHead {
  readonly group: GroupId;
  readonly metablock: MetablockId;
  readonly level: Level;
  /** Per issuer: highest finalized causal sequence (HFCS) and that Block. */
  readonly issuers: ReadonlyMap<
    AvatarId,
    { readonly sequence: CausalSequence; readonly block: BlockId }
  >;
  /** The hand-over Block that ended the group; null while it goes on. */
  readonly handOver: BlockId | null;
}

/** What the world is to do, in this order: everything that stores, one commit, then what sends. */
export type ConsensusEffect =
  | { readonly kind: 'store-vote'; readonly record: VoteRecord }
  | { readonly kind: 'store-metablock'; readonly metablock: Metablock }
  | { readonly kind: 'store-certificate'; readonly certificate: Certificate }
  /** One Metablock became final for one group; its Blocks of that group in their order. */
  | {
      readonly kind: 'finalize';
      readonly metablock: Metablock;
      readonly blocks: readonly Block[];
      readonly head: FinalizedHead;
    }
  | { readonly kind: 'send-metablock'; readonly metablock: Metablock }
  | { readonly kind: 'send-certificate'; readonly certificate: Certificate }
  | { readonly kind: 'send-ballot-note'; readonly note: BallotNote }
  /** Missing parts that a decision waits for. */
  | {
      readonly kind: 'want';
      readonly group: GroupId;
      readonly metablocks: readonly MetablockId[];
      readonly blocks: readonly BlockId[];
    }
  /** What the event brought was new here, signed and within bounds: gossip may relay it. */
  | { readonly kind: 'accepted' }
  /** A peer's lie; kept or counted, never acted on. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly by: AvatarId | null }
  /** An issuer made two children of one head, or an owner certified against V1: both are kept. */
  | {
      readonly kind: 'evidence';
      readonly group: GroupId;
      readonly offender: AvatarId;
      readonly items: readonly Uint8Array[];
    }
  /** Two final Metablocks of one group are rivals: the group stops here. */
  | {
      readonly kind: 'alarm';
      readonly group: GroupId;
      readonly metablocks: readonly MetablockId[];
    };

export type RefusalReason =
  | 'metablock-forged'
  | 'metablock-not-by-owner'
  | 'metablock-too-many-predecessors'
  | 'metablock-malformed'
  | 'certificate-forged'
  | 'certificate-not-by-owner'
  | 'certificate-ballot-too-high'
  | 'ballot-note-forged'
  | 'ballot-note-not-by-owner'
  | 'ballot-note-too-high'
  | 'held-too-many';

/** What an agent reads back at its start. */
export interface DurableState {
  readonly groups: readonly SyncGroup[];
  /** Groups in which this Participant promises nothing any more. */
  readonly retired?: readonly GroupId[];
  readonly votes: readonly VoteRecord[];
  readonly heads: readonly FinalizedHead[];
  /** Groups that stopped at a fork: two final rivals each. */
  readonly alarms: ReadonlyMap<GroupId, readonly MetablockId[]>;
  /** Causal Groups of which a fork proof is kept: where the one branch ends. */
  readonly forks: readonly {
    readonly group: GroupId;
    readonly issuer: AvatarId;
    readonly lastGood: CausalSequence;
    /** How often a proof of a still earlier fork came. */
    readonly lowered: number;
  }[];
  /**
   * Metablocks kept that are not below a finalized head: heads themselves, locks, candidates, own.
   */
  readonly metablocks: readonly Metablock[];
  readonly certificates: readonly Certificate[];
  /** Block Headers that are not final, in causal order per issuer. */
  readonly blocks: readonly { readonly block: Block; readonly held: boolean }[];
}

/** Every bound and time of the protocol; milliseconds and counts. @source consensus.md 2, 4, 5. */
export interface ConsensusSettings {
  readonly predecessorsMax: number;
  readonly blocksPerMetablockMax: number;
  readonly turnMs: number;
  readonly prepareIntervalMs: number;
  readonly prepareBlockCount: number;
  readonly ballotTimeoutMs: number;
  readonly ballotTimeoutMaxMs: number;
  /** Undecided children of one head that are kept of one issuer. */
  readonly candidatesPerIssuerMax: number;
  /**
   * Undecided Metablocks, and Metablocks and Certificates held for something unknown, per group.
   */
  readonly heldMax: number;
}
