import { invariant } from '../model/invariant.ts';
import { type CausalSequence, NO_SEQUENCE } from '../model/numbers.ts';
import { accept } from '../model/verdict.ts';
import { type ForkProof, joinBranches } from './fork-proof.ts';
import {
  historyWith,
  type LogHistory,
  type LogMessage,
  type LogName,
  type MessageId,
} from './message.ts';
import { logOf, relationBy } from './relations.ts';
import {
  type Place,
  WALK_STEPS_MAX,
  Walk,
  type Walked,
  type WalkFailure,
  walking,
} from './walk.ts';

/**
 * The state of one 2P-BFT-Log: what is known of one Causal Group. Without `forks` it grows; with a
 * fork proof it shrinks for ever after, `last` being the message before the earliest fork known.
 * A fork at the first message is the upper bound: `last` is null, and no message moves it again.
 *
 * A value; every operation returns another, or the same object when nothing changed.
 *
 * @source features E5; 2P-BFT-Log 3.3.
 */
export interface Log extends LogName {
  readonly last: MessageId | null;
  /** Causal sequence of `last`; 0 for none. */
  readonly sequence: CausalSequence;
  readonly forks: ForkProof | null;
}

/** A growing log that ends with `last`, such as a row of the store's frontier; empty without. */
export function makeLog(
  name: LogName,
  last: { readonly id: MessageId; readonly sequence: CausalSequence } | null = null,
): Log {
  const { group, author } = name;
  return {
    group,
    author,
    last: last?.id ?? null,
    sequence: last?.sequence ?? NO_SEQUENCE,
    forks: null,
  };
}

/** The least that a proof says of a log: the state of whoever knows nothing else. */
export function logOfProof(proof: ForkProof): Log {
  const { group, author, previous } = proof;
  const sequence = (proof.sequence - 1) as CausalSequence;
  return { group, author, last: previous, sequence, forks: proof };
}

/**
 * What a message or a proof made of a log:
 *
 * - `newer`: it ends with the message now
 * - `known`: the message is `last` or before it; the proof says nothing new
 * - `forked`: it was growing and has a fork proof now: spread it, keep it, tell somebody
 * - `shrunk`: the fork is an earlier one now: the same
 * - `covered`: a message on a branch after the known fork. The proof may name a lower branch now;
 *   that changes nothing for anybody, so it needs neither disk nor network
 * - `unknown`, `too-far`: the history does not tell (yet); nothing changed
 * - `misplaced`: the proof's branches follow a message of another log or place, so each is an
 *   invalid message and none a fork (`judgeMessage` says so too); nothing changed
 */
export type LogChange =
  | { readonly kind: 'newer' | 'known' | 'forked' | 'shrunk' | 'covered'; readonly log: Log }
  | { readonly kind: 'unknown'; readonly log: Log; readonly missing: MessageId }
  | { readonly kind: 'too-far' | 'misplaced'; readonly log: Log };

/**
 * Takes one message in. It need not follow `last` directly, only everything before it be known.
 * The same as merging with a log that ends with it.
 *
 * @param message Valid (`judgeMessage`), of this log; the history need not hold it yet.
 * @source features E7; 2P-BFT-Log, algorithm 1.
 */
export function append(
  log: Log,
  message: LogMessage,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): LogChange {
  const one = makeLog(logOf(message), message);
  // What a correct author does, without a look at the history; a merge would say the same.
  if (isNext(log, message)) return { kind: 'newer', log: one };
  const merged = merge(log, one, historyWith(history, [message]), stepsMax);
  if (!merged.ok) return unchanged(log, merged);
  const next = merged.value;
  if (isForkNews(log, next)) return { kind: log.forks === null ? 'forked' : 'shrunk', log: next };
  if (message.sequence <= log.sequence) return { kind: 'known', log };
  return { kind: log.forks === null ? 'newer' : 'covered', log: next };
}

function isNext(log: Log, message: LogMessage): boolean {
  const isOfLog = log.group === message.group && log.author === message.issuer;
  return isOfLog && log.forks === null && message.previous === log.last;
}

/**
 * Takes a fork proof in. `unknown` or `too-far` when it speaks of a place that this log has not
 * reached, or of one so old that it is gone from the disk: keep the proof, which convicts its
 * author all the same (`coveredByProof`), and take it in again when `missing` is here.
 *
 * @param proof Judged (`checkForkProof`), of this log.
 */
export function adoptProof(
  log: Log,
  proof: ForkProof,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): LogChange {
  const where = placeOfProof(proof, history);
  if (where === 'unknown') return { kind: where, log, missing: proof.previous! };
  if (where === 'misplaced') return { kind: where, log };
  const merged = merge(log, logOfProof(proof), historyWith(history, proof.branches), stepsMax);
  if (!merged.ok) return unchanged(log, merged);
  const next = merged.value;
  if (isForkNews(log, next)) return { kind: log.forks === null ? 'forked' : 'shrunk', log: next };
  return { kind: 'known', log: next };
}

