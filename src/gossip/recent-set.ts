/**
 * Remembers the last things added: at least half of `max`, never more than `max`. Two sets that
 * take turns, because throwing one away whole costs less than keeping an order.
 */
export class RecentSet {
  private fresh = new Set<string>();
  private old = new Set<string>();
  private readonly halfMax: number;

  constructor(max: number) {
    this.halfMax = Math.max(1, Math.floor(max / 2));
  }

  get size(): number {
    return this.fresh.size + this.old.size;
  }

  has(key: string): boolean {
    return this.fresh.has(key) || this.old.has(key);
  }

  add(key: string): void {
    if (this.fresh.has(key)) return;
    if (this.fresh.size >= this.halfMax) {
      this.old = this.fresh;
      this.fresh = new Set();
    }
    this.fresh.add(key);
  }
}
