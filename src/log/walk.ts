import { invariant } from '../model/invariant.ts';
import { type CausalSequence, NO_SEQUENCE } from '../model/numbers.ts';
import { accept } from '../model/verdict.ts';
import type { LogHistory, LogMessage, LogName, MessageId } from './message.ts';

/** Look-ups that one question to the history may cost unless its caller says otherwise. */
export const WALK_STEPS_MAX = 10_000;

/**
 * The answer to a question that needs history, or why there is none: `unknown` names a message
 * that is not here (ask for it, then ask again); `too-far` took more look-ups than allowed. Neither
 * says anything against anybody.
 */
export type Walked<Value> = { readonly ok: true; readonly value: Value } | WalkFailure;

export type WalkFailure =
  | { readonly ok: false; readonly reason: 'unknown'; readonly missing: MessageId }
  | { readonly ok: false; readonly reason: 'too-far' };

/** A place in a log: a message and its causal sequence; null and 0 before the first. */
export interface Place {
  readonly id: MessageId | null;
  readonly sequence: CausalSequence;
}

export const START: Place = { id: null, sequence: NO_SEQUENCE };

export function placeOf(message: LogMessage): Place {
  return { id: message.id, sequence: message.sequence };
}

/** Thrown inside a walk and turned into a value by `walking`. */
class WalkStop extends Error {
  override readonly name = 'WalkStop';
  readonly failure: WalkFailure;

  constructor(failure: WalkFailure) {
    super(failure.reason);
    this.failure = failure;
  }
}

/** Walks back along `previous` in one log, within a number of look-ups. */
export class Walk {
  private readonly history: LogHistory;
  private readonly log: LogName;
  private stepsLeft: number;

  constructor(history: LogHistory, log: LogName, stepsMax: number) {
    this.history = history;
    this.log = log;
    this.stepsLeft = stepsMax;
  }

  private step(): void {
    if (this.stepsLeft === 0) throw new WalkStop({ ok: false, reason: 'too-far' });
    this.stepsLeft -= 1;
  }

  message(id: MessageId): LogMessage {
    this.step();
    const message = this.history.message(id);
    if (message === undefined) throw new WalkStop({ ok: false, reason: 'unknown', missing: id });
    return message;
  }

  private trunkAt(sequence: CausalSequence): MessageId | undefined {
    this.step();
    return this.history.trunkAt(this.log, sequence);
  }

  /** The place at `sequence` on the way back from `from`; jumps as soon as it meets the trunk. */
  ancestorAt(from: Place, sequence: CausalSequence): Place {
    invariant(sequence <= from.sequence, 'an ancestor is not ahead');
    if (sequence === NO_SEQUENCE) return START;
    let place = from;
    while (place.sequence > sequence) {
      if (this.trunkAt(place.sequence) === place.id) {
        const there = this.trunkAt(sequence);
        if (there !== undefined) return { id: there, sequence };
        place = this.trunkStart(place, sequence);
      }
      place = this.before(place);
    }
    return place;
  }

  /** The oldest place of the trunk, which has `from` and does not reach back to `beyond`. */
  private trunkStart(from: Place, beyond: CausalSequence): Place {
    let start = from;
    for (let low: number = beyond; start.sequence - low > 1; ) {
      const sequence = Math.floor((start.sequence + low) / 2) as CausalSequence;
      const id = this.trunkAt(sequence);
      if (id === undefined) low = sequence;
      else start = { id, sequence };
    }
    return start;
  }

  private before(place: Place): Place {
    const { previous, sequence } = this.message(place.id!);
    invariant(sequence === place.sequence, 'the sequences of a log have no gap');
    return { id: previous, sequence: (sequence - 1) as CausalSequence };
  }

  /** LogPrefix: the last place that both have behind them, or are at; `START` if none. */
  prefix(one: Place, other: Place): Place {
    const shorter = Math.min(one.sequence, other.sequence) as CausalSequence;
    let a = this.ancestorAt(one, shorter);
    let b = this.ancestorAt(other, shorter);
    while (a.id !== b.id) {
      const sequence = (a.sequence - 1) as CausalSequence;
      a = this.ancestorAt(a, sequence);
      b = this.ancestorAt(b, sequence);
    }
    return a;
  }

  /** The message that follows `after` on the way to `to`; null where they are the same place. */
  firstAfter(after: Place, to: Place): LogMessage | null {
    if (after.sequence === to.sequence) return null;
    return this.message(this.ancestorAt(to, (after.sequence + 1) as CausalSequence).id!);
  }
}

/** Asks one question of the history of one log. */
export function walking<Value>(walk: Walk, ask: (walk: Walk) => Value): Walked<Value> {
  try {
    return accept(ask(walk));
  } catch (cause) {
    if (cause instanceof WalkStop) return cause.failure;
    throw cause;
  }
}
