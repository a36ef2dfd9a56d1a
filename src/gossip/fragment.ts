import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { Lane } from './messages.ts';
import { GOSSIP_LIMITS } from './settings.ts';

/**
 * What a sealed frame holds: fragments, one after the other, to its end. Several messages share a
 * frame, a long one takes several; each lane carries one message at a time.
 *
 * ```
 * offset  bytes  field   meaning
 *      0      1  flags   1 bulk lane, 2 more of this message follows in a later frame
 *      1      2  length  n, big-endian, at least 1
 *      3      n  part    of the message
 * ```
 */
export const FRAGMENT_HEADER_BYTES = 3;

const BULK = 1;
const MORE = 2;

/** Writes one fragment. @returns the offset after it. */
export function writeFragment(
  frame: Uint8Array,
  offset: number,
  part: Uint8Array,
  { lane, more }: { readonly lane: Lane; readonly more: boolean },
): number {
  frame[offset] = (lane === 'bulk' ? BULK : 0) | (more ? MORE : 0);
  frame[offset + 1] = part.length >>> 8;
  frame[offset + 2] = part.length & 0xff;
  frame.set(part, offset + FRAGMENT_HEADER_BYTES);
  return offset + FRAGMENT_HEADER_BYTES + part.length;
}

export type FragmentRefusal = 'fragment-malformed' | 'message-too-long' | 'assembly-full';

/** Who the other end of a link is, and what to do when its unfinished messages had to give way. */
export interface Tenant {
  readonly owner: string;
  readonly onEvicted: () => void;
}

/** Who holds unfinished messages of one link. */
export interface Occupant {
  readonly owner: string;
  readonly heldBytes: number;
  /** Others need the room. */
  evict(): void;
}

/**
 * Room for the unfinished messages of all peers together. When it is full, whoever holds the most
 * on all its links gives way to one that holds less: nobody can keep the others out.
 */
export class AssemblyRoom {
  private bytes = 0;
  private readonly bytesMax: number;
  private readonly holders = new Set<Occupant>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.bytes;
  }

  claim(by: Occupant, bytes: number): boolean {
    while (this.bytes + bytes > this.bytesMax) {
      const greediest = this.greediest();
      if (greediest === null || this.heldBy(greediest) <= this.heldBy(by) + bytes) return false;
      greediest.evict();
    }
    this.bytes += bytes;
    this.holders.add(by);
    return true;
  }

  release(by: Occupant, bytes: number): void {
    this.bytes -= bytes;
    if (by.heldBytes === bytes) this.holders.delete(by);
  }

  /** The fullest of the links of whoever holds the most. */
  private greediest(): Occupant | null {
    let most: Occupant | null = null;
    for (const each of this.holders) {
      const more = most === null ? 1 : this.heldBy(each) - this.heldBy(most);
      if (more > 0 || (more === 0 && each.heldBytes > most!.heldBytes)) most = each;
    }
    return most;
  }

  private heldBy({ owner }: Occupant): number {
    let bytes = 0;
    for (const each of this.holders) if (each.owner === owner) bytes += each.heldBytes;
    return bytes;
  }
}

/** The message that one lane is in the middle of. One buffer: parts may be a byte long each. */
class Unfinished {
  bytes = 0;
  private buffer = new Uint8Array(0);
  private readonly assembly: Assembly;
  private readonly room: AssemblyRoom;
  private readonly bytesMax: number;

  constructor(assembly: Assembly, room: AssemblyRoom, bytesMax: number) {
    this.assembly = assembly;
    this.room = room;
    this.bytesMax = bytesMax;
  }

  get heldBytes(): number {
    return this.buffer.length;
  }

  get content(): Uint8Array {
    return this.buffer.subarray(0, this.bytes);
  }

  add(part: Uint8Array): FragmentRefusal | null {
    const bytes = this.bytes + part.length;
    if (bytes > this.bytesMax) return 'message-too-long';
    if (bytes > this.buffer.length) {
      const capacity = Math.min(Math.max(bytes, this.buffer.length * 2), this.bytesMax);
      if (!this.room.claim(this.assembly, capacity - this.buffer.length)) return 'assembly-full';
      const grown = new Uint8Array(capacity);
      grown.set(this.buffer);
      this.buffer = grown;
    }
    this.buffer.set(part, this.bytes);
    this.bytes = bytes;
    return null;
  }

  take(): Uint8Array {
    const whole = this.content;
    this.drop();
    return whole;
  }

  drop(): void {
    if (this.buffer.length === 0) return;
    this.room.release(this.assembly, this.buffer.length);
    this.buffer = new Uint8Array(0);
    this.bytes = 0;
  }
}

/** Puts the messages of one peer together again. */
export class Assembly implements Occupant {
  /** Whose link it is. */
  readonly owner: string;
  private readonly onEvicted: () => void;
  private readonly lanes: Readonly<Record<Lane, Unfinished>>;
  private readonly bytesMax: LaneLimits;

  constructor(room: AssemblyRoom, tenant: Tenant, limits: LaneLimits = LANE_LIMITS) {
    this.owner = tenant.owner;
    this.onEvicted = tenant.onEvicted;
    this.bytesMax = limits;
    this.lanes = {
      urgent: new Unfinished(this, room, limits.urgent),
      bulk: new Unfinished(this, room, limits.bulk),
    };
  }

  get heldBytes(): number {
    return this.lanes.urgent.heldBytes + this.lanes.bulk.heldBytes;
  }

  /** What has come of a bulk message; valid until more does. */
  get unfinished(): Uint8Array {
    return this.lanes.bulk.content;
  }

  /** Others need the room: what is unfinished is lost, so the link must end. */
  evict(): void {
    this.drop();
    this.onEvicted();
  }

  /** @returns the messages that the frame completes, in order, or why the link must end. */
  read(frame: Uint8Array): Verdict<Uint8Array[], FragmentRefusal> {
    const messages: Uint8Array[] = [];
    let offset = 0;
    while (offset < frame.length) {
      const flags = frame[offset]!;
      if (frame.length - offset <= FRAGMENT_HEADER_BYTES || flags > (BULK | MORE)) {
        return refuse('fragment-malformed');
      }
      const length = (frame[offset + 1]! << 8) | frame[offset + 2]!;
      const from = offset + FRAGMENT_HEADER_BYTES;
      offset = from + length;
      if (length === 0 || offset > frame.length) return refuse('fragment-malformed');
      const refusal = this.take(flags, frame.subarray(from, offset), messages);
      if (refusal !== null) return refuse(refusal);
    }
    return accept(messages);
  }

  /** Gives back the room that unfinished messages take. */
  drop(): void {
    this.lanes.urgent.drop();
    this.lanes.bulk.drop();
  }

  private take(flags: number, part: Uint8Array, done: Uint8Array[]): FragmentRefusal | null {
    const name = (flags & BULK) === 0 ? 'urgent' : 'bulk';
    const more = (flags & MORE) !== 0;
    const lane = this.lanes[name];
    if (!more && lane.bytes === 0) {
      if (part.length > this.bytesMax[name]) return 'message-too-long';
      done.push(part);
      return null;
    }
    const refusal = lane.add(part);
    if (refusal === null && !more) done.push(lane.take());
    return refusal;
  }
}

export type LaneLimits = Readonly<Record<Lane, number>>;

/** The limits of the wire format. */
const LANE_LIMITS: LaneLimits = {
  urgent: GOSSIP_LIMITS.urgentBytesMax,
  bulk: GOSSIP_LIMITS.bulkBytesMax,
};
