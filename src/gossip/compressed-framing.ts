import type { Priority } from '../model/pact.ts';
import type { Verdict } from '../model/verdict.ts';
import type { BlocksUnderway } from './blocks-underway.ts';
import { Compressor, EXPANDED_BYTES_MAX, Expander } from './compression.ts';
import type { LinkCompression } from './contract.ts';
import type { Assembly } from './fragment.ts';
import type { FrameReadRefusal, Incoming, Outgoing } from './framing.ts';
import type { Lane } from './messages.ts';
import type { About, Outbox, Way } from './outbox.ts';

/**
 * The first byte of a frame that was compressed: no fragment begins so. A raw DEFLATE stream
 * follows to the end of the frame; its dictionary is the last 32 KiB that frames of this direction
 * held, compressed or not, since the session began. What it becomes are fragments.
 */
const COMPRESSED = 4;

/** The only way to compress that there is, as it is named in `expands`. */
export const DEFLATE = 1;

/**
 * So much more than suits the link is put into one frame at most, in the hope that it becomes so
 * much shorter: where it does not, what is urgent waits so much longer for once.
 */
export const COMPRESSION_RATIO_MAX = 4;

/** How fast the hope rises. */
const RATIO_GROWTH = 1.25;

/** What waits to be sent, compressed as it is put into frames, so in the order of the seals. */
export class CompressedOutgoing implements Outgoing {
  plainBytes = 0;
  bytes = 0;
  private readonly under: Outbox;
  /** The length of a frame that suits the link. */
  private readonly suitsBytes: number;
  private readonly compressor = new Compressor();
  private isPermitted = false;
  /** How much shorter full frames became of late. */
  private ratio = 1;

  constructor(under: Outbox, suitsBytes: number) {
    this.under = under;
    this.suitsBytes = suitsBytes;
  }

  get blocks(): BlocksUnderway {
    return this.under.blocks;
  }

  get urgentBytes(): number {
    return this.under.urgentBytes;
  }

  get bulkBytes(): number {
    return this.under.bulkBytes;
  }

  /** The other end expands what is compressed so. */
  permit(method: number): void {
    if (method === DEFLATE) this.isPermitted = true;
  }

  bulkBytesOf(priority: Priority): number {
    return this.under.bulkBytesOf(priority);
  }

  laneFor(item: Uint8Array, priority: Priority): Way | null {
    return this.under.laneFor(item, priority);
  }

  push(way: Way, message: Uint8Array, about?: About): void {
    this.under.push(way, message, about);
  }

  take(lane: Lane, whole: boolean): Uint8Array[] {
    return this.under.take(lane, whole);
  }

  fill(frame: Uint8Array, isQuiet?: boolean): number {
    const room = this.isPermitted ? this.suitsBytes * this.ratio : this.suitsBytes;
    const part = frame.subarray(0, Math.floor(room));
    const plain = part.subarray(0, this.under.fill(part, isQuiet));
    if (plain.length === 0) return 0;
    const compressed = this.isPermitted ? this.compressor.compress(plain) : null;
    this.compressor.sent(plain);
    const used = compressed === null ? plain.length : 1 + compressed.length;
    this.learn(plain.length, used);
    if (compressed !== null) {
      frame[0] = COMPRESSED;
      frame.set(compressed, 1);
    }
    return used;
  }

  private learn(plainBytes: number, bytes: number): void {
    this.plainBytes += plainBytes;
    this.bytes += bytes;
    // A short frame says nothing of a long one.
    if (plainBytes < this.suitsBytes / 2) return;
    const ratio = Math.min(plainBytes / bytes, this.ratio * RATIO_GROWTH, COMPRESSION_RATIO_MAX);
    this.ratio = Math.max(1, ratio);
  }
}

/** Expands frames before they are read. */
export class CompressedIncoming implements Incoming {
  plainBytes = 0;
  bytes = 0;
  private readonly under: Assembly;
  private readonly expander = new Expander();

  constructor(under: Assembly) {
    this.under = under;
  }

  read(frame: Uint8Array): Verdict<Uint8Array[], FrameReadRefusal> {
    let plain = frame;
    if (frame[0] === COMPRESSED) {
      const expanded = this.expander.expand(frame.subarray(1));
      if (!expanded.ok) return expanded;
      plain = expanded.value;
    }
    this.plainBytes += plain.length;
    this.bytes += frame.length;
    this.expander.received(plain);
    return this.under.read(plain);
  }

  get unfinished(): Uint8Array {
    return this.under.unfinished;
  }

  drop(): void {
    this.under.drop();
  }
}

/** What is compressed on one link, seen from outside. */
export class Compression {
  private readonly outgoing: CompressedOutgoing;
  private readonly incoming: CompressedIncoming;

  constructor(outgoing: CompressedOutgoing, incoming: CompressedIncoming) {
    this.outgoing = outgoing;
    this.incoming = incoming;
  }

  permit(method: number): void {
    this.outgoing.permit(method);
  }

  get measured(): LinkCompression {
    const { outgoing, incoming } = this;
    return {
      sentPlainBytes: outgoing.plainBytes,
      sentBytes: outgoing.bytes,
      receivedPlainBytes: incoming.plainBytes,
      receivedBytes: incoming.bytes,
    };
  }
}

/** The plain bytes that suit a link whose frames are compressed, and that one holds at most. */
export function compressedFrameBytes(suitsBytes: number, longestBytes: number) {
  const suits = Math.min(suitsBytes, EXPANDED_BYTES_MAX);
  const most = Math.min(longestBytes, EXPANDED_BYTES_MAX, suits * COMPRESSION_RATIO_MAX);
  return { suits, most };
}
