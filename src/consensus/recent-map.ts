import type { Hex32 } from '../model/bytes.ts';
import { IdMap } from './id-map.ts';

/**
 * Remembers at least the last `max` and at most twice as many entries; versions share their parts.
 */
export class RecentMap<Value> {
  private readonly max: number;
  private readonly young: IdMap<Value>;
  private readonly old: IdMap<Value>;

  private constructor(max: number, young: IdMap<Value>, old: IdMap<Value>) {
    this.max = max;
    this.young = young;
    this.old = old;
  }

  static empty<Value>(max: number): RecentMap<Value> {
    return new RecentMap(max, IdMap.empty<Value>(), IdMap.empty<Value>());
  }

  get(id: Hex32): Value | undefined {
    return this.young.get(id) ?? this.old.get(id);
  }

  has(id: Hex32): boolean {
    return this.get(id) !== undefined;
  }

  /** All that is remembered, each once. */
  *values(): Generator<Value> {
    for (const [, value] of this.young) yield value;
    for (const [id, value] of this.old) if (!this.young.has(id)) yield value;
  }

  /** @returns a map with the entry; this one stays as it is. */
  set(id: Hex32, value: Value): RecentMap<Value> {
    const young = this.young.set(id, value);
    if (young.size <= this.max) return new RecentMap(this.max, young, this.old);
    return new RecentMap(this.max, IdMap.empty<Value>().set(id, value), this.young);
  }
}
