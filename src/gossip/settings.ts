import { BLOCK_HEADER_BYTES_MAX } from '../model/block.ts';
import { OWNERS_MAX } from '../model/sync-group.ts';

const MIB = 1024 * 1024;

/** What a peer may send at most, bytes and counts: part of the wire format. */
export const GOSSIP_LIMITS = {
  /** Payload of one Block. */
  payloadBytesMax: 64 * MIB,
  /** A message of the urgent lane. */
  urgentBytesMax: MIB,
  /** A message of the bulk lane: a whole Block and what stands before it. */
  bulkBytesMax: 64 * MIB + BLOCK_HEADER_BYTES_MAX + 16,
  /** Parts of messages that are not whole yet, of all peers. */
  assemblyBytesMax: 256 * MIB,
  /** Ids in one want or one not-found. */
  idsMax: 512,
  neighboursMax: 256,
  /** Groups, and Causal Groups in all, in one digest message; a longer digest takes several. */
  digestGroupsMax: 1_024,
  digestIssuersMax: 8_192,
  digestGroupIssuersMax: OWNERS_MAX,
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
  /** After so long without any the link gives way to one that stands by, if that lives. */
  readonly standByMs: number;
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
  /** Is what all at one broker want said to all of them at once? */
  readonly mqttBroadcast: 'no' | 'yes';
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
  standByMs: 15_000,
  digestMs: 30_000,
  digestBusyMs: 5_000,
  settleMs: 500,
  urgentQueueBytesMax: 4 * MIB,
  bulkQueueBytesMax: 16 * MIB,
  bulkLowBytes: 128 * 1024,
  chunkBytes: MIB,
  chunkBlocks: 1_024,
  chunkMetablocks: 64,
  rangesPerPeerMax: 4,
  requestsMax: 64,
  answerMs: 5_000,
  wantedMax: 4_096,
  seenPerPeer: 8_192,
  seenHere: 16_384,
  mqttBroadcast: 'no',
  misbehavioursMax: 16,
  banMs: 600_000,
};
