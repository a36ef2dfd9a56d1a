import type { Block, BlockId } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import type { Metablock, MetablockId } from '../model/metablock.ts';
import type { Ballot, CausalSequence, Level } from '../model/numbers.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { CONSENSUS_LIMITS } from './settings.ts';

/** The last Block of a Causal Group on a chain: HFCS where the chain is final. */
export interface ChainTip {
  readonly sequence: CausalSequence;
  readonly block: BlockId;
}

/** The votes (g, ballot) for one Metablock that are known here. */
export interface Tally {
  readonly ballot: Ballot;
  /** By certifier; null for the own vote until its Certificate is sealed at the end of the step. */
  readonly certificates: ReadonlyMap<AvatarId, Certificate | null>;
  /** Since when they are known to be a Quorum's, in milliseconds; null while they are not. */
  readonly finalizableAtMs: number | null;
}

/** A Metablock that is well formed for a Sync Group, at its place in the group's tree. */
export interface Node {
  readonly metablock: Metablock;
  readonly predecessor: MetablockId | null;
  readonly level: Level;
  /** The turn of its issuer at this Level, 0 the first. @source consensus.md 5. */
  readonly turn: number;
  /** Its Blocks of this group, in listed order. */
  readonly blocks: readonly Block[];
  /** Does it carry Blocks of this group? A head that does needs a child to close it. */
  readonly carries: boolean;
  /** Where each Causal Group stands after it. */
  readonly issuers: ReadonlyMap<AvatarId, ChainTip>;
  /** The hand-over Block that it, or one before it, carries: nothing but the closing follows. */
  readonly handOver: BlockId | null;
  readonly observedAtMs: number;
  /** Ballot at which it was prepared here; null for all others. */
  readonly preparedBallot: Ballot | null;
  readonly tallies: ReadonlyMap<Ballot, Tally>;
  /** Ballots at which it is Finalizable, ascending. */
  readonly finalizableBallots: readonly Ballot[];
  /** Votes at this Ballot or below are looked at no more; -1: all are. */
  readonly voteFloor: number;
  readonly isStored: boolean;
  /** Its issuer made another child of the same predecessor. */
  readonly isEquivocal: boolean;
}

/** The highest Ballot at which it is Finalizable, or -1. */
export function highestFinalizable(node: Node): number {
  return node.finalizableBallots.at(-1) ?? -1;
}

export function isFinalizableAt(node: Node, ballot: Ballot): boolean {
  return node.finalizableBallots.includes(ballot);
}

export function hasVoted(node: Node, owner: AvatarId, ballot: Ballot): boolean {
  return node.tallies.get(ballot)?.certificates.has(owner) ?? false;
}

/** Whose vote it is, and at which Ballot. */
export interface VoteOf {
  readonly owner: AvatarId;
  readonly ballot: Ballot;
}

/** What makes a Quorum of a group, and how many of it may lie. */
export interface Majority {
  readonly quorum: number;
  readonly faults: number;
}

/**
 * Would this vote change nothing that is kept? It lies at or below the floor, or its owner has as
 * many votes at higher Ballots as are kept: taken in again and again, such a vote would be passed
 * on for ever. Where so many others vote that liars alone could be what a Quorum lacks, it counts,
 * however many others its owner cast: else liars could keep it from whoever hears them first.
 */
export function isOutvoted(node: Node, { owner, ballot }: VoteOf, majority: Majority): boolean {
  if (ballot <= node.voteFloor) return true;
  if (isNear(node.tallies.get(ballot), owner, majority)) return false;
  const higher = openVotes(node.tallies, owner, majority).filter((each) => each > ballot);
  return higher.length >= CONSENSUS_LIMITS.ballotsPerVoterMax;
}

/**
 * So many votes at one Ballot are near a Quorum: liars could be all that it lacks, and an honest
 * owner is among those that are there.
 */
export function nearQuorum({ quorum, faults }: Majority): number {
  return Math.max(2, faults + 1, quorum - Math.max(1, faults));
}

