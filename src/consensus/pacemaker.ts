import type { Ballot } from '../model/numbers.ts';
import { type GroupState, headNode } from './group-state.ts';
import { pendingOf } from './pending-blocks.ts';
import { lengthenRoundTrip, timeoutMs } from './timeout.ts';
import { isCrowded } from './turns.ts';
import { deriveFollowed } from './vote-rules.ts';
import type { Work } from './work.ts';

/**
 * Is something of the group undecided: Blocks that wait, or a head that nothing closes yet? Without
 * that nobody needs another Ballot, and an idle World is silent.
 *
 * @source consensus.md 5.
 */
export function isOpen(work: Work, group: GroupState): boolean {
  if (headNode(group)?.carries === true) return true;
  return pendingOf(group, work.context.settings.prepareBlockCount).count > 0;
}

/** How many owners are known to be at R or above, this one included. */
export function ownersAtBallot(work: Work, group: Readonly<GroupState>): number {
  let count = 0;
  for (const owner of group.sync.owners) {
    const isSelf = group.isVoter && owner === work.context.self;
    if (isSelf || (group.seen.get(owner) ?? 0) >= group.ballot) count++;
  }
  return count;
}

/** Moves on where the timer ran out, and follows where f + 1 owners are higher. */
export function moveBallot(work: Work, group: GroupState): void {
  if (group.timerAtMs !== null && work.nowMs >= group.timerAtMs + timeoutMs(work, group)) {
    if (isCrowded(group)) lengthenRoundTrip(work, group);
    raiseBallot(work, group, (group.ballot + 1) as Ballot);
  }
  const { self } = work.context;
  const others = [...group.seen].filter(([owner]) => owner !== self).map(([, ballot]) => ballot);
  const followed = deriveFollowed(others, group.faults, group.ballot);
  if (followed > group.ballot) raiseBallot(work, group, followed);
}

function raiseBallot(work: Work, group: GroupState, ballot: Ballot): void {
  group.ballot = ballot;
  group.ballotAtMs = work.nowMs;
  group.timerAtMs = null;
  work.move(group);
}

/** Starts the timer of R once a Quorum is there and something is open; stops it when nothing is. */
export function setTimer(work: Work, group: GroupState): void {
  if (!group.isVoter || !isOpen(work, group)) group.timerAtMs = null;
  else if (ownersAtBallot(work, group) < group.quorum) group.timerAtMs = null;
  else group.timerAtMs ??= work.nowMs;
}
