import type { Block, BlockId } from '../model/block.ts';
import { compareText } from '../model/bytes.ts';
import type { Certificate, CertificateEntry } from '../model/certificate.ts';
import {
  encodeBallotNote,
  encodeCertificate,
  sealBallotNote,
  sealCertificate,
} from '../model/certificate.ts';
import { invariant } from '../model/invariant.ts';
import type { Metablock, MetablockId } from '../model/metablock.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import { GroupChain } from './chain.ts';
import type { ConsensusContext } from './context.ts';
import type { ConsensusEffect, RefusalReason, VoteRecord } from './events.ts';
import { copyGroupState, type GroupState } from './group-state.ts';
import { IdMap } from './id-map.ts';
import { RecentMap } from './recent-map.ts';
import { CONSENSUS_LIMITS } from './settings.ts';

/** Everything the Metablockchain knows in memory. A value: steps make new ones. */
export interface ConsensusState {
  readonly groups: IdMap<Readonly<GroupState>>;
  /** Whose Blocks are that are final, or came while their group was not known here. */
  readonly foreignBlocks: RecentMap<ForeignBlock>;
  /** The deadlines of the groups that have one: something is open there, held or missing. */
  readonly deadlines: ReadonlyMap<GroupId, number>;
  readonly deadlineMs: number | null;
  /** What the links are said to take, there and back. */
  readonly linkRoundTripMs: number | null;
  /** What a restart found undone; the first step does it. */
  readonly undone: readonly ConsensusEffect[];
}

export const EMPTY_STATE: ConsensusState = {
  groups: IdMap.empty(),
  foreignBlocks: RecentMap.empty(CONSENSUS_LIMITS.foreignBlocksMax),
  deadlines: new Map(),
  deadlineMs: null,
  linkRoundTripMs: null,
  undone: [],
};

/** What is remembered of a Block that stands in no window. */
export type ForeignBlock = Pick<Block, 'group' | 'issuer' | 'sequence'>;

/** The own vote for one Metablock, gathered over the groups that it touches. */
interface OwnVote {
  readonly metablock: Metablock;
  readonly entries: CertificateEntry[];
}

/** One step in the making: copies of the groups it touches, and what the world is to do. */
export class Work {
  readonly context: ConsensusContext;
  readonly nowMs: number;
  linkRoundTripMs: number | null;
  private readonly base: ConsensusState;
  private readonly opened = new Map<GroupId, GroupState>();
  private foreign: RecentMap<ForeignBlock>;
  private readonly stores: ConsensusEffect[] = [];
  private readonly sends: ConsensusEffect[] = [];
  private readonly remarks: ConsensusEffect[] = [];
  private readonly ownVotes = new Map<MetablockId, OwnVote>();
  private readonly promised = new Set<GroupId>();
  private readonly moved = new Set<GroupId>();

  constructor(context: ConsensusContext, base: ConsensusState, nowMs: number) {
    this.context = context;
    this.base = base;
    this.nowMs = nowMs;
    this.foreign = base.foreignBlocks;
    this.linkRoundTripMs = base.linkRoundTripMs;
  }

  /** A group to read. */
  peek(id: GroupId): Readonly<GroupState> | undefined {
    return this.opened.get(id) ?? this.base.groups.get(id);
  }

  /** A group to change: this step's own copy; undefined where it is not known or has stopped. */
  open(id: GroupId): GroupState | undefined {
    const opened = this.opened.get(id);
    if (opened !== undefined) return opened.alarm === null ? opened : undefined;
    const group = this.base.groups.get(id);
    if (group === undefined || group.alarm !== null) return undefined;
    const copy = copyGroupState(group);
    this.opened.set(id, copy);
    return copy;
  }

  add(group: GroupState): void {
    this.opened.set(group.sync.id, group);
  }

  /** The groups in which something is open, held or missing, and those of this step. */
  *activeGroups(): Generator<Readonly<GroupState>> {
    for (const id of this.base.deadlines.keys()) yield this.peek(id)!;
    for (const [id, group] of this.opened) if (!this.base.deadlines.has(id)) yield group;
  }

  touched(): GroupState[] {
    return [...this.opened.values()];
  }

  chainOf(group: GroupState): GroupChain {
    return new GroupChain(group, this.context.conflicts);
  }

  foreignBlock(block: BlockId): ForeignBlock | undefined {
    return this.foreign.get(block);
  }

  rememberForeign({ id, group, issuer, sequence }: Block): void {
    this.foreign = this.foreign.set(id, { group, issuer, sequence });
  }

