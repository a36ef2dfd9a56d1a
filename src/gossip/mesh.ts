import type { Block } from '../model/block.ts';
import { toHex } from '../model/bytes.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { Gossip, GossipHandler, MeshOptions, MeshStatus, Missing } from './contract.ts';
import { KindTotals } from './counters.ts';
import { Door } from './door.ts';
import { AssemblyRoom } from './fragment.ts';
import { Halls } from './halls.ts';
import type { Delivery, GossipItem } from './item.ts';
import { LogBudget } from './log-budget.ts';
import type { Message } from './messages.ts';
import { Neighbours } from './neighbours.ts';
import { type Peer, Peers } from './peers.ts';
import { Reconciling } from './reconciling.ts';
import { Relaying } from './relaying.ts';
import { GOSSIP_LIMITS, GOSSIP_SETTINGS, type GossipSettings } from './settings.ts';
import { Spread } from './spread.ts';
import type { WireParts } from './wire.ts';
import { slowestOf, statusOfPeer } from './wire-status.ts';

/** Longest plain text that a frame of any session carries. */
const SCRATCH_BYTES = 65_535;

const INCARNATION_BYTES = 8;

/**
 * Links a Participant to its peers: keeps the links, spreads what is new, fetches what is missing.
 *
 * The parts: `Door` until it is known who is there, `Peers` from then on, `Relaying` for what is
 * new, `Reconciling` for what was missed.
 */
export class Mesh implements Gossip {
  private readonly options: MeshOptions;
  private readonly handler: GossipHandler;
  private readonly settings: GossipSettings;
  private readonly totals = new KindTotals();
  private readonly defer: (work: () => void) => void;
  private readonly spread: Spread;
  private readonly door: Door;
  private readonly peers: Peers;
  private readonly halls: Halls;
  private readonly neighbours: Neighbours;
  private readonly relaying: Relaying;
  private readonly reconciling: Reconciling;
  private onAllGone: (() => void) | null = null;

  constructor(options: MeshOptions) {
    this.options = options;
    this.handler = options.handler;
    this.settings = { ...GOSSIP_SETTINGS, ...options.settings };
    this.defer = options.defer ?? queueMicrotask;
    this.spread = new Spread(this.settings.seenPerPeer);
    const { timers } = options;
    const log = new LogBudget(options.log, () => timers.monotonicMs());
    this.peers = this.makePeers(log);
    this.door = this.makeDoor(log);
    const send = (to: AvatarId, message: Message) => {
      this.peers.get(to)?.wire.say(message);
    };
    const { source, hash } = options;
    this.neighbours = new Neighbours({ peers: () => this.peers.all, defer: this.defer });
    this.halls = this.makeHalls();
    this.relaying = new Relaying({
      peers: this.peers,
      halls: this.halls,
      spread: this.spread,
      seenHere: this.settings.seenHere,
      isHeldBy: (peer, block) => this.reconciling.isHeldBy(peer, block),
    });
    this.reconciling = new Reconciling({
      source,
      hash,
      timers,
      settings: this.settings,
      send,
      peers: this.peers,
    });
  }

  listen(url: string): Promise<string> {
    return this.door.listen(url);
  }

  dial(url: string): void {
    this.door.dial(url);
  }

  forget(url: string): void {
    this.door.forget(url);
  }

  broadcast(item: GossipItem): void {
    this.relaying.broadcast(item);
  }

  accepted(delivery: Delivery): void {
    this.relaying.accepted(delivery);
  }

  misbehaved(peer: AvatarId, reason: string): void {
    this.peers.misbehaved(peer, reason);
  }

  want(missing: Missing): void {
    this.reconciling.want(missing);
  }

  changed(): void {
    this.reconciling.changed();
  }

  pause(): void {
    this.peers.pause();
    this.halls.pause();
    this.reconciling.pause();
  }

  resume(): void {
    this.peers.resume();
    this.halls.resume();
    this.reconciling.resume();
  }

  holders(block: Block): AvatarId[] {
    const avatars = [...this.peers.all].map((each) => each.avatar);
    return avatars.filter(
      (each) => this.spread.holds(each, block.id) || this.reconciling.isHeldBy(each, block),
    );
  }

  roundTripMs(): number | null {
    return slowestOf([...this.peers.all].map(({ wire }) => wire));
  }

  status(): MeshStatus {
    return {
      listening: this.door.listeningUrls,
      dialling: this.door.dialling,
      peers: [...this.peers.all].map((peer) => {
        const neighbours = this.spread.neighbourCount(peer.avatar);
        return statusOfPeer(peer, neighbours, this.peers.standBy(peer));
      }),
      totals: this.totals.all,
      totalsByKind: this.totals.byKind,
      strangers: this.door.strangerCount,
      refusedHandshakes: this.door.refusedHandshakes,
      bannedPeers: this.peers.barredCount,
      wantedIds: this.reconciling.wantedCount,
      openRanges: this.reconciling.openRanges,
    };
  }

