import { OWNERS_MAX } from '../model/sync-group.ts';

/** What a peer may send at most, bytes and counts: part of the wire format. */
export const GOSSIP_LIMITS = {
  /** Payload of one Block: 64 MiB. */
  payloadBytesMax: 64 * 1024 * 1024,
  /** A message of the urgent lane. */
  urgentBytesMax: 1024 * 1024,
  /** Ids in one want or one not-found. */
  idsMax: 512,
  neighboursMax: 256,
  /** Groups in one digest message; a longer digest goes out in several. */
  digestGroupsMax: 1_024,
  digestIssuersMax: OWNERS_MAX,
  /** Other links to the receiver that a greeting names. */
  heldLinksMax: 8,
} as const;

/** Times in milliseconds, sizes in bytes: what one Participant may choose for itself. */
export interface GossipSettings {
  readonly handshakeMs: number;
  readonly dialMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** Links whose handshake is not over; beyond it the oldest gives way. */
  readonly strangersMax: number;
  readonly peersMax: number;
  readonly pingMs: number;
  /** Pings without any sign of life after which a link is dead. */
  readonly missedPingsMax: number;
  /** Longest silence between two short digests. */
  readonly digestMs: number;
  /** Least time between two digests while things change. */
  readonly digestBusyMs: number;
  /** How long a difference must last before it is asked about. */
  readonly settleMs: number;
  readonly urgentQueueBytesMax: number;
  readonly bulkQueueBytesMax: number;
  /** Bulk is read from the source only while less than this is queued. */
  readonly bulkLowBytes: number;
  /** A chunk of a range ends after this many bytes, Blocks or Metablocks. */
  readonly chunkBytes: number;
  readonly chunkBlocks: number;
  readonly chunkMetablocks: number;
  /** Ranges asked of one peer at once. */
  readonly rangesPerPeerMax: number;
  /** Requests of one peer that wait for their answer. */
  readonly requestsMax: number;
  /** A range or an id that brings nothing for so long is asked of another peer. */
  readonly answerMs: number;
  /** Ids asked for by `want`. */
  readonly wantedMax: number;
  /** Items that a peer is known to have, and items accepted here. */
  readonly seenPerPeer: number;
  readonly seenHere: number;
  readonly misbehavioursMax: number;
  readonly banMs: number;
}

export const GOSSIP_SETTINGS: GossipSettings = {
  handshakeMs: 10_000,
  dialMs: 10_000,
  backoffMinMs: 250,
  backoffMaxMs: 30_000,
  strangersMax: 32,
  peersMax: 64,
  pingMs: 30_000,
  missedPingsMax: 3,
  digestMs: 30_000,
  digestBusyMs: 5_000,
  settleMs: 500,
  urgentQueueBytesMax: 4 * 1024 * 1024,
  bulkQueueBytesMax: 16 * 1024 * 1024,
  bulkLowBytes: 128 * 1024,
  chunkBytes: 1024 * 1024,
  chunkBlocks: 1_024,
  chunkMetablocks: 64,
  rangesPerPeerMax: 4,
  requestsMax: 64,
  answerMs: 5_000,
  wantedMax: 4_096,
  seenPerPeer: 8_192,
  seenHere: 16_384,
  misbehavioursMax: 16,
  banMs: 600_000,
};
