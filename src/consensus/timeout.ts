import type { GroupState } from './group-state.ts';
import { CONSENSUS_LIMITS } from './settings.ts';
import type { Work } from './work.ts';

/**
 * From preparing to Finalizable, smoothed, or what the links are said to take if that is longer; 0
 * where neither is known. A single peer that is slow on purpose must not slow down everybody.
 */
export function roundTripMs(work: Work, group: GroupState): number {
  const toldMs = Math.min(work.linkRoundTripMs ?? 0, work.context.settings.ballotTimeoutMaxMs / 4);
  return Math.max(group.roundTripMs ?? 0, toldMs);
}

/**
 * Takes a sample of the round trip, in milliseconds. It falls at once and rises by half at most: a
 * vote that was lost and came by another way says nothing about the links.
 */
export function measureRoundTrip(work: Work, group: GroupState, sampleMs: number): void {
  const before = group.roundTripMs ?? work.context.settings.ballotTimeoutMs / 4;
  group.roundTripMs =
    sampleMs < before ? (before + sampleMs) / 2 : Math.min(sampleMs, 1.5 * before);
}

/**
 * How long the Ballot lasts once a Quorum is there, in milliseconds.
 *
 * @source consensus.md 5: base * 2^k, base 4 smoothed round trips, k Ballots since the last new Level.
 */
export function timeoutMs(work: Work, group: GroupState): number {
  const { ballotTimeoutMs, ballotTimeoutMaxMs } = work.context.settings;
  const baseMs = Math.max(ballotTimeoutMs, 4 * roundTripMs(work, group));
  const doublings = Math.max(0, group.ballot - group.newLevelBallot);
  const factor = 2 ** Math.min(doublings, CONSENSUS_LIMITS.timeoutDoublingsMax);
  return Math.min(baseMs * factor, Math.max(ballotTimeoutMaxMs, 4 * baseMs));
}
