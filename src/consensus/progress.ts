import type { Certificate } from '../model/certificate.ts';
import { invariant } from '../model/invariant.ts';
import type { MetablockId } from '../model/metablock.ts';
import type { Ballot } from '../model/numbers.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { NO_BLOCKS, withoutFinal } from './block-window.ts';
import { dismiss, dismissBelowFinalized } from './dismissal.ts';
import type { GroupState } from './group-state.ts';
import { highestFinalizable, type Node, type Tally, withFinalizable, withVote } from './node.ts';
import { withRecent } from './recent-chain.ts';
import { CONSENSUS_LIMITS } from './settings.ts';
import { measureRoundTrip } from './timeout.ts';
import { isHigherHead } from './vote-rules.ts';
import type { Work } from './work.ts';

/** Counts one vote for a Metablock of the window, and what follows from it. */
export function addVote(
  work: Work,
  group: GroupState,
  id: MetablockId,
  vote: {
    readonly owner: AvatarId;
    readonly ballot: Ballot;
    readonly certificate: Certificate | null;
  },
): void {
  const before = group.nodes.get(id);
  invariant(before !== undefined, 'the Metablock stands in the window');
  const node = withVote(before, vote, group);
  group.nodes.set(id, node);
  const tally = node.tallies.get(vote.ballot);
  if (tally === undefined) return;
  // The issuer of the predecessor, whom the strict profile asks too, is one of its Quorum of all.
  if (tally.finalizableAtMs === null && tally.certificates.size >= group.quorum) {
    becomeFinalizable(work, group, node, vote.ballot);
  }
}

function becomeFinalizable(work: Work, group: GroupState, before: Node, ballot: Ballot): void {
  const node = withFinalizable(before, ballot, work.nowMs);
  group.nodes.set(node.metablock.id, node);
  storePath(work, group, node.metablock.id);
  storeQuorum(work, node, ballot);
  measure(work, group, node, ballot);
  const { generation } = node.metablock;
  if (generation > group.highestFinalizable) {
    group.highestFinalizable = generation;
    work.promise(group);
  }
  raiseHead(group, node);
  const { predecessor } = node;
  if (predecessor !== null && group.nodes.has(predecessor)) finalize(work, group, predecessor);
}

/** Times and Levels that turns and pacemaker go by; no safety rests on them. */
function measure(work: Work, group: GroupState, node: Node, ballot: Ballot): void {
  if (node.level > group.highestLevel) {
    group.highestLevel = node.level;
    group.newLevelBallot = Math.max(group.newLevelBallot, ballot) as Ballot;
    // Progress below one's own Ballot is no reason to stay in that Ballot longer.
    if (ballot >= group.ballot && group.timerAtMs !== null) group.timerAtMs = work.nowMs;
  }
  if (node.carries && node.observedAtMs >= group.carriedAtMs) {
    group.carriedAtMs = node.observedAtMs;
    group.carriedCount = node.blocks.length;
    group.decidedAtMs = work.nowMs;
  }
  measureRoundTrip(work, group, node, ballot);
}

/** Stores a Metablock and all before it in the window that is not stored yet, the oldest first. */
export function storePath(work: Work, group: GroupState, id: MetablockId): void {
  const path: Node[] = [];
  for (let node = group.nodes.get(id); node !== undefined && !node.isStored; ) {
    path.push(node);
    node = node.predecessor === null ? undefined : group.nodes.get(node.predecessor);
  }
  for (const node of path.reverse()) {
    work.store({ kind: 'store-metablock', metablock: node.metablock });
    group.nodes.set(node.metablock.id, { ...node, isStored: true });
  }
}

/** The own Certificate was stored when it was made, unless a clone made it. */
function storeQuorum(work: Work, node: Node, ballot: Ballot): void {
  const { self, passive } = work.context;
  for (const certificate of node.tallies.get(ballot)!.certificates.values()) {
    if (certificate === null || (certificate.certifier === self && passive !== true)) continue;
    work.store({ kind: 'store-certificate', certificate });
  }
}

