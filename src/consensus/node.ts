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

/**
 * Are there as many votes of this owner at higher Ballots as are kept? Then this one would push out
 * none of them: taken in again and again, it would be passed on for ever. One that makes a Quorum
 * stays and counts, however many others its owner cast.
 */
export function isOutvoted(
  node: Node,
  { owner, ballot }: { readonly owner: AvatarId; readonly ballot: Ballot },
  quorum: number,
): boolean {
  if ((node.tallies.get(ballot)?.certificates.size ?? 0) + 1 >= quorum) return false;
  const higher = openVotes(node.tallies, owner).filter((each) => each > ballot);
  return higher.length >= CONSENSUS_LIMITS.ballotsPerVoterMax;
}

/** Ballots of an owner's votes that made no Quorum. */
function openVotes(tallies: ReadonlyMap<Ballot, Tally>, owner: AvatarId): Ballot[] {
  return [...tallies.values()]
    .filter((tally) => tally.finalizableAtMs === null && tally.certificates.has(owner))
    .map((tally) => tally.ballot);
}

/** @returns the node with one more vote. Whether that makes a Quorum is for `withFinalizable`. */
export function withVote(
  node: Node,
  ballot: Ballot,
  vote: { readonly owner: AvatarId; readonly certificate: Certificate | null },
): Node {
  const tallies = new Map(node.tallies);
  const before = tallies.get(ballot);
  const certificates = new Map(before?.certificates);
  certificates.set(vote.owner, vote.certificate);
  const finalizableAtMs = before?.finalizableAtMs ?? null;
  tallies.set(ballot, { ballot, certificates, finalizableAtMs });
  if (tallies.size > CONSENSUS_LIMITS.ballotsPerVoterMax) dropOldVote(tallies, vote.owner, ballot);
  return { ...node, tallies };
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
  return { ...node, tallies, finalizableBallots };
}

/**
 * Keeps one owner's votes for one Metablock within bounds: that at the lowest Ballot goes. Votes
 * that made a Quorum stay, and nobody's votes push out another's.
 */
function dropOldVote(tallies: Map<Ballot, Tally>, owner: AvatarId, ballot: Ballot): void {
  const open = openVotes(tallies, owner).filter((each) => each !== ballot);
  if (open.length < CONSENSUS_LIMITS.ballotsPerVoterMax) return;
  const lowest = tallies.get(Math.min(...open) as Ballot)!;
  const certificates = new Map(lowest.certificates);
  certificates.delete(owner);
  if (certificates.size === 0) tallies.delete(lowest.ballot);
  else tallies.set(lowest.ballot, { ...lowest, certificates });
}
