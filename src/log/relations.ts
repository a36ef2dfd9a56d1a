import { accept } from '../model/verdict.ts';
import { type ForkProof, joinBranches } from './fork-proof.ts';
import type { LogHistory, LogMessage, LogName, MessageId } from './message.ts';
import { type Place, placeOf, WALK_STEPS_MAX, Walk, type Walked, walking } from './walk.ts';

/** How two messages of one log stand: `older` is before the other, `beside` is concurrent to it. */
export type Relation = 'same' | 'older' | 'newer' | 'beside';

/** How `one` stands to `other` when both have `prefix` as their longest common prefix. */
export function relationBy(prefix: Place, one: Place, other: Place): Relation {
  if (prefix.id === one.id) return prefix.id === other.id ? 'same' : 'older';
  return prefix.id === other.id ? 'newer' : 'beside';
}

export function logOf(message: LogMessage): LogName {
  return { group: message.group, author: message.issuer };
}

function areOfOneLog(one: LogMessage, other: LogMessage): boolean {
  return one.group === other.group && one.issuer === other.issuer;
}

function walkFrom(history: LogHistory, message: LogMessage, stepsMax: number): Walk {
  return new Walk(history, logOf(message), stepsMax);
}

/**
 * How two messages stand in the log of their author, along `previous` alone. Of two logs they are
 * `beside` each other.
 *
 * @source 2P-BFT-Log, equations 5 and 6.
 */
export function relateInLog(
  one: LogMessage,
  other: LogMessage,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): Walked<Relation> {
  if (!areOfOneLog(one, other)) return accept('beside');
  return walking(walkFrom(history, one, stepsMax), (walk) => {
    const [a, b] = [placeOf(one), placeOf(other)];
    return relationBy(walk.prefix(a, b), a, b);
  });
}

/**
 * LogPrefix: the last message that two of one log have in common, or are; `START` (null at 0) when
 * they part at the first message.
 *
 * @source 2P-BFT-Log, equation 9.
 */
export function logPrefix(
  one: LogMessage,
  other: LogMessage,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): Walked<Place> {
  return walking(walkFrom(history, one, stepsMax), (walk) =>
    walk.prefix(placeOf(one), placeOf(other)),
  );
}

/**
 * ForkProof: the first message of each branch that two of one log are on; null when they are on
 * one.
 *
 * @source 2P-BFT-Log, equation 10.
 */
export function forkBetween(
  one: LogMessage,
  other: LogMessage,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): Walked<ForkProof | null> {
  if (!areOfOneLog(one, other)) return accept(null);
  return walking(walkFrom(history, one, stepsMax), (walk) => {
    const places = [placeOf(one), placeOf(other)] as const;
    const prefix = walk.prefix(...places);
    if (relationBy(prefix, ...places) !== 'beside') return null;
    return joinBranches(places.flatMap((place) => walk.firstAfter(prefix, place) ?? []));
  });
}

/**
 * The range ]after, upTo]: what `upTo` has behind it, itself included, and `after` has not; newest
 * first. Returns how many there were.
 *
 * @param after Null for the whole log up to `upTo`.
 * @source 2P-BFT-Log, equation 8.
 */
export function* rangeInLog(
  after: LogMessage | null,
  upTo: LogMessage,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): Generator<LogMessage, Walked<number>> {
  const prefix = after === null ? null : logPrefix(after, upTo, history, stepsMax);
  if (prefix !== null && !prefix.ok) return prefix;
  const end = prefix?.value.sequence ?? 0;
  for (let count = 0, at = upTo; ; ) {
    if (at.sequence <= end) return accept(count);
    if (count === stepsMax) return { ok: false, reason: 'too-far' };
    yield at;
    count += 1;
    if (at.previous === null) return accept(count);
    const before = history.message(at.previous);
    if (before === undefined) return { ok: false, reason: 'unknown', missing: at.previous };
    at = before;
  }
}

/**
 * Causal history: each of `from` and all that happened before it, in the logs of all authors, each
 * once, in an order that means nothing. Returns how many there were; `unknown` when some are not
 * here (the rest were still given), `too-far` when there are more than `messagesMax`.
 *
 * It remembers an id for each message given and each dependency still to visit, so `messagesMax` is
 * what bounds its memory.
 *
 * @source 2P-BFT-Log, equations 1 and 4.
 */
export function* causalHistory(
  from: readonly MessageId[],
  history: LogHistory,
  messagesMax: number,
): Generator<LogMessage, Walked<number>> {
  const seen = new Set(from);
  const open = [...seen];
  let missing: MessageId | null = null;
  let count = 0;
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const message = history.message(id);
    if (message === undefined) {
      missing ??= id;
      continue;
    }
    if (count === messagesMax) return { ok: false, reason: 'too-far' };
    yield message;
    count += 1;
    for (const before of predecessorsOf(message)) {
      if (seen.has(before)) continue;
      seen.add(before);
      open.push(before);
    }
  }
  return missing === null ? accept(count) : { ok: false, reason: 'unknown', missing };
}

/** What a message names directly: its previous one and its dependencies. */
export function predecessorsOf(message: LogMessage): readonly MessageId[] {
  const { previous, dependencies } = message;
  return previous === null ? dependencies : [previous, ...dependencies];
}

/**
 * Did `one` happen before `other`, in the graph of all authors' messages? Two of which neither did
 * are concurrent.
 *
 * @source 2P-BFT-Log, equations 1 to 3.
 */
export function happensBefore(
  one: LogMessage,
  other: LogMessage,
  history: LogHistory,
  messagesMax = WALK_STEPS_MAX,
): Walked<boolean> {
  const past = causalHistory(predecessorsOf(other), history, messagesMax);
  for (let next = past.next(); ; next = past.next()) {
    if (next.done) return next.value.ok ? accept(false) : next.value;
    if (next.value.id === one.id) return accept(true);
  }
}
