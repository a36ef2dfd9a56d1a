import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { FragmentRefusal } from './fragment.ts';
import { GOSSIP_LIMITS } from './settings.ts';

/**
 * What a sealed frame of a link that loses frames holds: pieces, one after the other, to its end;
 * each a part of a message or an acknowledgement. Numbers are big-endian.
 *
 * ```
 * offset  bytes  field    meaning, of a part
 *      0      1  kind     0 urgent, 1 bulk, 2 stream
 *      1      4  number   of this part among those of its kind, from 0
 *      5      1  behind   number less the lowest that its sender still repeats; 0 of a stream
 *      6      2  index    of this part in its message, from 0
 *      8      2  count    parts of the message, at least 1
 *     10      2  length   n: 1,100, or of the last part 1 to 1,100
 *     12      n  bytes
 *
 * offset  bytes  field    meaning, of an acknowledgement
 *      0      1  kind     128 urgent, 129 bulk
 *      1      4  next     all parts below it have come, or are waited for no more
 *      5      1  length   n, at most 32
 *      6      n  bits     bit i of byte j, from the lowest: part next + 8 j + i has come
 * ```
 */
export const PART_HEADER_BYTES = 12;
export const ACK_HEADER_BYTES = 6;
export const PART_BYTES = 1_100;

/** Parts of a kind that are repeated at most at once: what the bits and `behind` can say. */
export const WINDOW_PARTS = 256;
export const ACK_BITS_BYTES = WINDOW_PARTS / 8;

/** Urgent and bulk are repeated until they are acknowledged; a stream is sent once. */
export type LooseLane = 'urgent' | 'bulk' | 'stream';
export type RepeatedLane = 'urgent' | 'bulk';

const LANES: readonly LooseLane[] = ['urgent', 'bulk', 'stream'];
const ACK = 128;

export interface Part {
  readonly lane: LooseLane;
  readonly number: number;
  readonly behind: number;
  readonly index: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

export interface Ack {
  readonly lane: RepeatedLane;
  readonly next: number;
  readonly bits: Uint8Array;
}

/** @returns the offset after it. */
export function writePart(frame: Uint8Array, offset: number, part: Part): number {
  const view = new DataView(frame.buffer, frame.byteOffset + offset);
  view.setUint8(0, LANES.indexOf(part.lane));
  view.setUint32(1, part.number);
  view.setUint8(5, part.behind);
  view.setUint16(6, part.index);
  view.setUint16(8, part.count);
  view.setUint16(10, part.bytes.length);
  frame.set(part.bytes, offset + PART_HEADER_BYTES);
  return offset + PART_HEADER_BYTES + part.bytes.length;
}

/** @returns the offset after it. */
export function writeAck(frame: Uint8Array, offset: number, ack: Ack): number {
  const view = new DataView(frame.buffer, frame.byteOffset + offset);
  view.setUint8(0, ACK | LANES.indexOf(ack.lane));
  view.setUint32(1, ack.next);
  view.setUint8(5, ack.bits.length);
  frame.set(ack.bits, offset + ACK_HEADER_BYTES);
  return offset + ACK_HEADER_BYTES + ack.bits.length;
}

/** Parts of the longest message of a lane. */
export function partsMax(lane: LooseLane): number {
  const bytes = lane === 'urgent' ? GOSSIP_LIMITS.urgentBytesMax : GOSSIP_LIMITS.bulkBytesMax;
  return Math.ceil(bytes / PART_BYTES);
}

export interface Pieces {
  readonly parts: Part[];
  readonly acks: Ack[];
}

/** Takes a frame apart; the bytes are views of it. */
export function readPieces(frame: Uint8Array): Verdict<Pieces, FragmentRefusal> {
  const pieces: Pieces = { parts: [], acks: [] };
  let offset = 0;
  while (offset < frame.length) {
    const rest = frame.subarray(offset);
    const length = rest[0]! >= ACK ? readAck(rest, pieces) : readPart(rest, pieces);
    if (typeof length !== 'number') return refuse(length.reason);
    offset += length;
  }
  return accept(pieces);
}

/** @returns the bytes used, or what is wrong. */
function readPart(rest: Uint8Array, { parts }: Pieces): number | { reason: FragmentRefusal } {
  const lane = LANES[rest[0]!];
  if (rest.length <= PART_HEADER_BYTES || lane === undefined) return MALFORMED;
  const view = new DataView(rest.buffer, rest.byteOffset);
  const [index, count] = [view.getUint16(6), view.getUint16(8)];
  const length = view.getUint16(10);
  const isLast = index === count - 1;
  const isFilled = length === PART_BYTES || (isLast && length > 0 && length < PART_BYTES);
  if (index >= count || !isFilled) return MALFORMED;
  if (count > partsMax(lane)) return { reason: 'message-too-long' };
  const used = PART_HEADER_BYTES + length;
  const [number, behind] = [view.getUint32(1), view.getUint8(5)];
  if (used > rest.length || number < index || number < behind) return MALFORMED;
  const bytes = rest.subarray(PART_HEADER_BYTES, used);
  parts.push({ lane, number, behind, index, count, bytes });
  return used;
}

function readAck(rest: Uint8Array, { acks }: Pieces): number | { reason: FragmentRefusal } {
  const lane = LANES[rest[0]! - ACK];
  if (lane !== 'urgent' && lane !== 'bulk') return MALFORMED;
  if (rest.length < ACK_HEADER_BYTES) return MALFORMED;
  const length = rest[5]!;
  const used = ACK_HEADER_BYTES + length;
  if (length > ACK_BITS_BYTES || used > rest.length) return MALFORMED;
  const next = new DataView(rest.buffer, rest.byteOffset).getUint32(1);
  acks.push({ lane, next, bits: rest.slice(ACK_HEADER_BYTES, used) });
  return used;
}

const MALFORMED = { reason: 'fragment-malformed' } as const;
