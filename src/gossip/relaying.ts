import type { Block } from '../model/block.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { Halls } from './halls.ts';
import { type Delivery, type GossipItem, type ItemKey, keyOf, originOf } from './item.ts';
import { encodeMessage } from './message-writer.ts';
import type { ItemMessage } from './messages.ts';
import { aboutMessage } from './outbox.ts';
import type { Peer, Peers } from './peers.ts';
import { RecentSet } from './recent-set.ts';
import type { Spread } from './spread.ts';

export interface RelayingParts {
  readonly peers: Peers;
  readonly spread: Spread;
  readonly halls: Pick<Halls, 'offer'>;
  /** Items accepted here that are remembered. */
  readonly seenHere: number;
  /** Does the peer say that it has this Block? */
  readonly isHeldBy: (peer: AvatarId, block: Block) => boolean;
}

/** Sends what is new on its way: our own items, and others' once they were judged good. */
export class Relaying {
  private readonly parts: RelayingParts;
  /** Accepted here, so of no interest from a second peer. */
  private readonly here: RecentSet;

  constructor(parts: RelayingParts) {
    this.parts = parts;
    this.here = new RecentSet(parts.seenHere);
  }

  broadcast(item: GossipItem): void {
    const key = keyOf(item);
    this.here.add(key);
    this.tell(item, key, null);
  }

  accepted({ item, from, answer }: Delivery): void {
    const key = keyOf(item);
    this.here.add(key);
    if (!answer) this.tell(item, key, from);
  }

  /**
   * @param isWanted Was it asked for, here or of another peer?
   * @returns what is to be judged, or null if it was accepted before.
   */
  receive(peer: Peer, { item, answer }: ItemMessage, isWanted: boolean): Delivery | null {
    const key = keyOf(item);
    this.parts.spread.saw(peer.avatar, key);
    // What we asked for we may have thrown away meanwhile, so never mind that it was here.
    if (!answer && !isWanted && this.isHere(item, key)) {
      peer.wire.counters.duplicates += 1;
      return null;
    }
    return { item, from: peer.avatar, answer };
  }

  private isHere(item: GossipItem, key: ItemKey): boolean {
    return this.here.has(key) || (item.kind === 'block' && this.here.has(item.block.id));
  }

  private tell(item: GossipItem, key: ItemKey, from: AvatarId | null): void {
    const told = this.parts.spread.tell(key, originOf(item), from);
    if (told.length === 0) return;
    const message = { kind: 'item', item, answer: false } as const;
    const bytes = encodeMessage(message);
    const about = aboutMessage(message);
    for (const avatar of this.parts.halls.offer(bytes, told)) {
      const wire = this.parts.peers.get(avatar)?.wire;
      if (item.kind !== 'block' || wire?.pace.isSlow !== true) wire?.offer(bytes, about);
      else if (!this.isBroughtByOthers(avatar)) {
        const isNeedless = () => this.isNeedless(avatar, item.block, key);
        wire.offer(bytes, { ...about, isNeedless });
      }
    }
  }

  /** Is there a way to the peer over better links? Then anti-entropy brings what that loses. */
  private isBroughtByOthers(avatar: AvatarId): boolean {
    for (const { avatar: other, wire } of this.parts.peers.all) {
      const isBetter = other !== avatar && !wire.pace.isSlow;
      if (isBetter && this.parts.spread.isNeighbour(other, avatar)) return true;
    }
    return false;
  }

  private isNeedless(avatar: AvatarId, block: Block, key: ItemKey): boolean {
    return this.parts.spread.holds(avatar, key) || this.parts.isHeldBy(avatar, block);
  }
}
