import type { Block, BlockId } from '../model/block.ts';
import type { Hex32 } from '../model/bytes.ts';
import type { Certificate } from '../model/certificate.ts';
import type { ForkProof } from '../model/fork-proof.ts';
import type { Metablock, MetablockId } from '../model/metablock.ts';
import type { Ballot, CausalSequence, EntrySequence, Generation, Level } from '../model/numbers.ts';
import type { EntryValue, Pact } from '../model/pact.ts';
import type { AvatarId, GroupId, PactId, SyncGroup } from '../model/sync-group.ts';
import type { CutStore } from './cut-store.ts';
import type { EntrySearchPort } from './entry-search.ts';
import type { SagaNotes } from './saga-notes.ts';

/**
 * Everything durable of one Participant in one World. Synchronous; nothing here decides anything.
 *
 * Writes happen inside `transaction`, which returns only when they would survive a power cut; a
 * write outside one throws. Reads inside see what was written.
 */
export interface Store {
  readonly cuts: CutStore;
  readonly sagas: SagaNotes;
  readonly search: EntrySearchPort;

  /** All or nothing. A throw from `work` takes everything back. @throws StoreError */
  transaction<Result>(work: () => Result): Result;

  /** Settings of the store itself, such as the own Avatar and the World's public tag. */
  setting(name: string): Uint8Array | null;
  putSetting(name: string, value: Uint8Array): void;

  putAvatar(avatar: AvatarRecord): void;
  avatars(): AvatarRecord[];
  /** Links that the user added (`peer add`). */
  putPeerUrl(url: string): void;
  peerUrls(): string[];

  /**
   * Makes the Pact known and its tables. Known already: nothing happens. @returns its table's name.
   */
  putPact(pact: Pact): string;
  pacts(): PactRecord[];
  /**
   * Its Pact is known before it, and it before its Blocks. What goes on from another group begins
   * with that one's current state, and numbers its Entries on from there.
   */
  putGroup(group: SyncGroup): void;
  groups(): SyncGroup[];

  /**
   * Stacks a Block, with its payload or as a header alone. Stacking it again adds a payload it
   * lacked.
   */
  putBlock(block: Block, payload: Uint8Array | null): void;
  block(id: BlockId): BlockRecord | null;
  payload(id: BlockId): Uint8Array | null;
  /** Blocks of one Causal Group from `from` on, ascending. */
  blocks(group: GroupId, issuer: AvatarId, from: CausalSequence, limit: number): BlockRecord[];
  /** Where one Causal Group ends, as `frontier` says; null where nothing stands. */
  tip(group: GroupId, issuer: AvatarId): FrontierRecord | null;
  /** Per Causal Group of the Sync Group: how far its Blocks stand here without a gap. */
  frontier(group: GroupId): FrontierRecord[];
  /** As `frontier`, of the Blocks that are final: HFCS per Causal Group. */
  finalFrontier(group: GroupId): FrontierRecord[];
  /** The final hand-over Block that ended the group; null while it goes on. */
  handOver(group: GroupId): BlockId | null;
  /** Blocks that are not final yet, in causal order per issuer. */
  pendingBlocks(group: GroupId): BlockRecord[];
  /** The Blocks of one Causal Group whose header stands here and whose payload is missing. */
  missingPayloads(group: GroupId, limit: number): BlockId[];

  putMetablock(metablock: Metablock): void;
  metablock(id: MetablockId): Metablock | null;
  putCertificate(certificate: Certificate): void;
  certificates(metablock: MetablockId): Certificate[];
  /** Metablocks that are in no finalized chain, or are the last of one. */
  openMetablocks(): Metablock[];

  putVote(vote: StoredVote): void;
  votes(): StoredVote[];

  /**
   * Makes one Metablock final for one group: appends it to the group's chain, marks its Blocks
   * final, gives their Entries the next sequence numbers and writes them into the Pact's tables.
   *
   * @param blocks Those of this group, in their order. A Block stacked as a header alone is final
   *   without rows; they are written when its payload arrives (`projectLate`), at the same numbers.
   * @returns the sequence number of the last Entry that is now final in the group.
   */
  finalize(step: FinalizeStep): EntrySequence;
  /** Writes the rows of a final Block whose payload came later. */
  projectLate(block: BlockId, entries: DecodedEntries): void;
  finalizedHead(group: GroupId): ChainRecord | null;
  /** The finalized chain of a group from a Level on, ascending. */
  chain(group: GroupId, from: Level, limit: number): ChainRecord[];
  /** Highest Entry sequence that is final in the group; 0 if none. */
  lastSequence(group: GroupId): EntrySequence;

