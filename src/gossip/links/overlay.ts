import { compareText } from '../../model/bytes.ts';

/** Most peers, where nobody says otherwise. */
const PEERS_MAX = 64;

/** Part of the peers one may have up to which all are linked to all; and down to which again. */
const ALL_RATIO = 0.75;
const AGAIN_RATIO = 0.5;

/** Hex digits between the beginnings of two rings, in an id of 32. */
const RING_DIGITS = 8;
const ID_DIGITS = 32;

/** One order of all, in which the last comes before the first. */
class Ring {
  private readonly turn: number;
  private readonly keys: string[] = [];

  /** @param turn Digits of an id that come last in this order. */
  constructor(turn: number) {
    this.turn = turn;
  }

  add(id: string): void {
    const key = this.keyOf(id);
    const at = this.placeOf(key);
    if (this.keys[at] !== key) this.keys.splice(at, 0, key);
  }

  remove(id: string): void {
    const key = this.keyOf(id);
    const at = this.placeOf(key);
    if (this.keys[at] === key) this.keys.splice(at, 1);
  }

  /** So many on each side of this one. */
  beside(id: string, reach: number): string[] {
    const at = this.placeOf(this.keyOf(id));
    const count = this.keys.length;
    const found: string[] = [];
    for (let step = 1; step <= reach; step++) {
      for (const place of [at + step, at - step]) {
        found.push(this.idOf(this.keys[(place + count) % count]!));
      }
    }
    return found;
  }

  private keyOf(id: string): string {
    return id.slice(this.turn) + id.slice(0, this.turn);
  }

  private idOf(key: string): string {
    const from = ID_DIGITS - this.turn;
    return key.slice(from) + key.slice(0, from);
  }

  /** Where it is, or would be. */
  private placeOf(key: string): number {
    let [low, high] = [0, this.keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareText(this.keys[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Whom to be linked to where many meet: all while they are few; beyond that those beside us in
 * several rings, each an order of all that has nothing to do with the others. Of two who know of
 * the same others both come to the same choice. All are joined as long as one ring is whole, a few
 * steps lead from anybody to anybody, and who comes or goes changes the choice of its neighbours
 * alone.
 *
 * @source C. Law, K.-Y. Siu, Distributed Construction of Random Expander Networks.
 */
export class Overlay {
  private readonly self: string;
  private readonly all: number;
  private readonly again: number;
  private readonly reach: number;
  private readonly rings: readonly Ring[];
  private readonly others = new Set<string>();
  private isSparse = false;

  /**
   * @param self 32 hex digits, drawn at random as those of all others.
   * @param peersMax Most peers that one may have; a quarter of it or so is used where many meet.
   */
  constructor(self: string, peersMax = PEERS_MAX) {
    this.self = self;
    this.all = Math.floor(peersMax * ALL_RATIO);
    this.again = Math.floor(peersMax * AGAIN_RATIO);
    this.reach = peersMax >= PEERS_MAX / 2 ? 2 : 1;
    const turns = peersMax >= PEERS_MAX / 4 ? [0, 1, 2, 3] : [0, 1];
    this.rings = turns.map((turn) => new Ring(turn * RING_DIGITS));
    this.clear();
  }

  get count(): number {
    return this.others.size;
  }

  add(id: string): void {
    this.others.add(id);
    for (const ring of this.rings) ring.add(id);
  }

  remove(id: string): void {
    this.others.delete(id);
    for (const ring of this.rings) ring.remove(id);
  }

  clear(): void {
    for (const id of [...this.others]) this.remove(id);
    for (const ring of this.rings) ring.add(this.self);
    this.isSparse = false;
  }

  /** Whom to be linked to now. */
  choose(): ReadonlySet<string> {
    this.isSparse = this.others.size > (this.isSparse ? this.again : this.all);
    if (!this.isSparse) return this.others;
    return new Set(this.rings.flatMap((ring) => ring.beside(this.self, this.reach)));
  }
}
