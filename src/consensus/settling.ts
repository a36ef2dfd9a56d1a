import { invariant } from '../model/invariant.ts';
import type { GroupState } from './group-state.ts';
import { askAgain, nextAskMs } from './held.ts';
import { moveBallot, setTimer } from './pacemaker.ts';
import { derivePrepareAtMs, prepare } from './preparation.ts';
import { timeoutMs } from './timeout.ts';
import { nextVotableMs, voteNext } from './voting.ts';
import type { Work } from './work.ts';

/** More votes than any group can call for in one step. */
const VOTES_MAX = 10_000;

/** Does what the event of this step calls for: votes, Ballots, and what it is time to prepare. */
export function settleAll(work: Work): void {
  for (const group of work.touched()) settle(work, group);
  while (prepare(work)) for (const group of work.touched()) settle(work, group);
}

function settle(work: Work, group: GroupState): void {
  group.prepareAtMs = null;
  group.deadlineMs = null;
  if (group.alarm !== null) return;
  if (group.timerAtMs !== null) setTimer(work, group);
  moveBallot(work, group);
  for (let votes = 0; voteNext(work, group); votes++) {
    invariant(votes < VOTES_MAX, 'the votes of one step come to an end');
  }
  setTimer(work, group);
  const askMs = nextAskMs(group);
  if (askMs !== null && askMs <= work.nowMs) askAgain(work, group);
  group.prepareAtMs = derivePrepareAtMs(work, group);
  group.deadlineMs = deriveDeadlineMs(work, group);
}

function deriveDeadlineMs(work: Work, group: GroupState): number | null {
  const timerMs = group.timerAtMs === null ? null : group.timerAtMs + timeoutMs(work, group);
  let earliest: number | null = null;
  for (const atMs of [timerMs, nextAskMs(group), group.prepareAtMs, nextVotableMs(work, group)]) {
    if (atMs !== null && (earliest === null || atMs < earliest)) earliest = atMs;
  }
  return earliest;
}
