import type { Block, BlockId } from '../model/block.ts';
import type { HashFunction } from '../model/bytes.ts';
import type { MetablockId } from '../model/metablock.ts';
import type { Ballot } from '../model/numbers.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import type { Random, Timers } from '../ports/clock.ts';
import type { LinkKind, LinkRepairs, Transport } from '../ports/link.ts';
import type { SessionFactory, SessionPeer } from '../ports/session.ts';
import type { Delivery, GossipItem } from './item.ts';
import type { GossipSettings } from './settings.ts';
import type { GossipSource } from './source.ts';

/**
 * Gossip as the Participant uses it. Nothing here waits, except to open and close listeners; items
 * that are handed in are durable already (persist, then speak).
 *
 * @source features A4, F2, F10.
 */
export interface Gossip {
  /** Accepts links at a URL. @returns the URL really taken. @throws LinkError */
  listen(url: string): Promise<string>;

  /** Stays linked to whoever is at this URL, with back-off. A URL known already changes nothing.
   * @throws LinkError LINK_URL, for a scheme that no transport has. */
  dial(url: string): void;

  /** Dials this URL no more; an open link stays. */
  forget(url: string): void;

  /** Sends an item of our own to every peer. */
  broadcast(item: GossipItem): void;

  /** A delivered item was judged good: it is relayed to those who cannot have it yet. */
  accepted(delivery: Delivery): void;

  /** A peer sent what an honest one does not. Beyond a bound it is let go, and barred a while. */
  misbehaved(peer: AvatarId, reason: string): void;

  /** Asks for missing parts: one peer at a time, then the others; each id is asked for once. */
  want(missing: Missing): void;

  /** What `GossipSource.digest` would say has changed. Cheap: call it once after each commit. */
  changed(): void;

  /** Takes no more from any link until `resume`. What was read already is still delivered. */
  pause(): void;
  resume(): void;

  /** Those linked now that say that they have a Block, or sent it. */
  holders(block: Block): readonly AvatarId[];

  /** Smoothed round trip to the slowest peer, in milliseconds; null where none is known. */
  roundTripMs(): number | null;

  status(): MeshStatus;

  /** Says good-bye to every peer and ends all listeners, dials, links and timers. */
  close(): Promise<void>;
}

export interface Missing {
  readonly group: GroupId;
  readonly blocks: readonly BlockId[];
  readonly metablocks: readonly MetablockId[];
}

/** What the Participant hears. Called synchronously; it must not throw. */
export interface GossipHandler {
  /** What one frame brought, in order. */
  onItems(deliveries: readonly Delivery[]): void;
  /** What a peer says of its own Ballots. */
  onBallots(from: AvatarId, ballots: readonly { group: GroupId; ballot: Ballot }[]): void;
  onPeer(event: PeerEvent): void;
}

export type PeerEvent =
  | {
      readonly kind: 'up';
      readonly peer: AvatarId;
      readonly session: SessionPeer;
      readonly link: LinkKind;
      readonly remote: string;
    }
  | { readonly kind: 'down'; readonly peer: AvatarId; readonly reason: string }
  /**
   * Our own Avatar is at the other end. `self`: this very process, so a URL of our own is among
   * those dialled. Otherwise another device has our key: a cloned card.
   */
  | { readonly kind: 'own-avatar-seen'; readonly remote: string; readonly self: boolean };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Fields are for people and machines; never a secret. */
export type GossipLog = (
  level: LogLevel,
  event: string,
  fields: Readonly<Record<string, string | number | boolean>>,
) => void;

export interface MeshOptions {
  readonly self: AvatarId;
  readonly sessions: SessionFactory;
  readonly transports: readonly Transport[];
  readonly timers: Timers;
  readonly random: Random;
  readonly hash: HashFunction;
  readonly source: GossipSource;
  readonly handler: GossipHandler;
  readonly log: GossipLog;
  /** What differs from `GOSSIP_SETTINGS`. */
  readonly settings?: Partial<GossipSettings>;
  /** May this Avatar be a peer? @returns the reason against it, or null. */
  readonly admit?: (peer: SessionPeer) => string | null;
  /** Runs work at the end of the turn; `queueMicrotask` unless a test wants to see it. */
  readonly defer?: (work: () => void) => void;
}

export interface MeshStatus {
  readonly listening: readonly string[];
  readonly dialling: readonly DialStatus[];
  readonly peers: readonly PeerStatus[];
  /** Of all links since the start, ended ones and refused handshakes included. */
  readonly totals: LinkTotals;
  /** The same, for each kind of link that there was. */
  readonly totalsByKind: Partial<Record<LinkKind, LinkTotals>>;
  /** Links whose handshake is not over. */
  readonly strangers: number;
  readonly refusedHandshakes: number;
  readonly bannedPeers: number;
  /** Ids asked for by `want` that have not come. */
  readonly wantedIds: number;
  /** Ranges that are being fetched to catch up. */
  readonly openRanges: number;
}

export interface DialStatus {
  readonly url: string;
  readonly kind: LinkKind;
  readonly state: 'waiting' | 'dialling' | 'handshake' | 'linked' | 'stand-by';
  /** Who was met there last. */
  readonly peer: AvatarId | null;
  readonly failures: number;
  readonly lastError: string | null;
}

export interface PeerStatus extends LinkStatus {
  readonly peer: AvatarId;
  readonly neighbours: number;
  readonly misbehaviours: number;
  /** Links of less liked kinds that are open and idle, to go on with when this one ends. */
  readonly standBy: readonly LinkStatus[];
}

/** Did a link end because one end has as many peers as it may? @param reason Why it ended. */
export function isTooMany(reason: string | null): boolean {
  return reason?.endsWith('too-many-peers') ?? false;
}

/** One link to a peer. */
export interface LinkStatus {
  readonly kind: LinkKind;
  readonly remote: string;
  /** Did we open the link? */
  readonly initiator: boolean;
  /** Milliseconds since 1970, by the machine's clock. */
  readonly upSinceMs: number;
  readonly roundTripMs: number | null;
  readonly queuedBytes: number;
  /** Of the last minute. */
  readonly goodput: LinkGoodput;
  /** Payload bytes a second that the link carries at most, where that is known and little. */
  readonly bytesPerSecond: number | null;
  /** What went wrong and was mended; null where the wire hides it. */
  readonly repairs: LinkRepairs | null;
  readonly counters: LinkCounters;
  /** Null where nothing is compressed. */
  readonly compression: LinkCompression | null;
}

/** Bytes that sealed frames held since the link was made, and what they were before and after. */
export interface LinkCompression {
  readonly sentPlainBytes: number;
  readonly sentBytes: number;
  readonly receivedPlainBytes: number;
  readonly receivedBytes: number;
}

/** Bytes of messages, without what sessions and frames put around them. */
export interface LinkGoodput {
  readonly sentBytesPerSecond: number;
  readonly receivedBytesPerSecond: number;
}

/** Bytes are those of frames as they lie on the wire, lengths included. */
export interface LinkTotals {
  framesSent: number;
  framesReceived: number;
  bytesSent: number;
  bytesReceived: number;
}

/** Of one link, from its handshake on. */
export interface LinkCounters extends LinkTotals {
  messagesSent: Record<string, number>;
  messagesReceived: Record<string, number>;
  /** Relays that a full queue did not take. */
  dropped: number;
  /** Items received that were accepted before. */
  duplicates: number;
}
