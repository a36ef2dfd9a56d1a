import { compareText, toHex32 } from '../model/bytes.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { LinkErrorCode, LinkKind } from '../ports/link.ts';
import type { Session, SessionPeer } from '../ports/session.ts';
import { DEFLATE } from './compressed-framing.ts';
import type { Entrance } from './entrance.ts';
import { chooseLink } from './link-choice.ts';
import type { LogBudget } from './log-budget.ts';
import type { ByeReason, Message } from './messages.ts';
import { GOSSIP_LIMITS, type GossipSettings } from './settings.ts';
import { Wire, type WireHandler, type WireParts } from './wire.ts';

/** A link that is not needed stays readable for so long, in milliseconds. */
const LINGER_MS = 2_000;

/** Links of one kind to one Avatar at once; honest ones have two for a moment. */
const WIRES_PER_KIND_MAX = 4;

/** Avatars that are barred, the oldest forgotten first. */
const BARRED_MAX = 1_024;

interface Linked {
  readonly avatar: AvatarId;
  readonly wire: Wire;
  readonly entrance: Entrance;
  isTurnedAway: boolean;
}

/** One Avatar, however often it is linked. */
export interface Peer {
  readonly avatar: AvatarId;
  readonly session: SessionPeer;
  wire: Wire;
  misbehaviours: number;
}

export interface PeersParts {
  readonly self: AvatarId;
  /** 16 hex digits, drawn at the start of this process. */
  readonly incarnation: string;
  readonly wire: WireParts;
  readonly settings: GossipSettings;
  readonly admit: (peer: SessionPeer) => string | null;
  readonly log: LogBudget;
  readonly onUp: (peer: Peer) => void;
  /** Another link carries the peer from now on; what was queued on the old one may be lost. */
  readonly onSwitch: (peer: Peer) => void;
  readonly onDown: (peer: Peer, reason: string) => void;
  /** One of the links of this Avatar is gone, whether or not it has others. */
  readonly onLinkLost: (avatar: AvatarId) => void;
  readonly onMessages: (peer: Peer, messages: readonly Message[]) => void;
  readonly onProgress: (peer: Peer, bytes: number) => void;
  readonly onRoom: (peer: Peer) => void;
  readonly onBeat: (peer: Peer) => void;
  readonly onLoss: (peer: Peer) => void;
  readonly onOwnAvatar: (remote: string, isSelf: boolean) => void;
}

/** Who is linked: one Peer for each Avatar, whichever of its links is used. */
export class Peers implements WireHandler {
  private readonly parts: PeersParts;
  private readonly peers = new Map<AvatarId, Peer>();
  private readonly linked = new Map<Wire, Linked>();
  private readonly barred = new Map<AvatarId, number>();
  private ordinal = 0;
  private isPaused = false;

  constructor(parts: PeersParts) {
    this.parts = parts;
  }

  get all(): Iterable<Peer> {
    return this.peers.values();
  }

  get barredCount(): number {
    return this.barred.size;
  }

  get(avatar: AvatarId): Peer | undefined {
    return this.peers.get(avatar);
  }

  hasLink(avatar: AvatarId, kind: LinkKind): boolean {
    return this.wiresOf(avatar).some((each) => each.kind === kind);
  }

  /** Greeted links to the peer that are not used now. */
  standBy(peer: Peer): Wire[] {
    return this.wiresOf(peer.avatar).filter((each) => each !== peer.wire && each.greeting !== null);
  }

  standBysOf(wire: Wire): Wire[] {
    const peer = this.peerOn(wire);
    return peer === null ? [] : this.standBy(peer);
  }

  /** A handshake is over: greets, or turns away. */
  open(entrance: Entrance, session: Session): Wire {
    const avatar = toHex32(session.peer.avatar);
    const others = this.wiresOf(avatar);
    this.ordinal += 1;
    const at = { link: entrance.link, session, initiator: entrance.initiator };
    const wire = new Wire(this.parts.wire, this, { ...at, ordinal: this.ordinal });
    const linked = { avatar, wire, entrance, isTurnedAway: false };
    this.linked.set(wire, linked);
    if (this.isPaused) wire.pause();
    const { incarnation } = this.parts;
    const held = others.map((each) => each.ordinal).slice(0, GOSSIP_LIMITS.heldLinksMax);
    wire.send('urgent', { kind: 'greeting', incarnation, ordinal: this.ordinal, held });
    if (wire.compression !== null) wire.send('urgent', { kind: 'expands', method: DEFLATE });
    const alike = others.filter((each) => each.kind === wire.kind).length;
    const isTooMany = alike >= WIRES_PER_KIND_MAX || others.length >= GOSSIP_LIMITS.heldLinksMax;
    const reason = this.reasonAgainst(avatar, session.peer, isTooMany);
    // The entrance knows its wire only when this returns.
    if (reason !== null) this.parts.wire.defer(() => this.turnAway(linked, reason));
    return wire;
  }

  /** Counts what an honest peer does not do. */
  misbehaved(avatar: AvatarId, reason: string): void {
    const peer = this.peers.get(avatar);
    if (peer === undefined) return;
    peer.misbehaviours += 1;
    if (peer.misbehaviours < this.parts.settings.misbehavioursMax) return;
    this.bar(avatar);
    this.parts.log.write('warn', 'peer-barred', { peer: avatar, reason });
    for (const wire of this.wiresOf(avatar)) wire.leave('barred', 0);
  }

  pause(): void {
    this.isPaused = true;
    for (const wire of this.linked.keys()) wire.pause();
  }

  resume(): void {
    this.isPaused = false;
    for (const wire of this.linked.keys()) wire.resume();
  }

  leaveAll(): void {
    for (const wire of [...this.linked.keys()]) wire.leave('closing', 0);
  }

