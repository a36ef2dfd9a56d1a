import { signedBytesOf } from '../model/block.ts';
import { fromHex } from '../model/bytes.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { accept } from '../model/verdict.ts';
import type { Verifier } from '../ports/signer.ts';
import type { LogHistory, LogMessage, MessageId } from './message.ts';
import { logOf, predecessorsOf } from './relations.ts';
import { placeOf, WALK_STEPS_MAX, Walk, type Walked, walking } from './walk.ts';

/** What makes a message invalid for ever and everywhere. */
export type MessageFault =
  /** M5: not signed by its author. It says nothing of the author. */
  | 'forged'
  /** M6: names itself. */
  | 'cyclic'
  /** M1: its causal sequence does not follow that of `previous`. */
  | 'previous-misplaced'
  /** M2: `previous` is of another log. */
  | 'previous-elsewhere'
  /** M3: depends on a message of its own author. */
  | 'dependency-own'
  /** M3: depends on a message of another Sync Group. */
  | 'dependency-elsewhere'
  /** M4: several dependencies on one author. */
  | 'dependency-doubled'
  /** M7: depends on an older message of an author than `previous` did, or one beside it. */
  | 'dependency-backwards';

/**
 * What is to be said of a message:
 *
 * - `valid`: it may be appended
 * - `early`: nothing against it, and not all that it is judged by is known (M6, M7): ask for
 *   `missing`, which has `previous` first if that is missing, and judge again. A caller for whom
 *   the own log is enough may go on when `previous` is not among them
 * - `invalid`: ignore it; `witnesses` are the known messages that show it (`keepInvalid`)
 * - `too-far`: M7 took more look-ups than allowed; nothing against it
 */
export type MessageVerdict =
  | { readonly kind: 'valid' | 'too-far' }
  | { readonly kind: 'early'; readonly missing: readonly MessageId[] }
  | {
      readonly kind: 'invalid';
      readonly fault: MessageFault;
      readonly witnesses: readonly LogMessage[];
    };

const VALID = { kind: 'valid' } as const;

function invalid(fault: MessageFault, ...witnesses: readonly LogMessage[]): MessageVerdict {
  return { kind: 'invalid', fault, witnesses };
}

/**
 * Judges a message by M1 to M7. A fault is found as soon as what shows it is known, so a message
 * that was `invalid` once is so everywhere; `valid` comes only after all that it names (M6).
 *
 * M7 compares with what `previous` depends on, not with all before it: a rule that looked further
 * back would judge by how much history one still keeps. And it asks for the order in the other
 * author's log, where the paper asks for any path: a correct author never goes over to another
 * branch.
 *
 * @param ground The verifier is null where the caller has judged the signature.
 * @source features E2; 2P-BFT-Log 3.2.1 and 4.6.
 */
export function judgeMessage(
  message: LogMessage,
  ground: { readonly history: LogHistory; readonly verifier: Verifier | null },
  stepsMax = WALK_STEPS_MAX,
): MessageVerdict {
  const { history, verifier } = ground;
  if (verifier !== null && !isSigned(verifier, message)) return invalid('forged');
  const named = predecessorsOf(message);
  if (named.includes(message.id)) return invalid('cyclic');
  const previous = message.previous === null ? null : history.message(message.previous);
  const fault = judgePrevious(message, previous) ?? judgeDependencies(message, history);
  if (fault !== null) return fault;
  const order = judgeOrder(message, previous ?? null, history, stepsMax);
  if (order.kind === 'invalid') return order;
  const missing = new Set(named.filter((id) => history.message(id) === undefined));
  if (order.kind === 'early') for (const id of order.missing) missing.add(id);
  return missing.size > 0 ? { kind: 'early', missing: [...missing] } : order;
}

function isSigned(verifier: Verifier, message: LogMessage): boolean {
  return verifier.verify(fromHex(message.issuer), signedBytesOf(message), message.signature);
}