  store(effect: ConsensusEffect): void {
    this.stores.push(effect);
  }

  send(effect: ConsensusEffect): void {
    this.sends.push(effect);
  }

  remark(effect: ConsensusEffect): void {
    this.remarks.push(effect);
  }

  refuse(reason: RefusalReason, by: AvatarId | null): void {
    this.remarks.push({ kind: 'refused', reason, by });
  }

  /** The group's promises changed: they are stored when the step ends. */
  promise(group: GroupState): void {
    this.promised.add(group.sync.id);
  }

  /** The group moved to another Ballot by itself: a note is sent when the step ends. */
  move(group: GroupState): void {
    this.moved.add(group.sync.id);
    this.promised.add(group.sync.id);
  }

  /**
   * An own vote was cast: it goes into the one Certificate that this step makes for the Metablock.
   */
  vote(metablock: Metablock, entry: CertificateEntry): void {
    const vote = this.ownVotes.get(metablock.id) ?? { metablock, entries: [] };
    vote.entries.push(entry);
    this.ownVotes.set(metablock.id, vote);
  }

  /**
   * Seals what was voted and promised. @returns the new state, and effects: stores, then the rest.
   */
  finish(): { state: ConsensusState; effects: ConsensusEffect[] } {
    for (const id of this.promised) {
      this.stores.push({ kind: 'store-vote', record: recordOf(this.opened.get(id)!) });
    }
    for (const vote of this.ownVotes.values()) this.sealVote(vote);
    for (const id of this.moved) this.sealNote(this.opened.get(id)!);
    const { undone } = this.base;
    const effects = [...undone, ...this.stores, ...this.sends, ...this.remarks];
    return { state: this.close([]), effects };
  }

  /** Ends the work of a restart, which says nothing to anybody: what it has to store waits. */
  pause(): ConsensusState {
    for (const id of this.promised) {
      this.stores.push({ kind: 'store-vote', record: recordOf(this.opened.get(id)!) });
    }
    return this.close(this.stores);
  }

  private close(undone: readonly ConsensusEffect[]): ConsensusState {
    let { groups } = this.base;
    const deadlines = new Map(this.base.deadlines);
    for (const [id, group] of this.opened) {
      groups = groups.set(id, group);
      if (group.deadlineMs === null) deadlines.delete(id);
      else deadlines.set(id, group.deadlineMs);
    }
    const deadlineMs = deadlines.size === 0 ? null : Math.min(...deadlines.values());
    const { linkRoundTripMs } = this;
    const foreignBlocks = this.foreign;
    return { groups, foreignBlocks, deadlines, deadlineMs, linkRoundTripMs, undone };
  }

  private sealVote({ metablock, entries }: OwnVote): void {
    const { self, signer } = this.context;
    const body = {
      metablock: metablock.id,
      certifier: self,
      entries: entries.sort((a, b) => compareText(a.group, b.group)),
    };
    const certificate = sealCertificate(body, signer.sign(encodeCertificate(body)));
    for (const entry of entries) this.fillIn(certificate, entry);
    this.stores.push({ kind: 'store-certificate', certificate });
    this.sends.push({ kind: 'send-certificate', certificate });
  }

  /** Puts the sealed Certificate where `castVote` of this very step left its place empty. */
  private fillIn(certificate: Certificate, entry: CertificateEntry): void {
    const group = this.opened.get(entry.group);
    invariant(group !== undefined, 'a group that was voted in is open');
    const node = group.nodes.get(certificate.metablock);
    const tally = node?.tallies.get(entry.ballot);
    // What became final in this same step may be gone from the window already.
    if (node === undefined || tally === undefined) return;
    const certificates = new Map(tally.certificates).set(certificate.certifier, certificate);
    const tallies = new Map(node.tallies).set(entry.ballot, { ...tally, certificates });
    group.nodes.set(certificate.metablock, { ...node, tallies });
  }

  private sealNote(group: GroupState): void {
    if (!group.isVoter) return;
    const { self, signer } = this.context;
    const body = { group: group.sync.id, ballot: group.ballot, owner: self };
    const note = sealBallotNote(body, signer.sign(encodeBallotNote(body)));
    this.sends.push({ kind: 'send-ballot-note', note });
  }
}

function recordOf(group: GroupState): VoteRecord {
  return {
    group: group.sync.id,
    ballot: group.ballot,
    votedBallot: group.votedBallot,
    votes: group.votes,
    lock: group.lock,
    highestCertified: group.highestCertified,
    highestFinalizable: group.highestFinalizable,
  };
}
