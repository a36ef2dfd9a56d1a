import type { Block } from '../model/block.ts';
import type { HashFunction, Hex32 } from '../model/bytes.ts';
import { PRIORITIES } from '../model/pact.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import type { Timers } from '../ports/clock.ts';
import { Alarm } from './alarm.ts';
import { AnswerQueue } from './answer-queue.ts';
import { arrivalsOf } from './arrivals.ts';
import type { Missing } from './contract.ts';
import { Digests } from './digests.ts';
import type { ItemMessage, Message } from './messages.ts';
import { type Pace, paceOf } from './pace.ts';
import type { Peer, Peers } from './peers.ts';
import { Ranges } from './ranges.ts';
import type { GossipSettings } from './settings.ts';
import type { GossipSource } from './source.ts';
import { Wanted } from './wanted.ts';

export interface ReconcilingParts {
  readonly source: GossipSource;
  readonly hash: HashFunction;
  readonly timers: Timers;
  readonly settings: GossipSettings;
  readonly peers: Peers;
  readonly send: (peer: AvatarId, message: Message) => void;
}

/** Finds out what was missed and fetches it, and answers those who missed something. */
export class Reconciling {
  private readonly parts: ReconcilingParts;
  private readonly alarm: Alarm;
  private readonly digests: Digests;
  private readonly ranges: Ranges;
  private readonly wanted: Wanted;
  private readonly answers = new Map<AvatarId, AnswerQueue>();

  constructor(parts: ReconcilingParts) {
    this.parts = parts;
    const { source, hash, settings, send } = parts;
    this.alarm = new Alarm(parts.timers, (nowMs) => this.tick(nowMs));
    const wake = (atMs: number) => this.alarm.at(atMs);
    const fast = paceOf(settings, { kind: 'memory', bytesPerSecond: null, isOrdered: true });
    const pace = (peer: AvatarId): Pace => parts.peers.get(peer)?.wire.pace ?? fast;
    this.ranges = new Ranges({ source, paceOf: pace, send, wake });
    this.wanted = new Wanted({
      settings,
      paceOf: pace,
      send,
      wake,
      priorityOf: (group) => source.priorityOf(group),
      isHere: (kind, id) => this.isHere(kind, id),
      arrivals: () => arrivalsOf(parts.peers.all, hash),
      peersFor: (group) => this.peersFor(group),
    });
    this.digests = new Digests({
      source,
      hash,
      settings,
      paceOf: pace,
      send,
      wake,
      onDifference: (peer, groups) => {
        this.ranges.observe(peer, groups);
        this.ranges.plan(this.nowMs());
      },
      onAgreement: (peer) => this.ranges.agree(peer),
    });
  }

  get wantedCount(): number {
    return this.wanted.count;
  }

  get openRanges(): number {
    return this.ranges.openCount;
  }

  /** Does the peer say that it has this Block? */
  isHeldBy(avatar: AvatarId, block: Block): boolean {
    return this.digests.isHeldBy(avatar, block);
  }

  addPeer({ avatar, wire }: Peer): void {
    const blocks = wire.outbox.blocks ?? null;
    this.answers.set(avatar, new AnswerQueue(this.parts.source, wire.pace, blocks));
    this.digests.addPeer(avatar, this.nowMs());
    this.wanted.tick(this.nowMs());
  }

  /** The peer goes on over another link: what was asked or answered on the old one may be lost. */
  renewPeer(peer: Peer): void {
    this.ranges.removePeer(peer.avatar, this.nowMs());
    this.wanted.removePeer(peer.avatar, this.nowMs());
    this.addPeer(peer);
  }

  removePeer(avatar: AvatarId): void {
    this.answers.delete(avatar);
    this.digests.removePeer(avatar);
    this.ranges.removePeer(avatar, this.nowMs());
    this.wanted.removePeer(avatar, this.nowMs());
  }

  want(missing: Missing): void {
    this.wanted.want(missing, this.nowMs());
  }

  changed(): void {
    this.digests.changed(this.nowMs());
  }

  refresh({ avatar }: Peer): void {
    this.digests.refresh(avatar, this.nowMs());
  }

  /** A part of something came from the peer. */
  progress({ avatar }: Peer, bytes: number): void {
    this.ranges.progress(avatar, this.nowMs(), bytes);
    this.wanted.progress(avatar, this.nowMs());
  }

  /** Something that the peer sent was lost. */
  hurry({ avatar }: Peer): void {
    this.digests.hurry(avatar, this.nowMs());
  }

  pause(): void {
    this.ranges.pause(this.nowMs());
    this.wanted.pause();
  }

  resume(): void {
    this.ranges.resume(this.nowMs());
    this.wanted.resume(this.nowMs());
  }

  stop(): void {
    this.alarm.close();
    this.answers.clear();
  }

  /** Something came; if it was asked for, it is here now. @returns whether it was, by its id. */
  arrived(from: AvatarId, { item, answer }: ItemMessage): boolean {
    if (answer) this.ranges.progress(from, this.nowMs());
    if (item.kind === 'metablock') return this.wanted.arrived(item.metablock.id);
    if (item.kind !== 'block') return false;
    if (item.payload !== null) return this.wanted.arrived(item.block.id);
    if (answer) this.wanted.notFound(from, [item.block.id], this.nowMs());
    return false;
  }

  onMessage(peer: Peer, message: Message): void {
    const { avatar } = peer;
    const nowMs = this.nowMs();
    switch (message.kind) {
      case 'want-blocks':
      case 'want-metablocks':
      case 'want-range':
      case 'want-forks':
        if (this.answers.get(avatar)?.add(message)) peer.wire.flushSoon();
        return;
      case 'chunk-end':
        this.ranges.endChunk(avatar, message, nowMs);
        return;
      case 'not-found':
        this.wanted.notFound(avatar, message.ids, nowMs);
        return;
      case 'digest-short':
        this.digests.onShort(avatar, message.hash, nowMs);
        return;
      case 'digest':
        this.digests.onFull(avatar, message.groups, nowMs);
        return;
      default:
    }
  }

  /** Puts answers into the peer's wire while little of their priority waits there. */
  fill({ avatar, wire }: Peer): void {
    const answers = this.answers.get(avatar);
    if (answers === undefined) return;
    for (const priority of PRIORITIES) {
      while (wire.hasRoom(priority)) {
        const next = answers.pull(priority);
        if (next === null) break;
        wire.send(next.lane, next.message, priority);
      }
    }
  }

  private tick(nowMs: number): void {
    this.digests.tick(nowMs);
    this.ranges.tick(nowMs);
    this.wanted.tick(nowMs);
  }

  private isHere(kind: 'want-blocks' | 'want-metablocks', id: Hex32): boolean {
    const { source } = this.parts;
    return kind === 'want-blocks' ? source.payload(id) !== null : source.metablock(id) !== null;
  }

  private peersFor(group: GroupId): AvatarId[] {
    const peers = [...this.parts.peers.all];
    const avatars = peers
      .sort((a, b) => Number(a.wire.pace.isSlow) - Number(b.wire.pace.isSlow))
      .map((each) => each.avatar);
    const holders = avatars.filter((each) => this.digests.holds(each, group));
    return [...holders, ...avatars.filter((each) => !holders.includes(each))];
  }

  private nowMs(): number {
    return this.parts.timers.monotonicMs();
  }
}