  async close(): Promise<void> {
    this.neighbours.stop();
    this.reconciling.stop();
    const closed = this.door.close();
    this.peers.leaveAll();
    await closed;
    if (this.door.linkCount === 0) return;
    await new Promise<void>((resolve) => {
      this.onAllGone = resolve;
    });
  }

  private makePeers(log: LogBudget): Peers {
    const { self, random, admit } = this.options;
    return new Peers({
      self,
      incarnation: toHex(random.bytes(INCARNATION_BYTES)),
      wire: this.wireParts(),
      settings: this.settings,
      admit: admit ?? (() => null),
      log,
      onUp: (peer) => this.onUp(peer),
      onSwitch: (peer) => this.onSwitch(peer),
      onDown: (peer, reason) => this.onDown(peer, reason),
      onLinkLost: (avatar) => this.door.lost(avatar),
      onMessages: (peer, messages) => this.onMessages(peer, messages),
      onProgress: (peer, bytes) => this.reconciling.progress(peer, bytes),
      onRoom: (peer) => this.reconciling.fill(peer),
      onBeat: (peer) => {
        this.reconciling.refresh(peer);
        this.halls.beat(peer);
      },
      onLoss: (peer) => this.reconciling.hurry(peer),
      onOwnAvatar: (remote, self) => {
        this.handler.onPeer({ kind: 'own-avatar-seen', remote, self });
      },
    });
  }

  private makeHalls(): Halls {
    return new Halls({
      isWanted: this.settings.mqttBroadcast === 'yes',
      peer: (avatar) => this.peers.get(avatar),
      spread: this.spread,
      hash: this.options.hash,
      totals: this.totals,
      defer: this.defer,
      onItems: (peer, items) => this.onMessages(peer, items),
      onLoss: (peer) => this.reconciling.hurry(peer),
      misbehaved: (avatar, reason) => this.peers.misbehaved(avatar, reason),
    });
  }

  private makeDoor(log: LogBudget): Door {
    const { sessions, transports, timers, random, self } = this.options;
    return new Door({
      sessions,
      transports,
      timers,
      random,
      settings: this.settings,
      totals: this.totals,
      log,
      open: (entrance, session) => this.peers.open(entrance, session),
      // A link to our own Avatar is of no use, whoever has it: no dialling it again and again.
      isLinked: (peer, kind) => peer === self || this.peers.hasLink(peer, kind),
      onClosed: () => {
        if (this.door.linkCount === 0) this.onAllGone?.();
      },
    });
  }

  private wireParts(): WireParts {
    const { timers, random, hash, source } = this.options;
    return {
      timers,
      random,
      hash,
      settings: this.settings,
      defer: this.defer,
      room: new AssemblyRoom(GOSSIP_LIMITS.assemblyBytesMax),
      scratch: new Uint8Array(SCRATCH_BYTES),
      totals: this.totals,
      priorityOf: (group) => source.priorityOf(group),
    };
  }

  private onUp(peer: Peer): void {
    this.spread.addPeer(peer.avatar);
    this.reconciling.addPeer(peer);
    this.halls.enter(peer);
    this.neighbours.tellSoon();
    const { avatar, session, wire } = peer;
    const { kind: link, remote } = wire;
    this.handler.onPeer({ kind: 'up', peer: avatar, session, link, remote });
  }

  private onSwitch(peer: Peer): void {
    this.reconciling.renewPeer(peer);
    this.halls.enter(peer);
    this.neighbours.tellSoon();
  }

  private onDown(peer: Peer, reason: string): void {
    this.spread.removePeer(peer.avatar);
    this.halls.leave(peer.avatar);
    this.reconciling.removePeer(peer.avatar);
    this.neighbours.tellSoon();
    this.handler.onPeer({ kind: 'down', peer: peer.avatar, reason });
  }

  private onMessages(peer: Peer, messages: readonly Message[]): void {
    const deliveries: Delivery[] = [];
    for (const message of messages) {
      switch (message.kind) {
        case 'item': {
          const isWanted = this.reconciling.arrived(peer.avatar, message);
          const delivery = this.relaying.receive(peer, message, isWanted);
          if (delivery !== null) deliveries.push(delivery);
          break;
        }
        case 'hall-key':
        case 'hall-heard':
          this.halls.hear(peer, message);
          break;
        case 'neighbours':
          this.spread.setNeighbours(peer.avatar, message.peers);
          break;
        case 'digest': {
          this.reconciling.onMessage(peer, message);
          const ballots = message.groups.filter((each) => each.ballot > 0);
          if (ballots.length > 0) this.handler.onBallots(peer.avatar, ballots);
          break;
        }
        case 'greeting':
          peer.wire.end('greeting-repeated', 'LINK_FRAME_BROKEN');
          break;
        default:
          this.reconciling.onMessage(peer, message);
      }
    }
    if (deliveries.length > 0) this.handler.onItems(deliveries);
  }
}