/** Do so many beside the owner vote there that a Quorum lacks no more than liars can withhold? */
function isNear(tally: Tally | undefined, owner: AvatarId, majority: Majority): boolean {
  if (tally === undefined) return false;
  const others = tally.certificates.size - (tally.certificates.has(owner) ? 1 : 0);
  return others + Math.max(1, majority.faults) >= majority.quorum;
}

/** Ballots of an owner's votes that made no Quorum and are not near one. */
function openVotes(
  tallies: ReadonlyMap<Ballot, Tally>,
  owner: AvatarId,
  majority: Majority,
): Ballot[] {
  return [...tallies.values()]
    .filter((tally) => tally.finalizableAtMs === null && tally.certificates.has(owner))
    .filter((tally) => !isNear(tally, owner, majority))
    .map((tally) => tally.ballot);
}

/** @returns the node with one more vote. Whether that makes a Quorum is for `withFinalizable`. */
export function withVote(
  node: Node,
  vote: VoteOf & { readonly certificate: Certificate | null },
  majority: Majority,
): Node {
  const { owner, ballot } = vote;
  const tallies = new Map(node.tallies);
  const before = tallies.get(ballot);
  const certificates = new Map(before?.certificates);
  certificates.set(owner, vote.certificate);
  const finalizableAtMs = before?.finalizableAtMs ?? null;
  tallies.set(ballot, { ballot, certificates, finalizableAtMs });
  if (tallies.size <= CONSENSUS_LIMITS.ballotsPerVoterMax) return { ...node, tallies };
  dropOldVote(tallies, vote, majority);
  return raiseFloor({ ...node, tallies }, majority);
}

/** @returns the node, known to be Finalizable at `ballot` since `atMs`. */
export function withFinalizable(node: Node, ballot: Ballot, atMs: number): Node {
  const tallies = new Map(node.tallies);
  tallies.set(ballot, { ...tallies.get(ballot)!, finalizableAtMs: atMs });
  const ballots = [...node.finalizableBallots, ballot].sort((a, b) => a - b);
  if (ballots.length <= CONSENSUS_LIMITS.ballotsPerVoterMax) {
    return { ...node, tallies, finalizableBallots: ballots };
  }
  const lowest = ballots.find((each) => each !== ballot)!;
  tallies.delete(lowest);
  const finalizableBallots = ballots.filter((each) => each !== lowest);
  // Its votes would make the same Quorum again, and be passed on again.
  const voteFloor = Math.max(node.voteFloor, lowest);
  return { ...node, tallies, finalizableBallots, voteFloor };
}

/**
 * Keeps one owner's votes for one Metablock within bounds: that at the lowest Ballot goes. Votes
 * that made a Quorum stay, or are near one, and nobody's votes push out another's.
 */
function dropOldVote(
  tallies: Map<Ballot, Tally>,
  { owner, ballot }: VoteOf,
  majority: Majority,
): void {
  const open = openVotes(tallies, owner, majority).filter((each) => each !== ballot);
  if (open.length < CONSENSUS_LIMITS.ballotsPerVoterMax) return;
  const lowest = tallies.get(Math.min(...open) as Ballot)!;
  const certificates = new Map(lowest.certificates);
  certificates.delete(owner);
  if (certificates.size === 0) tallies.delete(lowest.ballot);
  else tallies.set(lowest.ballot, { ...lowest, certificates });
}

/**
 * Keeps the Ballots that are near a Quorum within bounds. An honest owner voted at each of them, so
 * liars alone raise no floor, and the honest have gone on to higher Ballots.
 */
function raiseFloor(node: Node, majority: Majority): Node {
  const least = nearQuorum(majority);
  const near = [...node.tallies.values()]
    .filter((tally) => tally.finalizableAtMs === null && tally.certificates.size >= least)
    .map((tally) => tally.ballot)
    .sort((a, b) => a - b);
  if (near.length <= CONSENSUS_LIMITS.ballotsPerVoterMax) return node;
  const voteFloor = Math.max(node.voteFloor, near[0]!);
  const tallies = new Map(node.tallies);
  for (const { ballot, finalizableAtMs } of node.tallies.values()) {
    if (ballot <= voteFloor && finalizableAtMs === null) tallies.delete(ballot);
  }
  return { ...node, tallies, voteFloor };
}
