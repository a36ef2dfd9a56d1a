interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * What happens, in the order of virtual time; what is due at once happens in the order it was
 * asked.
 */
export class VirtualTime {
  nowMs = 0;
  private readonly heap: Due[] = [];
  private order = 0;

  get size(): number {
    return this.heap.length;
  }

  at(atMs: number, run: () => void): void {
    this.heap.push({ atMs: Math.max(atMs, this.nowMs), order: this.order++, run });
    let child = this.heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (isBefore(this.heap[parent]!, this.heap[child]!)) break;
      this.swap(parent, child);
      child = parent;
    }
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  /** Runs what is due until `endMs`, or until `isDone` says so. */
  run(endMs: number, isDone: () => boolean = () => false): void {
    while (this.heap.length > 0 && this.heap[0]!.atMs <= endMs) {
      const due = this.take();
      this.nowMs = due.atMs;
      due.run();
      if (isDone()) return;
    }
    this.nowMs = Math.max(this.nowMs, endMs);
  }

  private take(): Due {
    const first = this.heap[0]!;
    const last = this.heap.pop()!;
    if (this.heap.length === 0) return first;
    this.heap[0] = last;
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      if (left >= this.heap.length) return first;
      const right = left + 1;
      const isRight = right < this.heap.length && isBefore(this.heap[right]!, this.heap[left]!);
      const child = isRight ? right : left;
      if (isBefore(this.heap[parent]!, this.heap[child]!)) return first;
      this.swap(parent, child);
      parent = child;
    }
  }

  private swap(a: number, b: number): void {
    [this.heap[a], this.heap[b]] = [this.heap[b]!, this.heap[a]!];
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.order < b.order;
}
