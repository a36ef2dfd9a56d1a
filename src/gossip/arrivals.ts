import { BLOCK_HEADER_BYTES_MAX, type BlockId } from '../model/block.ts';
import { type HashFunction, toHex32 } from '../model/bytes.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { MESSAGE_CODES } from './messages.ts';
import type { Peer } from './peers.ts';

/** A Block of which a part has come. */
export interface Arrival {
  readonly from: AvatarId;
  /** Of its message, so far. */
  readonly bytes: number;
}

export type Arrivals = ReadonlyMap<BlockId, Arrival>;

/** Code, flags, length of the header. */
const BEFORE_HEADER_BYTES = 4;

/** The Blocks that peers are in the middle of sending; of one that comes twice the first. */
export function arrivalsOf(peers: Iterable<Peer>, hash: HashFunction): Arrivals {
  const arrivals = new Map<BlockId, Arrival>();
  for (const { avatar, wire } of peers) {
    const { unfinished } = wire.inbox;
    const block = blockIn(unfinished, hash);
    if (block === null || arrivals.has(block)) continue;
    arrivals.set(block, { from: avatar, bytes: unfinished.length });
  }
  return arrivals;
}

/** @returns which Block a message begins with, if that can be told yet. */
function blockIn(message: Uint8Array, hash: HashFunction): BlockId | null {
  if (message.length < BEFORE_HEADER_BYTES || message[0] !== MESSAGE_CODES['item-block'])
    return null;
  const length = (message[2]! << 8) | message[3]!;
  const end = BEFORE_HEADER_BYTES + length;
  if (length > BLOCK_HEADER_BYTES_MAX || message.length < end) return null;
  // A Block is called by the hash of its header, signature included.
  return toHex32(hash(message.subarray(BEFORE_HEADER_BYTES, end)));
}
