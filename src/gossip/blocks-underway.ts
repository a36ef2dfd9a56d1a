import type { BlockId } from '../model/block.ts';

/** Blocks that left, of which it is remembered when: as many as wait on a slow link, and more. */
const LEFT_MAX = 512;

/**
 * Which Blocks wait to be sent over one link, and which left it when, so that what is asked for
 * while it is on its way is not sent twice.
 */
export class BlocksUnderway {
  private readonly waiting = new Map<BlockId, number>();
  /** When each left, oldest first. */
  private readonly left = new Map<BlockId, number>();
  private readonly promised = new Set<BlockId>();
  private departures = 0;

  /** Now, on the clock that counts Blocks that left. */
  get mark(): number {
    return this.departures;
  }

  /**
   * Does it wait, or has it left since this mark? If it waits it is sent from now on, whatever is
   * heard of the other end before its turn comes: somebody relies on it.
   */
  promise(block: BlockId, mark: number): boolean {
    if (!this.waiting.has(block)) return (this.left.get(block) ?? -1) > mark;
    this.promised.add(block);
    return true;
  }

  isPromised(block: BlockId): boolean {
    return this.promised.has(block);
  }

  pushed(block: BlockId): void {
    this.waiting.set(block, (this.waiting.get(block) ?? 0) + 1);
  }

  /** Waits no more, and has not been sent. */
  dropped(block: BlockId): void {
    const count = this.waiting.get(block) ?? 0;
    if (count > 1) {
      this.waiting.set(block, count - 1);
      return;
    }
    this.waiting.delete(block);
    this.promised.delete(block);
  }

  /** All of it is in frames. */
  sent(block: BlockId): void {
    this.dropped(block);
    this.departures += 1;
    this.left.delete(block);
    this.left.set(block, this.departures);
    if (this.left.size <= LEFT_MAX) return;
    const [oldest] = this.left.keys();
    if (oldest !== undefined) this.left.delete(oldest);
  }
}