/** M1, M2. @param previous Undefined while it is not known. */
function judgePrevious(
  message: LogMessage,
  previous: LogMessage | null | undefined,
): MessageVerdict | null {
  if ((message.sequence === 1) !== (message.previous === null)) {
    return invalid('previous-misplaced');
  }
  if (previous === null || previous === undefined) return null;
  if (previous.group !== message.group || previous.issuer !== message.issuer) {
    return invalid('previous-elsewhere', previous);
  }
  return previous.sequence + 1 === message.sequence
    ? null
    : invalid('previous-misplaced', previous);
}

/** M3, M4. */
function judgeDependencies(message: LogMessage, history: LogHistory): MessageVerdict | null {
  const byAuthor = new Map<AvatarId, LogMessage>();
  for (const id of message.dependencies) {
    const dependency = history.message(id);
    if (dependency === undefined) continue;
    if (dependency.group !== message.group) return invalid('dependency-elsewhere', dependency);
    if (dependency.issuer === message.issuer) return invalid('dependency-own', dependency);
    const other = byAuthor.get(dependency.issuer);
    if (other !== undefined) return invalid('dependency-doubled', other, dependency);
    byAuthor.set(dependency.issuer, dependency);
  }
  return null;
}

/** M7. */
function judgeOrder(
  message: LogMessage,
  previous: LogMessage | null,
  history: LogHistory,
  stepsMax: number,
): MessageVerdict {
  if (previous === null) return VALID;
  const { earlier, unknown } = dependenciesByAuthor(previous, history);
  const missing = new Set<MessageId>();
  let isTooFar = false;
  for (const id of message.dependencies) {
    if (previous.dependencies.includes(id)) continue;
    const later = history.message(id);
    const before = later === undefined ? undefined : earlier.get(later.issuer);
    if (later === undefined || before === undefined) {
      // Of whose log an unknown one is, and so whether this one comes after it, nobody here knows.
      for (const each of unknown) if (!message.dependencies.includes(each)) missing.add(each);
      continue;
    }
    const onwards = isOnwards(before, later, history, stepsMax);
    if (onwards.ok && !onwards.value) {
      return invalid('dependency-backwards', previous, before, later);
    }
    if (!onwards.ok && onwards.reason === 'unknown') missing.add(onwards.missing);
    else if (!onwards.ok) isTooFar = true;
  }
  if (missing.size > 0) return { kind: 'early', missing: [...missing] };
  return isTooFar ? { kind: 'too-far' } : VALID;
}

/** What a message depends on, as far as it is known here. */
function dependenciesByAuthor(
  message: LogMessage,
  history: LogHistory,
): { readonly earlier: Map<AvatarId, LogMessage>; readonly unknown: readonly MessageId[] } {
  const earlier = new Map<AvatarId, LogMessage>();
  const unknown: MessageId[] = [];
  for (const id of message.dependencies) {
    const dependency = history.message(id);
    if (dependency === undefined) unknown.push(id);
    else earlier.set(dependency.issuer, dependency);
  }
  return { earlier, unknown };
}

/** Is `later` the same as `before` or after it, in one log? */
function isOnwards(
  before: LogMessage,
  later: LogMessage,
  history: LogHistory,
  stepsMax: number,
): Walked<boolean> {
  if (later.sequence < before.sequence) return accept(false);
  return walking(
    new Walk(history, logOf(later), stepsMax),
    (walk) => walk.ancestorAt(placeOf(later), before.sequence).id === before.id,
  );
}

/** A correctly signed invalid message and what shows its fault: enough to judge it again alone. */
export interface InvalidEvidence {
  readonly author: AvatarId;
  readonly fault: MessageFault;
  readonly message: LogMessage;
  readonly witnesses: readonly LogMessage[];
}

/**
 * Whether to keep a message as evidence: the first that its author signed and that is invalid, and
 * no second one, so that nobody fills a disk with them.
 *
 * @param isKept Is there one of this author already?
 * @returns null where there is nothing to keep.
 * @source features E13; 2P-BFT-Log 4.4.
 */
export function keepInvalid(
  message: LogMessage,
  verdict: MessageVerdict,
  isKept: (author: AvatarId) => boolean,
): InvalidEvidence | null {
  if (verdict.kind !== 'invalid' || verdict.fault === 'forged') return null;
  if (isKept(message.issuer)) return null;
  const { fault, witnesses } = verdict;
  return { author: message.issuer, fault, message, witnesses };
}
