import { compareText } from '../model/bytes.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { Verifier } from '../ports/signer.ts';
import { isAtMost, type Log, makeLog, merge } from './log.ts';
import { judgeLog, type LogFault } from './log-validity.ts';
import type { LogHistory, LogMessage, LogName, MessageId } from './message.ts';
import { causalHistory } from './relations.ts';
import { WALK_STEPS_MAX, type Walked } from './walk.ts';

/**
 * One state for each log that something is known of, ascending by group and author. A value of any
 * number of groups; a Participant that keeps one for each Sync Group has at most its owners in it.
 *
 * @source features E10; 2P-BFT-Log 3.4.
 */
export type Frontier = readonly Log[];

export const EMPTY_FRONTIER: Frontier = [];

function compareNames(a: LogName, b: LogName): number {
  return compareText(a.group, b.group) || compareText(a.author, b.author);
}

/** Place of a log, or of the one that it would go before. */
function indexOf(frontier: Frontier, name: LogName): number {
  let low = 0;
  for (let high = frontier.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (compareNames(frontier[middle]!, name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The log of a Causal Group: an empty one if nothing is known of it. */
export function logIn(frontier: Frontier, name: LogName): Log {
  const there = frontier[indexOf(frontier, name)];
  return there !== undefined && compareNames(there, name) === 0 ? there : makeLog(name);
}

/** Puts a state in the place of what stands there: for a state that came out of `append`. */
export function replaceLog(frontier: Frontier, log: Log): Frontier {
  const index = indexOf(frontier, log);
  const there = frontier[index];
  const isThere = there !== undefined && compareNames(there, log) === 0;
  return there === log ? frontier : frontier.toSpliced(index, isThere ? 1 : 0, log);
}

/**
 * Merges one state in.
 *
 * @param log Valid (`judgeLog`).
 * @source 2P-BFT-Log, algorithm 4, Update.
 */
export function updateFrontier(
  frontier: Frontier,
  log: Log,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): Walked<Frontier> {
  const merged = merge(logIn(frontier, log), log, history, stepsMax);
  return merged.ok ? accept(replaceLog(frontier, merged.value)) : merged;
}

/**
 * Least upper bound of two frontiers.
 *
 * @param stepsMax Look-ups for each log.
 * @source 2P-BFT-Log, algorithm 4.
 */
export function mergeFrontiers(
  one: Frontier,
  other: Frontier,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): Walked<Frontier> {
  let merged = one;
  for (const log of other) {
    const next = updateFrontier(merged, log, history, stepsMax);
    if (!next.ok) return next;
    merged = next.value;
  }
  return accept(merged);
}

/** Does `other` know all that `one` does? @source 2P-BFT-Log, algorithm 4. */
export function isFrontierAtMost(
  one: Frontier,
  other: Frontier,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): Walked<boolean> {
  for (const log of one) {
    const there = other[indexOf(other, log)];
    if (there === undefined || compareNames(there, log) !== 0) return accept(false);
    const isLess = isAtMost(log, there, history, stepsMax);
    if (!isLess.ok || !isLess.value) return isLess;
  }
  return accept(true);
}

/** F1, F2. @source features E10. */
export function judgeFrontier(
  frontier: Frontier,
  ground: { readonly history: LogHistory; readonly verifier: Verifier },
): Verdict<Frontier, LogFault | 'frontier-unordered'> {
  for (const [index, log] of frontier.entries()) {
    const before = frontier[index - 1];
    if (before !== undefined && compareNames(before, log) >= 0) return refuse('frontier-unordered');
    const valid = judgeLog(log, ground);
    if (!valid.ok) return valid;
  }
  return accept(frontier);
}

/**
 * Messages(F): the causal history of all last messages and of all branches that prove forks. What
 * comes after a fork is in it where a message of a growing log depends on it: keep that and go on
 * giving it to peers.
 *
 * @returns as `causalHistory`.
 * @source features E10, E12.
 */
export function messagesOf(
  frontier: Frontier,
  history: LogHistory,
  messagesMax: number,
): Generator<LogMessage, Walked<number>> {
  const ends = frontier.flatMap((log) => [
    ...(log.last === null ? [] : [log.last]),
    ...(log.forks?.branches ?? []).map((each) => each.id),
  ]);
  return causalHistory(ends, history, messagesMax);
}

/**
 * What a correct author depends on in its next message: the last message of each other owner, and
 * none of an author whose fork is known, so that nothing hangs on a dead log. A sorted set, as a
 * Block Header wants it. M7 holds of it by itself, because a growing log only grows.
 *
 * @param convicted Authors of whom a proof is held that their log could not take in yet.
 * @source features E12; 2P-BFT-Log 3.4.3.
 */
export function deriveDependencies(
  frontier: Frontier,
  own: LogName,
  convicted: ReadonlySet<AvatarId> = new Set(),
): MessageId[] {
  const dependencies: MessageId[] = [];
  for (const log of logsOf(frontier, own.group)) {
    if (log.author === own.author || log.forks !== null || convicted.has(log.author)) continue;
    if (log.last !== null) dependencies.push(log.last);
  }
  return dependencies.sort(compareText);
}

/** Every log of one Sync Group that something is known of, ascending by author. */
export function logsOf(frontier: Frontier, group: GroupId): readonly Log[] {
  return frontier.filter((log) => log.group === group);
}

/** The proofs that a frontier holds: what every correct Participant is to have. */
export function forksOf(frontier: Frontier): readonly Log[] {
  return frontier.filter((log) => log.forks !== null);
}
