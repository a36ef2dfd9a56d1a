import { PRIORITIES, type Priority } from '../model/pact.ts';

/**
 * When a message may leave: with those of its priority, or after all that wait before it, for what
 * it says is true only then.
 */
export type Turn = Priority | 'after-all';

/** Bytes of each priority for one of the lowest, where all of them wait. */
const WEIGHTS: Readonly<Record<Priority, number>> = { high: 64, normal: 8, low: 1 };

interface Place {
  readonly message: Uint8Array;
  /** The how manyeth message of the line it is. */
  readonly order: number;
}

/** First in, first out; the front is given up without moving what follows. */
class Row {
  bytes = 0;
  /** When the message in front could begin, counted in bytes of the lowest priority. */
  begins = 0;
  private places: Place[] = [];
  private front = 0;

  get first(): Place | undefined {
    return this.places[this.front];
  }

  push(place: Place): void {
    this.places.push(place);
    this.bytes += place.message.length;
  }

  shift(): void {
    this.front += 1;
    if (this.front < 1_024 && this.front < this.places.length) return;
    this.places = this.places.slice(this.front);
    this.front = 0;
  }

  /** Gives up all but so many in front. */
  splice(keep: number): Uint8Array[] {
    return this.places.splice(this.front + keep).map((each) => each.message);
  }
}

/**
 * Messages that wait for a link, in the order in which they were pushed within each priority. Where
 * several wait, each gets a share of the bytes by its weight: a lower one waits long, but never for
 * ever. What a priority does not use is not saved up for it.
 *
 * @source A. Demers, S. Keshav, S. Shenker, Analysis and Simulation of a Fair Queueing Algorithm.
 */
export class PriorityLine {
  /** Of all that waits. */
  bytes = 0;
  /** Of the message in front: bytes that are gone already. No other may overtake it then. */
  gone = 0;
  private readonly rows: Readonly<Record<Turn, Row>> = {
    high: new Row(),
    normal: new Row(),
    low: new Row(),
    'after-all': new Row(),
  };
  private chosen: Turn = 'normal';
  private orders = 0;
  /** When the message that began last could begin. */
  private time = 0;

  bytesOf(priority: Priority): number {
    return this.rows[priority].bytes;
  }

  /** Of this priority and of those before it. */
  bytesUpTo(priority: Priority): number {
    const upTo = PRIORITIES.slice(0, PRIORITIES.indexOf(priority) + 1);
    return upTo.reduce((bytes, each) => bytes + this.rows[each].bytes, 0);
  }

  push(message: Uint8Array, turn: Turn = 'normal'): void {
    const row = this.rows[turn];
    if (row.first === undefined) row.begins = Math.max(row.begins, this.time);
    row.push({ message, order: this.orders });
    this.orders += 1;
    this.bytes += message.length;
  }

  /** The message that leaves next, chosen anew as long as none of it is gone. */
  front(): Uint8Array | undefined {
    if (this.gone === 0) this.chosen = this.choose();
    return this.rows[this.chosen].first?.message;
  }

  /** So many bytes of the front message have left. @returns whether that was all of it. */
  advance(bytes: number): boolean {
    const row = this.rows[this.chosen];
    const { length } = row.first!.message;
    if (this.gone === 0) this.time = Math.max(this.time, row.begins);
    row.bytes -= bytes;
    this.bytes -= bytes;
    this.gone += bytes;
    if (this.gone < length) return false;
    if (this.chosen !== 'after-all') row.begins += length / WEIGHTS[this.chosen];
    row.shift();
    this.gone = 0;
    return true;
  }

  /** Gives up the front message: what is gone of it was in vain. */
  drop(): void {
    const row = this.rows[this.chosen];
    const left = (row.first?.message.length ?? 0) - this.gone;
    row.bytes -= left;
    this.bytes -= left;
    row.shift();
    this.gone = 0;
  }

  /** Gives up all that has not begun to leave; with `whole`, what has begun as well. */
  take(whole: boolean): Uint8Array[] {
    const taken: Uint8Array[] = [];
    for (const [turn, row] of Object.entries(this.rows)) {
      const isBegun = this.gone > 0 && turn === this.chosen;
      taken.push(...row.splice(isBegun && !whole ? 1 : 0));
      row.bytes = isBegun && !whole ? row.first!.message.length - this.gone : 0;
    }
    if (whole) this.gone = 0;
    this.bytes = this.rows[this.chosen].bytes;
    return taken;
  }

  private choose(): Turn {
    const last = this.rows['after-all'].first;
    let best: Priority | null = null;
    let bestEnd = Number.POSITIVE_INFINITY;
    let isLastNext = last !== undefined;
    for (const priority of PRIORITIES) {
      const { first, begins } = this.rows[priority];
      if (first === undefined) continue;
      if (last !== undefined && first.order < last.order) isLastNext = false;
      const end = begins + first.message.length / WEIGHTS[priority];
      if (end >= bestEnd) continue;
      best = priority;
      bestEnd = end;
    }
    return isLastNext || best === null ? 'after-all' : best;
  }
}