  onMessages(wire: Wire, messages: readonly Message[]): void {
    const linked = this.linked.get(wire);
    if (linked === undefined || linked.isTurnedAway) return;
    const rest = wire.greeting === null ? this.onGreeting(linked, messages) : messages;
    const peer = this.peers.get(linked.avatar);
    if (peer !== undefined && rest.length > 0) this.parts.onMessages(peer, rest);
  }

  onProgress(wire: Wire, bytes: number): void {
    const peer = this.peerOn(wire);
    if (peer !== null) this.parts.onProgress(peer, bytes);
  }

  onRoom(wire: Wire): void {
    const peer = this.peerOn(wire);
    if (peer !== null) this.parts.onRoom(peer);
  }

  onBeat(wire: Wire): void {
    const peer = this.peerOn(wire);
    if (peer !== null) this.parts.onBeat(peer);
  }

  onLoss(wire: Wire): void {
    const peer = this.peerOn(wire);
    if (peer !== null) this.parts.onLoss(peer);
  }

  onLeave(wire: Wire, reason: string, code: LinkErrorCode | null): void {
    if (code === 'LINK_FRAME_BROKEN') {
      const { kind, remote } = wire;
      const from = toHex32(wire.session.peer.avatar);
      this.parts.log.write('warn', 'link-broken', { peer: from, kind, remote, reason });
    }
    const peer = this.peerOn(wire);
    if (peer !== null) this.settle(peer.avatar, reason);
    this.parts.onLinkLost(toHex32(wire.session.peer.avatar));
  }

  onEnd(wire: Wire): void {
    this.linked.delete(wire);
  }

  /** @returns what follows the greeting. */
  private onGreeting(linked: Linked, messages: readonly Message[]): readonly Message[] {
    const { wire, avatar, entrance } = linked;
    const [first, ...rest] = messages;
    if (first?.kind !== 'greeting') {
      entrance.refuse('greeting-missing', 'LINK_FRAME_BROKEN');
      return [];
    }
    wire.greeting = first;
    if (avatar === this.parts.self) {
      const isSelf = first.incarnation === this.parts.incarnation;
      this.parts.onOwnAvatar(entrance.link.remote, isSelf);
      this.turnAway(linked, 'own-avatar');
      return [];
    }
    entrance.pass();
    this.settle(avatar, 'stale-link');
    return rest;
  }

  /** Uses the right one of an Avatar's links, and ends those that are of no use. */
  private settle(avatar: AvatarId, reason: string): void {
    const weAreLower = compareText(this.parts.self, avatar) < 0;
    const choice = chooseLink(this.wiresOf(avatar), { weAreLower });
    const { keep, standBy, stale, duplicates } = choice;
    const peer = this.peers.get(avatar);
    for (const wire of standBy) wire.start();
    if (keep !== null) this.use(avatar, keep);
    else if (peer !== undefined) {
      this.peers.delete(avatar);
      this.parts.onDown(peer, reason);
    }
    // Each of these settles once more, on what is left.
    for (const wire of stale) wire.end('stale-link', 'LINK_RESET');
    if (weAreLower) for (const wire of duplicates) wire.leave('duplicate-link', LINGER_MS);
    if (standBy.length > 0) keep?.pulse.quicken();
  }

  private use(avatar: AvatarId, wire: Wire): void {
    const peer = this.peers.get(avatar);
    if (peer === undefined) this.up(avatar, wire);
    else if (peer.wire !== wire) {
      const { kind, remote } = wire;
      this.parts.log.write('info', 'link-changed', { peer: avatar, kind, remote });
      const before = peer.wire;
      peer.wire = wire;
      wire.start();
      this.parts.onSwitch(peer);
      wire.takeOver(before);
    }
  }

  private up(avatar: AvatarId, wire: Wire): void {
    const peer = { avatar, session: wire.session.peer, wire, misbehaviours: 0 };
    this.peers.set(avatar, peer);
    this.parts.onUp(peer);
    wire.start();
  }

  private wiresOf(avatar: AvatarId): Wire[] {
    const wires: Wire[] = [];
    for (const linked of this.linked.values()) {
      if (linked.avatar === avatar && linked.wire.isOpen && !linked.isTurnedAway) {
        wires.push(linked.wire);
      }
    }
    return wires;
  }

  /** The peer that this wire carries, if it is not another of its wires. */
  private peerOn(wire: Wire): Peer | null {
    const peer = this.peers.get(toHex32(wire.session.peer.avatar));
    return peer?.wire === wire ? peer : null;
  }

  private reasonAgainst(
    avatar: AvatarId,
    session: SessionPeer,
    isTooMany: boolean,
  ): ByeReason | null {
    if (avatar === this.parts.self) return null;
    if ((this.barred.get(avatar) ?? 0) > this.parts.wire.timers.monotonicMs()) return 'barred';
    if (isTooMany) return 'duplicate-link';
    const isFull = this.peers.size >= this.parts.settings.peersMax && !this.peers.has(avatar);
    if (isFull) return 'too-many-peers';
    return this.parts.admit(session) === null ? null : 'not-admitted';
  }

  private turnAway(linked: Linked, reason: ByeReason): void {
    linked.isTurnedAway = true;
    linked.entrance.turnAway(reason);
  }

  private bar(avatar: AvatarId): void {
    const nowMs = this.parts.wire.timers.monotonicMs();
    this.barred.delete(avatar);
    this.barred.set(avatar, nowMs + this.parts.settings.banMs);
    for (const [oldest, untilMs] of this.barred) {
      if (untilMs > nowMs && this.barred.size <= BARRED_MAX) break;
      this.barred.delete(oldest);
    }
  }
}
