import type { Block, BlockId } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import type { Cut } from '../model/cut.ts';
import type { ForkProof } from '../model/fork-proof.ts';
import type { Metablock, MetablockId } from '../model/metablock.ts';
import type { Ballot, CausalSequence, Level } from '../model/numbers.ts';
import type { Priority } from '../model/pact.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';

export type { Delivery, GossipItem } from './item.ts';

/** Where one Participant stands in one Sync Group. */
export interface GroupDigest {
  readonly group: GroupId;
  /** The last Finalized Metablock; null where there is none, as for a single owner's group. */
  readonly finalized: { readonly level: Level; readonly metablock: MetablockId } | null;
  /** The Finalizable head above it («head of g»), or null. */
  readonly head: MetablockId | null;
  /** R, of an owner; 0 of others. It is told, but does not make two digests differ. */
  readonly ballot: Ballot;
  /** One for each issuer with Blocks here, or a fork proof, ascending by issuer. */
  readonly issuers: readonly CausalDigest[];
}

/** How far one Causal Group stands here without a gap. */
export interface CausalDigest {
  readonly issuer: AvatarId;
  /** Highest sequence such that this and all before it are here, whole or as far as wanted. */
  readonly sequence: CausalSequence;
  /** That Block: two Participants that name different ones have seen a fork. Null at sequence 0. */
  readonly block: BlockId | null;
  /**
   * Where the log forks: one more than the sequence of the last Block that all its branches have in
   * common, which `block` is, or one before it. Absent where no fork is known.
   */
  readonly fork?: CausalSequence;
}

/** All of it, ascending by group. */
export type Digest = readonly GroupDigest[];

/** A Metablock in the chain of one group, with what it carries for that group. */
export interface ChainStep {
  readonly level: Level;
  readonly metablock: Metablock;
  /** Its Blocks of this group, in listed order. */
  readonly blocks: readonly BlockId[];
  /** Signatures under where the group stands after it, if a Quorum's are here. */
  readonly cut: Cut | null;
  /** Do the Certificates kept here make it Finalizable for this group? A chunk may end here. */
  readonly provable: boolean;
}

/** A certified cut; with its Metablock, except of a sole owner's group. */
export interface Beginning {
  readonly cut: Cut;
  readonly metablock: Metablock | null;
}

/**
 * What the Participant holds, as gossip reads it: synchronous, bounded by the limits that are asked
 * for, and never changed from here.
 */
export interface GossipSource {
  /** Where this Participant stands now. May be asked several times a second: keep it at hand. */
  digest(): Digest;

  /**
   * Should Blocks of this Causal Group be fetched? Groups of built-in Pacts and known groups: yes;
   * a group never heard of: no, until the Entry that makes it has come and `changed` was called.
   */
  wants(group: GroupId, issuer: AvatarId): boolean;

  /** Whose Blocks go first. Of a group never heard of, so one of a built-in Pact: `high`. */
  priorityOf(group: GroupId): Priority;

  /** May the chain of this group be fetched? As `wants`, but of groups with several owners. */
  wantsChain(group: GroupId): boolean;

  /**
   * Where this Participant's part of a group begins: whoever asks for what is below gets this.
   * Null where all of it is here.
   */
  beginning(group: GroupId): Beginning | null;

  block(id: BlockId): Block | null;
  /** Null where only the header is here, or may be given. */
  payload(id: BlockId): Uint8Array | null;
  metablock(id: MetablockId): Metablock | null;
  certificates(metablock: MetablockId): readonly Certificate[];

  /** The finalized chain of a group from a Level on, ascending, without a gap. */
  chain(group: GroupId, from: Level, limit: number): readonly ChainStep[];
  /** What lies above the finalized chain: head and candidates, predecessors before successors. */
  open(group: GroupId): readonly ChainStep[];
  /** Is the group known, so that a fork proof of one of its logs can be judged? */
  wantsForks(group: GroupId): boolean;
  /** Fork proofs of the group. */
  forks(group: GroupId): readonly ForkProof[];
  /** Blocks of one Causal Group from a sequence on, ascending, without a gap. */
  causal(group: GroupId, issuer: AvatarId, from: CausalSequence, limit: number): readonly Block[];
}
