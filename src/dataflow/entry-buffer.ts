import { invariant } from '../model/invariant.ts';

export interface EntryBufferLimits {
  /** Most bytes of encoded Entries that wait in RAM. */
  readonly bytesMax: number;
  /** Most Entries that wait in RAM. */
  readonly entriesMax: number;
  /** Fill, from 0 to 1 of `bytesMax` or `entriesMax`, from which a drain is due at once. */
  readonly drainRatio: number;
  /** Most bytes of Entries that one drain takes: a Block's size. */
  readonly blockBytesMax: number;
  /** Most Entries that one drain takes. */
  readonly blockEntriesMax: number;
}

/** What the next Block would carry. Views of the buffer: good until the next `offer`. */
export interface Drain {
  readonly bytes: Uint8Array;
  readonly lengths: Uint32Array;
  /** When the oldest of these Entries came, on the caller's clock in milliseconds. */
  readonly oldestAtMs: number;
}

const FIRST_BYTES = 64 * 1024;
const FIRST_ENTRIES = 1024;

/**
 * The RAM between Channels and Blocks of one Sync Group. Any number of writers offer Entries, in
 * the order of their calls; one drain at a time takes them out from the front, in two steps, so
 * that a Block that could not be stored gives nothing up: `peek`, then `take` once it is durable.
 *
 * @source features A9.
 */
export class EntryBuffer {
  private readonly limits: EntryBufferLimits;
  private bytes = new Uint8Array(FIRST_BYTES);
  private head = 0;
  private tail = 0;
  private lengths = new Uint32Array(FIRST_ENTRIES);
  private arrivals = new Float64Array(FIRST_ENTRIES);
  private first = 0;
  private end = 0;

  constructor(limits: EntryBufferLimits) {
    invariant(limits.drainRatio > 0 && limits.drainRatio <= 1, 'drainRatio is above 0, at most 1');
    invariant(limits.blockBytesMax >= 1 && limits.blockEntriesMax >= 1, 'a Block holds an Entry');
    this.limits = limits;
  }

  get usedBytes(): number {
    return this.tail - this.head;
  }

  get entryCount(): number {
    return this.end - this.first;
  }

  /** When the oldest Entry came; null while empty. */
  get oldestAtMs(): number | null {
    return this.entryCount === 0 ? null : this.arrivals[this.first]!;
  }

  /** Full by ratio, or a whole Block's worth is here. */
  get isDrainDue(): boolean {
    const { bytesMax, entriesMax, drainRatio, blockBytesMax, blockEntriesMax } = this.limits;
    return (
      this.usedBytes >= Math.min(drainRatio * bytesMax, blockBytesMax) ||
      this.entryCount >= Math.min(drainRatio * entriesMax, blockEntriesMax)
    );
  }

  /** Would an Entry of so many bytes fit if nothing else were here? */
  couldHold(byteLength: number): boolean {
    return byteLength <= this.limits.bytesMax;
  }

  /** Would `count` Entries of together `byteLength` bytes fit now? */
  hasRoom(count: number, byteLength: number): boolean {
    return (
      this.usedBytes + byteLength <= this.limits.bytesMax &&
      this.entryCount + count <= this.limits.entriesMax
    );
  }

  /**
   * Takes one encoded Entry in; copies it.
   * @returns false, with nothing taken, when it does not fit.
   */
  offer(entry: Uint8Array, nowMs: number): boolean {
    if (!this.hasRoom(1, entry.length)) return false;
    this.reserve(entry.length);
    this.bytes.set(entry, this.tail);
    this.tail += entry.length;
    this.lengths[this.end] = entry.length;
    this.arrivals[this.end] = nowMs;
    this.end++;
    return true;
  }

  /** What a Block of at most the permitted size would carry; null when empty. Changes nothing. */
  peek(): Drain | null {
    if (this.entryCount === 0) return null;
    let count = 0;
    let byteLength = 0;
    while (count < this.entryCount && count < this.limits.blockEntriesMax) {
      const length = this.lengths[this.first + count]!;
      if (count > 0 && byteLength + length > this.limits.blockBytesMax) break;
      byteLength += length;
      count++;
    }
    return {
      bytes: this.bytes.subarray(this.head, this.head + byteLength),
      lengths: this.lengths.subarray(this.first, this.first + count),
      oldestAtMs: this.arrivals[this.first]!,
    };
  }

  /** Gives up what `peek` showed. */
  take(drain: Drain): void {
    invariant(drain.lengths.length <= this.entryCount, 'a drain is taken once');
    this.head += drain.bytes.length;
    this.first += drain.lengths.length;
    if (this.first === this.end) {
      this.head = 0;
      this.tail = 0;
      this.first = 0;
      this.end = 0;
    }
  }

  private reserve(byteLength: number): void {
    if (this.tail + byteLength > this.bytes.length) {
      const used = this.usedBytes;
      const wanted = used + byteLength;
      if (wanted * 2 <= this.bytes.length) {
        this.bytes.copyWithin(0, this.head, this.tail);
      } else {
        const grown = new Uint8Array(Math.max(this.bytes.length * 2, wanted * 2));
        grown.set(this.bytes.subarray(this.head, this.tail));
        this.bytes = grown;
      }
      this.head = 0;
      this.tail = used;
    }
    if (this.end === this.lengths.length) this.reserveEntry();
  }

  private reserveEntry(): void {
    const count = this.entryCount;
    if (count * 2 <= this.lengths.length) {
      this.lengths.copyWithin(0, this.first, this.end);
      this.arrivals.copyWithin(0, this.first, this.end);
    } else {
      const lengths = new Uint32Array(this.lengths.length * 2);
      const arrivals = new Float64Array(this.lengths.length * 2);
      lengths.set(this.lengths.subarray(this.first, this.end));
      arrivals.set(this.arrivals.subarray(this.first, this.end));
      this.lengths = lengths;
      this.arrivals = arrivals;
    }
    this.first = 0;
    this.end = count;
  }
}