function raiseHead(group: GroupState, node: Node): void {
  const head = group.head === null ? undefined : group.nodes.get(group.head);
  const standing = { ballot: highestFinalizable(node), level: node.level };
  if (
    head !== undefined &&
    !isHigherHead(standing, { ballot: highestFinalizable(head), level: head.level })
  ) {
    return;
  }
  if (group.head === node.metablock.id) return;
  group.head = node.metablock.id;
  group.pending = null;
}

/**
 * Makes `target` Finalized, and all before it, the oldest first.
 *
 * Everything in the window descends from the finalized head, so the walk back always meets it; what
 * does not is never let in (`dismiss`), and there a fork shows.
 *
 * @source consensus.md 4.
 */
export function finalize(work: Work, group: GroupState, target: MetablockId): void {
  const path: Node[] = [];
  let at: MetablockId | null = target;
  while (at !== null && at !== group.finalized?.metablock) {
    const node: Node | undefined = group.nodes.get(at);
    invariant(node !== undefined, 'the walk back meets the finalized head');
    path.push(node);
    at = node.predecessor;
  }
  if (path.length === 0) return;
  storePath(work, group, target);
  for (const node of path.reverse()) {
    const { metablock, blocks, level, issuers, handOver } = node;
    const head = { group: group.sync.id, metablock: metablock.id, level, issuers, handOver };
    work.store({ kind: 'finalize', metablock, blocks, head });
    group.finalized = head;
    group.finalizedGeneration = metablock.generation;
    // What else was pending can never follow a hand-over.
    group.blocks = handOver === null ? withoutFinal(group.blocks, blocks) : NO_BLOCKS;
    rememberFinal(work, group, node);
  }
  group.pending = null;
  prune(work, group, path);
}

function rememberFinal(work: Work, group: GroupState, node: Node): void {
  const { id, generation } = node.metablock;
  const max = CONSENSUS_LIMITS.recentFinalMax;
  group.recentFinal = withRecent(group.recentFinal, id, { generation, max });
  // Another group of the same Metablock may still have to know whose these Blocks were.
  if (node.metablock.predecessors.length < 2) return;
  for (const block of node.blocks) work.rememberForeign(block);
}

/** Forgets what lies below the new finalized head, and what is its rival. */
function prune(work: Work, group: GroupState, path: readonly Node[]): void {
  const target = path.at(-1)!.metablock.id;
  const rivals = work.chainOf(group).rivalsOf(target);
  for (const { metablock } of rivals) group.nodes.delete(metablock.id);
  const below = new Set<MetablockId>();
  for (const id of group.nodes.keys()) {
    if (id === target) break;
    below.add(id);
  }
  for (const id of below) {
    group.nodes.delete(id);
    group.asks.delete(id);
  }
  group.packed = null;
  keepPromises(work, group, below);
  for (const { metablock, tallies } of rivals) {
    dismiss(work, group, { kind: 'rival', metablock, certificates: certificatesOf(tallies) });
  }
  dismissBelowFinalized(work, group);
  if (group.head === null || !group.nodes.has(group.head)) {
    group.head = target;
    for (const node of group.nodes.values()) raiseHead(group, node);
  }
}

function certificatesOf(tallies: ReadonlyMap<Ballot, Tally>): Certificate[] {
  const certificates = [...tallies.values()].flatMap((tally) => [...tally.certificates.values()]);
  return certificates.filter((each) => each !== null);
}

/**
 * Votes and locks on what is final forbid nothing any more. A vote for a rival of it stays, and
 * forbids all else at its Ballot (V1); `dismiss` sees to a lock on a rival.
 */
function keepPromises(work: Work, group: GroupState, below: ReadonlySet<MetablockId>): void {
  const votes = group.votes.filter((id) => !below.has(id));
  const isLockSpent = group.lock !== null && below.has(group.lock.metablock);
  if (votes.length === group.votes.length && !isLockSpent) return;
  group.votes = votes;
  if (isLockSpent) group.lock = null;
  work.promise(group);
}
