import { type HashFunction, toHex } from '../model/bytes.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { Hall } from '../ports/link.ts';
import { countReceived, countSent, type KindTotals } from './counters.ts';
import {
  HALL_FRAME_BYTES,
  HALL_MESSAGE_BYTES,
  HallOpener,
  HallSeal,
  SENDER_BYTES,
} from './hall-seal.ts';
import { keyOf } from './item.ts';
import { decodeMessage } from './message-reader.ts';
import type { HallHeardMessage, HallKeyMessage, ItemMessage } from './messages.ts';
import type { Peer } from './peers.ts';
import type { Spread } from './spread.ts';

/** Fewer than so many are told each for itself. */
const LISTENERS_LEAST = 2;

/** Frames that one who listens has not said it heard; beyond it each is told for itself. */
export const HALL_WINDOW_FRAMES = 16;

/** What is heard is told after so many frames, or with the next sign of life. */
const TOLD_FRAMES = 4;

/** Frames that wait here while nothing is read; beyond it they are lost. */
const HELD_FRAMES_MAX = 64;

/** Keys of others, of those linked and of some that were; the oldest is forgotten first. */
const SENDERS_MAX = 1_024;

export interface HallsParts {
  readonly isWanted: boolean;
  readonly peer: (avatar: AvatarId) => Peer | undefined;
  readonly spread: Spread;
  readonly hash: HashFunction;
  readonly totals: KindTotals;
  readonly defer: (work: () => void) => void;
  readonly onItems: (peer: Peer, items: readonly ItemMessage[]) => void;
  readonly onLoss: (peer: Peer) => void;
  readonly misbehaved: (avatar: AvatarId, reason: string) => void;
}

/** A peer that is linked over a hall, as far as it listens to us there. */
interface Listener {
  /** Frames of ours that it said it heard; null until it has our keys. */
  heard: number | null;
  heardAtBeat: number | null;
}

interface Room {
  readonly hall: Hall;
  readonly seal: HallSeal;
  readonly listeners: Map<AvatarId, Listener>;
  queue: Uint8Array[];
  queuedBytes: number;
}

/** Whoever gave us its keys. */
interface Sender {
  readonly avatar: AvatarId;
  readonly opener: HallOpener;
  untold: number;
}

/**
 * Says to all others at one broker at once what would else go to each of them. Who does not keep up
 * has all told each for itself again; what is lost anti-entropy brings.
 */
export class Halls {
  private readonly parts: HallsParts;
  private readonly rooms = new Map<Hall, Room>();
  /** By the number of their keys, in hex. */
  private readonly senders = new Map<string, Sender>();
  private held: { readonly room: Room; readonly frame: Uint8Array }[] = [];
  private isPaused = false;

  constructor(parts: HallsParts) {
    this.parts = parts;
  }

  /** The peer is linked over another link than before, or anew. */
  enter(peer: Peer): void {
    this.leave(peer.avatar);
    const { hall } = peer.wire;
    if (hall === undefined || !this.parts.isWanted) return;
    const room = this.roomOf(hall);
    room.listeners.set(peer.avatar, { heard: null, heardAtBeat: null });
    this.giveKeys(room, peer);
  }

  leave(avatar: AvatarId): void {
    for (const { listeners } of this.rooms.values()) listeners.delete(avatar);
  }

  /** @returns those of `told` whom this does not reach. */
  offer(message: Uint8Array, told: readonly AvatarId[]): readonly AvatarId[] {
    let rest = told;
    for (const room of this.rooms.values()) {
      const listening = [...room.listeners].filter(([, { heard }]) => heard !== null);
      const { othersCount } = room.hall;
      // It goes to everybody there: nobody must be among them who cannot say that it is too much.
      if (listening.length < othersCount) continue;
      const reached = listening.map(([avatar]) => avatar).filter((each) => rest.includes(each));
      if (reached.length < Math.max(LISTENERS_LEAST, othersCount / 2)) continue;
      const bytes = HALL_MESSAGE_BYTES + message.length;
      if (bytes > roomiest(room.hall) || isHeldUp(room, bytes)) continue;
      if (room.queue.length === 0) this.parts.defer(() => this.flush(room));
      room.queue.push(message);
      room.queuedBytes += bytes;
      rest = rest.filter((each) => !reached.includes(each));
    }
    return rest;
  }

  /** What a peer says of its keys, or of what it heard of ours. */
  hear(peer: Peer, message: HallKeyMessage | HallHeardMessage): void {
    if (message.kind === 'hall-key') {
      this.takeKeys(peer, message);
      return;
    }
    for (const { seal, listeners } of this.rooms.values()) {
      if (toHex(seal.keys.sender) !== toHex(message.sender)) continue;
      const listener = listeners.get(peer.avatar);
      if (listener === undefined || message.next > seal.counter) continue;
      listener.heard = Math.max(listener.heard ?? 0, message.next);
    }
  }