  /** Finalized Entries of a group as signed bytes, ascending. */
  entries(group: GroupId, from: EntrySequence, limit: number): StoredEntry[];

  /**
   * Throws away of one group what no rule needs any more: rivals below the finalized head, of each
   * Level below it the Certificates beyond one Quorum, and all that lies below the group's cut.
   * Some at a time; doing it again is safe.
   *
   * @param limit Levels, rivals, Blocks and rows looked at, of each so many.
   * @returns whether there may be more.
   */
  sweep(group: GroupId, limit: number): boolean;

  /**
   * Keeps a fork proof: one for each Causal Group, in place of the one before it, and counts how
   * often that was. When the log was first found to fork stays.
   */
  putFork(proof: ForkProof, seenAtMs: number): void;
  /** In the order in which forks were first seen. */
  forks(): ForkRecord[];

  putEvidence(evidence: EvidenceRecord): void;
  evidence(limit: number): EvidenceRecord[];

  close(): void;
}

export interface AvatarRecord {
  readonly id: AvatarId;
  /** What its Participant calls itself; not unique, decides nothing. */
  readonly name: string;
  readonly seenAtMs: number;
}

export interface PactRecord {
  readonly pact: Pact;
  readonly table: string;
}

export interface BlockRecord {
  readonly block: Block;
  readonly held: boolean;
  readonly final: boolean;
}

export interface FrontierRecord {
  readonly issuer: AvatarId;
  readonly sequence: CausalSequence;
  readonly block: BlockId;
}

/** As `VoteRecord` of the consensus, which this room does not know. */
export interface StoredVote {
  readonly group: GroupId;
  readonly ballot: Ballot;
  readonly votedBallot: Ballot;
  readonly votes: readonly MetablockId[];
  readonly lock: { readonly metablock: MetablockId; readonly ballot: Ballot } | null;
  readonly highestCertified: Generation;
  readonly highestFinalizable: Generation;
}

/** The Entries of a Block, decoded against its Pact. */
export interface DecodedEntries {
  readonly pact: PactId;
  /** Row after row, each one value per field, and after them the cause where there is one. */
  readonly rows: readonly (readonly EntryValue[])[];
}

export interface FinalizeStep {
  readonly group: GroupId;
  /** The Metablock and its Level; null for a single owner's group, which has none. */
  readonly chain: { readonly metablock: MetablockId; readonly level: Level } | null;
  readonly blocks: readonly { readonly block: Block; readonly entries: DecodedEntries | null }[];
}

export interface ChainRecord {
  readonly group: GroupId;
  readonly level: Level;
  readonly metablock: MetablockId;
  /** Highest Entry sequence after this Metablock. */
  readonly lastSequence: EntrySequence;
}

export interface StoredEntry {
  readonly sequence: EntrySequence;
  /** Place in its Block, from 0. */
  readonly index: number;
  readonly block: BlockId;
  readonly issuer: AvatarId;
  readonly atMs: number;
  /** Null where only the Block Header is here. */
  readonly bytes: Uint8Array | null;
  /** A Saga produced it, and the same stands before it: it has a number and no effect. */
  readonly isVoid: boolean;
}

export interface ForkRecord {
  readonly proof: ForkProof;
  /** When the log was first found to fork. */
  readonly seenAtMs: number;
  /** How often a proof of a still earlier fork took the place of one before. */
  readonly lowered: number;
}

export interface EvidenceRecord {
  readonly id: Hex32;
  readonly group: GroupId | null;
  readonly offender: AvatarId;
  readonly kind: string;
  readonly items: readonly Uint8Array[];
  readonly seenAtMs: number;
}

/** The disk or the file, not our data. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code:
    | 'STORE_FULL'
    | 'STORE_CORRUPT'
    | 'STORE_FOREIGN'
    | 'STORE_NEWER'
    | 'STORE_BUSY'
    | 'STORE_READ_ONLY'
    | 'STORE_FAILED';

  constructor(code: StoreError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
