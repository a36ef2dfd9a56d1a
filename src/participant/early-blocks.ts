import type { Block } from '../model/block.ts';

export interface EarlyBlock {
  readonly block: Block;
  readonly payload: Uint8Array | null;
}

/** Blocks that came before those they continue: a bounded number, the oldest give way. */
export class EarlyBlocks {
  private readonly blocksMax: number;
  private readonly held = new Map<string, EarlyBlock>();

  constructor(blocksMax: number) {
    this.blocksMax = blocksMax;
  }

  put(early: EarlyBlock): void {
    const { group, issuer, sequence } = early.block;
    this.held.set(placeOf(group, issuer, sequence), early);
    for (const oldest of this.held.keys()) {
      if (this.held.size <= this.blocksMax) break;
      this.held.delete(oldest);
    }
  }

  /** The one that may continue this Block; it is held no more. */
  takeAfter(block: Block): EarlyBlock | null {
    const place = placeOf(block.group, block.issuer, block.sequence + 1);
    const early = this.held.get(place);
    if (early === undefined) return null;
    this.held.delete(place);
    return early;
  }
}

function placeOf(group: string, issuer: string, sequence: number): string {
  return `${group}:${issuer}:${sequence}`;
}
