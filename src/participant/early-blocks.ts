import type { Block } from '../model/block.ts';
import type { AvatarId } from '../model/sync-group.ts';

export interface EarlyBlock {
  readonly block: Block;
  readonly payload: Uint8Array | null;
}

export interface EarlyBlockLimits {
  readonly earlyBlocksMax: number;
  readonly earlyBytesMax: number;
}

/**
 * Blocks that came before those they continue: a bounded number, of bounded length. Whoever fills
 * the room most gives way, its oldest first, so that nobody drives out what others sent. What gave
 * way comes again by anti-entropy.
 */
export class EarlyBlocks {
  private readonly limits: EarlyBlockLimits;
  private readonly held = new Map<string, EarlyBlock>();
  private readonly bytesOf = new Map<AvatarId, number>();
  private byteLength = 0;

  constructor(limits: EarlyBlockLimits) {
    this.limits = limits;
  }

  put(early: EarlyBlock): void {
    const place = placeOf(early.block, early.block.sequence);
    this.remove(place);
    this.held.set(place, early);
    this.count(early, 1);
    const { earlyBlocksMax, earlyBytesMax } = this.limits;
    while (this.held.size > earlyBlocksMax || this.byteLength > earlyBytesMax) this.makeRoom();
  }

  /** The one that may continue this Block; it is held no more. */
  takeAfter(block: Block): EarlyBlock | null {
    return this.remove(placeOf(block, block.sequence + 1));
  }

  private makeRoom(): void {
    let greediest: AvatarId | null = null;
    for (const [issuer, bytes] of this.bytesOf) {
      if (greediest === null || bytes > this.bytesOf.get(greediest)!) greediest = issuer;
    }
    for (const [place, { block }] of this.held) {
      if (block.issuer !== greediest) continue;
      this.remove(place);
      return;
    }
  }

  private remove(place: string): EarlyBlock | null {
    const early = this.held.get(place);
    if (early === undefined) return null;
    this.held.delete(place);
    this.count(early, -1);
    return early;
  }

  private count({ block, payload }: EarlyBlock, sign: 1 | -1): void {
    const change = sign * (block.bytes.length + (payload?.length ?? 0));
    const bytes = (this.bytesOf.get(block.issuer) ?? 0) + change;
    this.byteLength += change;
    if (bytes === 0) this.bytesOf.delete(block.issuer);
    else this.bytesOf.set(block.issuer, bytes);
  }
}

function placeOf({ group, issuer }: Block, sequence: number): string {
  return `${group}:${issuer}:${sequence}`;
}
