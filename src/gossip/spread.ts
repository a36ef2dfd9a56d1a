import type { AvatarId } from '../model/sync-group.ts';
import type { ItemKey } from './item.ts';
import { RecentSet } from './recent-set.ts';

interface Known {
  neighbours: ReadonlySet<AvatarId>;
  readonly seen: RecentSet;
  /** What it sent itself, so has beyond doubt. */
  readonly held: RecentSet;
}

/**
 * Decides whom to tell. Who makes an item sends it to all its peers; so whoever relays it leaves
 * out the one it came from, those linked to its origin, and those known to have it. In a full mesh
 * nobody gets anything twice; in a line or a ring it goes all the way. What is lost on the way, for
 * instance because a link ended meanwhile, the digests bring later.
 */
export class Spread {
  private readonly peers = new Map<AvatarId, Known>();
  private readonly seenMax: number;

  /** @param seenMax Items remembered for each peer. */
  constructor(seenMax: number) {
    this.seenMax = seenMax;
  }

  addPeer(peer: AvatarId): void {
    const [seen, held] = [new RecentSet(this.seenMax), new RecentSet(this.seenMax)];
    this.peers.set(peer, { neighbours: new Set(), seen, held });
  }

  removePeer(peer: AvatarId): void {
    this.peers.delete(peer);
  }

  /** What a peer says of its own links; a false word is to its own harm only. */
  setNeighbours(peer: AvatarId, neighbours: readonly AvatarId[]): void {
    const known = this.peers.get(peer);
    if (known !== undefined) known.neighbours = new Set(neighbours);
  }

  neighbourCount(peer: AvatarId): number {
    return this.peers.get(peer)?.neighbours.size ?? 0;
  }

  /** The peer sent the item, so it has it. */
  saw(peer: AvatarId, key: ItemKey): void {
    this.peers.get(peer)?.seen.add(key);
    this.peers.get(peer)?.held.add(key);
  }

  /** Others told the peer, as they told us. */
  heard(peer: AvatarId, key: ItemKey): void {
    this.peers.get(peer)?.seen.add(key);
  }

  holds(peer: AvatarId, key: ItemKey): boolean {
    return this.peers.get(peer)?.held.has(key) ?? false;
  }

  /** Does `peer` say that it is linked to `other`? */
  isNeighbour(peer: AvatarId, other: AvatarId): boolean {
    return this.peers.get(peer)?.neighbours.has(other) ?? false;
  }

  /**
   * @param from Who sent it; null for an item of our own.
   * @returns whom to send it to; they count as knowing it from now on.
   */
  tell(key: ItemKey, origin: AvatarId | null, from: AvatarId | null): AvatarId[] {
    const told: AvatarId[] = [];
    for (const [peer, known] of this.peers) {
      if (peer === from || peer === origin) continue;
      if (from !== null && origin !== null && known.neighbours.has(origin)) continue;
      if (known.seen.has(key)) continue;
      known.seen.add(key);
      told.push(peer);
    }
    return told;
  }
}
