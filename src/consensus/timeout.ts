import type { Ballot } from '../model/numbers.ts';
import type { GroupState } from './group-state.ts';
import type { Node } from './node.ts';
import { CONSENSUS_LIMITS } from './settings.ts';
import type { Work } from './work.ts';

/**
 * The round trip that votes show, or what the links are said to take if that is longer; 0 where
 * neither is known. A single peer that is slow on purpose must not slow down everybody.
 */
export function roundTripMs(work: Work, group: GroupState): number {
  const toldMs = Math.min(work.linkRoundTripMs ?? 0, roundTripMaxMs(work));
  return Math.max(group.roundTripMs ?? 0, toldMs);
}

/** The longest that is believed: a Ballot begins with four of them. */
function roundTripMaxMs(work: Work): number {
  return work.context.settings.ballotTimeoutMaxMs / 4;
}

/** What is known at one moment shows no round trip; and from nothing none could ever rise. */
const SAMPLE_MIN_MS = 1;

function takeSample(work: Work, group: GroupState, takenMs: number): void {
  const sampleMs = Math.max(SAMPLE_MIN_MS, takenMs);
  const known = group.roundTripMs;
  const beforeMs = known ?? work.context.settings.ballotTimeoutMs / 4;
  // It rises by half at most: a vote that was lost and came by another way says little of the
  // links.
  if (sampleMs >= beforeMs) {
    group.roundTripMs = Math.min(sampleMs, 1.5 * beforeMs, roundTripMaxMs(work));
  } else {
    // What was only supposed is not averaged with what was measured.
    group.roundTripMs = known === null ? sampleMs : (3 * known + sampleMs) / 4;
  }
}

/**
 * Learns the round trip from a Metablock that became Finalizable: an own one took it since it was
 * prepared; the empty child that its head's issuer signed in advance took half of it since the head
 * was Finalizable, with two owners all of it.
 */
export function measureRoundTrip(work: Work, group: GroupState, node: Node, ballot: Ballot): void {
  if (node.preparedBallot === ballot) {
    takeSample(work, group, work.nowMs - node.observedAtMs);
    return;
  }
  if (node.carries || node.predecessor === null) return;
  const { issuer } = node.metablock;
  const head = group.nodes.get(node.predecessor);
  const sinceMs = head?.tallies.get(ballot)?.finalizableAtMs ?? null;
  if (sinceMs === null || head?.metablock.issuer !== issuer || issuer === work.context.self) return;
  const delays = group.sync.owners.length === 2 ? 2 : 1;
  takeSample(work, group, ((work.nowMs - sinceMs) * 2) / delays);
}

/** Several owners prepared at once: the round trip must be longer than was thought. */
export function lengthenRoundTrip(work: Work, group: GroupState): void {
  takeSample(work, group, Number.POSITIVE_INFINITY);
}

/**
 * How long the Ballot lasts once a Quorum is there, in milliseconds.
 *
 * @source consensus.md 5: base * 2^k, base 4 smoothed round trips, k Ballots since the last new
 * Level.
 */
export function timeoutMs(work: Work, group: GroupState): number {
  const { ballotTimeoutMs, ballotTimeoutMaxMs } = work.context.settings;
  const baseMs = Math.max(ballotTimeoutMs, 4 * roundTripMs(work, group));
  const doublings = Math.max(0, group.ballot - group.newLevelBallot);
  const factor = 2 ** Math.min(doublings, CONSENSUS_LIMITS.timeoutDoublingsMax);
  return Math.min(baseMs * factor, Math.max(ballotTimeoutMaxMs, 4 * baseMs));
}