  /** Time to say what is owed, and to ask who has been silent for a beat. */
  beat(peer: Peer): void {
    for (const room of this.rooms.values()) {
      const listener = room.listeners.get(peer.avatar);
      if (listener === undefined) continue;
      const isBehind = listener.heard === null || listener.heard < room.seal.counter;
      if (isBehind && listener.heardAtBeat === listener.heard) this.giveKeys(room, peer);
      listener.heardAtBeat = listener.heard;
    }
    for (const [id, sender] of this.senders) {
      if (sender.avatar === peer.avatar && sender.untold > 0) this.tell(id, sender, peer);
    }
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    for (const { room, frame } of this.held.splice(0)) this.receive(room, frame);
  }

  private roomOf(hall: Hall): Room {
    const known = this.rooms.get(hall);
    if (known !== undefined) return known;
    const listeners = new Map<AvatarId, Listener>();
    const room: Room = { hall, seal: new HallSeal(), listeners, queue: [], queuedBytes: 0 };
    this.rooms.set(hall, room);
    hall.handle((frame) => this.receive(room, frame));
    return room;
  }

  private giveKeys({ seal }: Room, { wire }: Peer): void {
    wire.send('urgent', { kind: 'hall-key', ...seal.keys, next: seal.counter });
  }

  private takeKeys(peer: Peer, message: HallKeyMessage): void {
    // Whoever hears no answer tells us each thing for itself.
    if (!this.parts.isWanted) return;
    const id = toHex(message.sender);
    const known = this.senders.get(id);
    if (known !== undefined && known.avatar !== peer.avatar) return;
    if (known !== undefined && known.opener.next < message.next) this.parts.onLoss(peer);
    const next = Math.max(message.next, known?.opener.next ?? 0);
    const sender = { avatar: peer.avatar, opener: new HallOpener(message, next), untold: 0 };
    this.senders.delete(id);
    this.senders.set(id, sender);
    for (const oldest of this.senders.keys()) {
      if (this.senders.size <= SENDERS_MAX) break;
      this.senders.delete(oldest);
    }
    this.tell(id, sender, peer);
  }

  private tell(id: string, sender: Sender, { wire }: Peer): void {
    sender.untold = 0;
    const bytes = Uint8Array.from(Buffer.from(id, 'hex'));
    wire.send('urgent', { kind: 'hall-heard', sender: bytes, next: sender.opener.next });
  }

  private flush(room: Room): void {
    const messages = room.queue;
    room.queue = [];
    room.queuedBytes = 0;
    let frame: Uint8Array[] = [];
    let bytes = 0;
    for (const message of messages) {
      if (bytes + HALL_MESSAGE_BYTES + message.length > roomiest(room.hall)) {
        this.publish(room, frame);
        frame = [];
        bytes = 0;
      }
      frame.push(message);
      bytes += HALL_MESSAGE_BYTES + message.length;
    }
    this.publish(room, frame);
  }

  private publish({ hall, seal }: Room, messages: readonly Uint8Array[]): void {
    const frame = seal.seal(messages);
    countSent(this.parts.totals.of(hall.kind), frame);
    hall.publish(frame);
  }

  private receive(room: Room, frame: Uint8Array): void {
    if (this.isPaused) {
      if (this.held.length < HELD_FRAMES_MAX) this.held.push({ room, frame });
      return;
    }
    const id = toHex(frame.subarray(0, SENDER_BYTES));
    const sender = this.senders.get(id);
    const peer = sender && this.parts.peer(sender.avatar);
    if (sender === undefined || peer === undefined) return;
    const awaited = sender.opener.next;
    const said = sender.opener.open(frame);
    if (said === null) return;
    countReceived(this.parts.totals.of(room.hall.kind), frame);
    if (sender.opener.next > awaited + 1) this.parts.onLoss(peer);
    sender.untold += 1;
    if (sender.untold >= TOLD_FRAMES) this.tell(id, sender, peer);
    this.deliver(room, peer, said);
  }

  private deliver(room: Room, peer: Peer, said: readonly Uint8Array[]): void {
    const items: ItemMessage[] = [];
    for (const bytes of said) {
      const read = decodeMessage(this.parts.hash, bytes);
      const message = read.ok ? read.value?.message : undefined;
      if (message?.kind === 'item' && !message.answer) items.push(message);
      else if (!read.ok || message !== undefined) {
        this.parts.misbehaved(peer.avatar, 'hall-malformed');
        return;
      }
    }
    const { spread } = this.parts;
    // Whoever listens to the same one heard it as well.
    for (const other of room.listeners.keys()) {
      if (!spread.isNeighbour(other, peer.avatar)) continue;
      for (const { item } of items) spread.heard(other, keyOf(item));
    }
    if (items.length > 0) this.parts.onItems(peer, items);
  }
}

/** Bytes of messages and their lengths that one frame takes. */
function roomiest(hall: Hall): number {
  return hall.frameBytesMax - HALL_FRAME_BYTES;
}

/** Does anybody who listens not keep up? Then more would only fill the broker's queue for it. */
function isHeldUp({ hall, seal, listeners, queuedBytes }: Room, bytes: number): boolean {
  const frames = 1 + Math.ceil((2 * (queuedBytes + bytes)) / roomiest(hall));
  for (const { heard } of listeners.values()) {
    if (heard !== null && seal.counter + frames - heard > HALL_WINDOW_FRAMES) return true;
  }
  return false;
}