/** Is the message that a proof's branches follow here, and where they say? */
function placeOfProof(proof: ForkProof, history: LogHistory): 'here' | 'unknown' | 'misplaced' {
  if (proof.previous === null) return 'here';
  const sequence = (proof.sequence - 1) as CausalSequence;
  if (history.trunkAt(proof, sequence) === proof.previous) return 'here';
  const previous = history.message(proof.previous);
  if (previous === undefined) return 'unknown';
  const isHere =
    previous.group === proof.group &&
    previous.issuer === proof.author &&
    previous.sequence === sequence;
  return isHere ? 'here' : 'misplaced';
}

/** Does `next`, which came after `log`, fork where `log` did not? */
function isForkNews(log: Log, next: Log): boolean {
  return next.forks !== null && (log.forks === null || next.sequence < log.sequence);
}

function unchanged(log: Log, failure: WalkFailure): LogChange {
  return failure.reason === 'unknown'
    ? { kind: 'unknown', log, missing: failure.missing }
    : { kind: 'too-far', log };
}

/**
 * Least upper bound of two states of one log: knows what both know. Commutative, associative and
 * idempotent to the last byte: whoever knows the same holds the same proof.
 *
 * The paper keeps a shrinking log as it is when a growing one goes on after the fork. Here the
 * branch that it goes on with joins the proof; else which branches a replica names would hang on
 * the order in which it learned of them.
 *
 * @source features E9; 2P-BFT-Log, algorithm 3.
 */
export function merge(
  one: Log,
  other: Log,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): Walked<Log> {
  invariant(one.group === other.group && one.author === other.author, 'two states of one log');
  return walking(new Walk(history, one, stepsMax), (walk) => {
    const prefix = walk.prefix(endOf(one), endOf(other));
    const relation = relationBy(prefix, endOf(one), endOf(other));
    if (one.forks === null && other.forks === null && relation !== 'beside') {
      return relation === 'older' ? other : one;
    }
    if (isBehindFork(one, other, prefix)) return other;
    if (isBehindFork(other, one, prefix)) return one;
    const branches = [one, other].flatMap((each) => branchesAfter(walk, prefix, each));
    return reuse([one, other], {
      group: one.group,
      author: one.author,
      last: prefix.id,
      sequence: prefix.sequence,
      forks: joinBranches(branches),
    });
  });
}

function endOf(log: Log): Place {
  return { id: log.last, sequence: log.sequence };
}

/** Has `log` no fork and nothing that `forked` has not got before its own? */
function isBehindFork(log: Log, forked: Log, prefix: Place): boolean {
  return log.forks === null && forked.forks !== null && prefix.id === log.last;
}

/** First messages after `prefix` that `log` knows of: its proof's, or the one on its way on. */
function branchesAfter(walk: Walk, prefix: Place, log: Log): readonly LogMessage[] {
  const onward = walk.firstAfter(prefix, endOf(log));
  return onward === null ? (log.forks?.branches ?? []) : [onward];
}

/** The state that is there already, if it is the same: who compares by identity sees no change. */
function reuse(states: readonly Log[], made: Log): Log {
  return states.find((each) => isSameState(each, made)) ?? made;
}

/** The same state in every part, the branches that prove a fork included. */
export function isSameState(one: Log, other: Log): boolean {
  const [a, b] = [one.forks?.branches ?? [], other.forks?.branches ?? []];
  return (
    one.group === other.group &&
    one.author === other.author &&
    one.last === other.last &&
    a.length === b.length &&
    a.every((each, index) => each.id === b[index]!.id)
  );
}

/**
 * The order of states, so of knowledge: does `other` know all that `one` does of how long the log
 * is and where it forks? Which branches prove a fork does not count, so two states that are at most
 * each other may still name different ones.
 *
 * Between a growing and a shrinking state we leave algorithm 2, which calls every shrinking one
 * larger: a fork late on one branch does not know of a message on another, and merging the two
 * finds an earlier fork. Under the letter `merge` would not be a least upper bound.
 *
 * @source features E8; 2P-BFT-Log, algorithm 2.
 */
export function isAtMost(
  one: Log,
  other: Log,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): Walked<boolean> {
  invariant(one.group === other.group && one.author === other.author, 'two states of one log');
  if (one.forks !== null && other.forks === null) return accept(false);
  return walking(new Walk(history, one, stepsMax), (walk) => {
    const prefix = walk.prefix(endOf(one), endOf(other));
    const relation = relationBy(prefix, endOf(one), endOf(other));
    if (relation === 'same') return true;
    if (other.forks === null) return relation === 'older';
    return one.forks === null ? relation !== 'beside' : relation === 'newer';
  });
}

/**
 * Is a message at or after the known fork of its log, or beside its valid prefix? Then nobody votes
 * for it or prepares it unless its Metablock is Finalizable (consensus.md 5). False for all of a
 * growing log, and for what is `last` or before it: a fork never touches that.
 *
 * @param log The log of the message's group and issuer.
 */
export function coveredByFork(
  log: Log,
  message: LogMessage,
  history: LogHistory,
  stepsMax = WALK_STEPS_MAX,
): boolean {
  invariant(log.group === message.group && log.author === message.issuer, 'of the message’s log');
  if (log.forks === null) return false;
  if (message.sequence > log.sequence) return true;
  const there = walking(new Walk(history, log, stepsMax), (walk) =>
    walk.ancestorAt(endOf(log), message.sequence),
  );
  // What lies so far back that it is gone from here was final long ago.
  return there.ok && there.value.id !== message.id;
}
