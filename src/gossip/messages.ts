import type { BlockId } from '../model/block.ts';
import { type Hex32, ID_BYTES, toHex32 } from '../model/bytes.ts';
import { DOMAIN_BYTES } from '../model/codec.ts';
import type { MetablockId } from '../model/metablock.ts';
import type { CausalSequence, Level } from '../model/numbers.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import type { HallKeys } from './hall-seal.ts';
import type { GossipItem } from './item.ts';
import type { Digest } from './source.ts';

/** What is sent at once, and what may wait: urgent messages overtake bulk between two frames. */
export type Lane = 'urgent' | 'bulk';

/** What two peers say to each other inside their session. Layouts: message-writer. */
export type Message =
  | GreetingMessage
  /** Whom the sender is linked to; replaces what it said before. */
  | { readonly kind: 'neighbours'; readonly peers: readonly AvatarId[] }
  | ItemMessage
  | { readonly kind: 'want-blocks'; readonly ids: readonly BlockId[] }
  | { readonly kind: 'want-metablocks'; readonly ids: readonly MetablockId[] }
  | ({ readonly kind: 'want-range' } & Range)
  /** All fork proofs of one Sync Group. */
  | { readonly kind: 'want-forks'; readonly group: GroupId }
  | ChunkEndMessage
  /** Of the ids that were wanted, those that the sender does not have. */
  | { readonly kind: 'not-found'; readonly ids: readonly Hex32[] }
  /** Hash of the sender's digest, see `hashDigest`. */
  | { readonly kind: 'digest-short'; readonly hash: Hex32 }
  | { readonly kind: 'digest'; readonly groups: Digest }
  /** The sender expands frames that are compressed by this method; only on links that may be. */
  | { readonly kind: 'expands'; readonly method: number }
  | HallKeyMessage
  | HallHeardMessage
  | { readonly kind: 'ping'; readonly token: number }
  | { readonly kind: 'pong'; readonly token: number }
  | { readonly kind: 'bye'; readonly reason: ByeReason };

/** The first message in either direction: says which links of the sender are which. */
export interface GreetingMessage {
  readonly kind: 'greeting';
  /** 16 hex digits that this process drew at its start. */
  readonly incarnation: string;
  /** The how manyeth session of this process it is, from 1. */
  readonly ordinal: number;
  /** Ordinals of the other sessions that this process now has with the receiver. */
  readonly held: readonly number[];
}

/** With which keys the sender speaks in the hall that this link belongs to. */
export interface HallKeyMessage extends HallKeys {
  readonly kind: 'hall-key';
  /** Of the next frame. */
  readonly next: number;
}

/** All frames below `next` were heard or are lost, of those that these keys sealed. */
export interface HallHeardMessage {
  readonly kind: 'hall-heard';
  readonly sender: Uint8Array;
  readonly next: number;
}

export interface ItemMessage {
  readonly kind: 'item';
  readonly item: GossipItem;
  /** Was it asked for? */
  readonly answer: boolean;
}

/** A part of a Causal Group, or of a Sync Group's chain, from a position on. */
export type Range =
  | {
      readonly range: 'causal';
      readonly group: GroupId;
      readonly issuer: AvatarId;
      readonly from: CausalSequence;
    }
  | { readonly range: 'chain'; readonly group: GroupId; readonly from: Level };

/** Ends one chunk of a range. */
export interface ChunkEndMessage {
  readonly kind: 'chunk-end';
  readonly range: Range['range'];
  readonly group: GroupId;
  /** Of a causal range; null of a chain. */
  readonly issuer: AvatarId | null;
  /** The position that follows what was sent. */
  readonly next: number;
  /** The position at which the sender has nothing yet: `next` reaches it when all was sent. */
  readonly end: number;
}

export const BYE_REASONS = [
  'closing',
  'duplicate-link',
  'stale-link',
  'not-admitted',
  'barred',
  'malformed',
  'too-many-peers',
  'queue-full',
  'own-avatar',
] as const;

/** Why the sender ends the link. */
export type ByeReason = (typeof BYE_REASONS)[number];

/** The first byte of a message. What a Participant does not know it passes over. */
export const MESSAGE_CODES = {
  greeting: 1,
  neighbours: 2,
  'item-block': 3,
  'item-header': 4,
  'item-metablock': 5,
  'item-certificate': 6,
  'item-ballot-note': 7,
  'want-blocks': 8,
  'want-metablocks': 9,
  'want-causal': 10,
  'want-chain': 11,
  'chunk-end': 12,
  'not-found': 13,
  'digest-short': 14,
  digest: 15,
  ping: 16,
  pong: 17,
  bye: 18,
  'item-fork-proof': 19,
  'want-forks': 20,
  'item-cut': 24,
  expands: 26,
  'hall-key': 27,
  'hall-heard': 28,
} as const;

/** The name that counters go by. */
export type MessageName = keyof typeof MESSAGE_CODES;

export const MESSAGE_NAMES: readonly (MessageName | undefined)[] = Object.entries(
  MESSAGE_CODES,
).reduce<MessageName[]>((names, [name, code]) => {
  names[code] = name as MessageName;
  return names;
}, []);

/** Is this encoded message an item that nobody asked for? */
export function isNews(bytes: Uint8Array): boolean {
  const name = MESSAGE_NAMES[bytes[0] ?? 0];
  return name?.startsWith('item-') === true && bytes[1] === 0;
}

/** Is this encoded message about the link alone? */
export function isSign(bytes: Uint8Array): boolean {
  return SIGNS.has(MESSAGE_NAMES[bytes[0] ?? 0]);
}

const SIGNS: ReadonlySet<MessageName | undefined> = new Set([
  'greeting',
  'expands',
  'ping',
  'pong',
]);

export function isBlock(bytes: Uint8Array): boolean {
  const name = MESSAGE_NAMES[bytes[0] ?? 0];
  return name === 'item-block' || name === 'item-header';
}

/** The Sync Group of an encoded Block, or null if the message is none. */
export function groupOfBlock(bytes: Uint8Array): GroupId | null {
  if (!isBlock(bytes)) return null;
  const header = MESSAGE_NAMES[bytes[0]!] === 'item-block' ? 4 : 2;
  return toHex32(bytes.subarray(header + DOMAIN_BYTES, header + DOMAIN_BYTES + ID_BYTES));
}

/** Bytes that stand for the two kinds of range in `chunk-end`. */
export const RANGE_CODES = { causal: 1, chain: 2 } as const;

/** Set in the second byte of an item that was asked for. */
export const ANSWER_FLAG = 1;

/** How a range is named where only one of each may be open. */
export function rangeKey(range: {
  readonly group: GroupId;
  readonly issuer: AvatarId | null;
}): string {
  return range.group + (range.issuer ?? '');
}
