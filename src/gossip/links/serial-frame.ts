import type { Checksum } from '../../ports/checksum.ts';
import { cobsBytesMax, cobsDecode, cobsEncode } from './cobs.ts';

/**
 * One frame of a serial line. On the line its COBS form stands between two zero bytes:
 *
 * ```
 * offset  bytes  field     meaning
 *      0      1  kind      1 hello, 2 data, 3 state, 4 end, 5 end confirmed, 6 reset;
 *                          16 more: answer at once, 32 more: ends a link frame
 *      1      2  tag       of the connection; 0 in a hello
 *      3      1  sequence  of this data frame, else of the next new one
 *      4      1  awaited   the first data frame that has not come
 *      5      1  room      data frames that are taken, from the awaited one on
 *      6      2  length    n, at most 2,048
 *      8      n  payload
 *  8 + n      4  check     CRC-32 of all before it
 * ```
 * 12 + n in all, integers big-endian.
 */
export interface SerialFrame {
  readonly kind: SerialFrameKind;
  /** Is an answer wanted at once? */
  readonly isPoll: boolean;
  /** Does a data frame end a frame of the link? */
  readonly isLast: boolean;
  readonly tag: number;
  readonly sequence: number;
  readonly awaited: number;
  readonly room: number;
  readonly payload: Uint8Array;
}

export const SERIAL_KINDS = {
  hello: 1,
  data: 2,
  state: 3,
  end: 4,
  'end-confirmed': 5,
  reset: 6,
} as const;

export type SerialFrameKind = keyof typeof SERIAL_KINDS;

const KIND_NAMES = new Map(
  Object.entries(SERIAL_KINDS).map(([name, code]) => [code as number, name as SerialFrameKind]),
);

const KIND_BITS = 15;
const POLL = 16;
const LAST = 32;

const HEADER_BYTES = 8;
const CHECK_BYTES = 4;

export const SERIAL_PAYLOAD_BYTES_MAX = 2_048;

/** What a data frame adds to its payload on the line, where the payload is short. */
export const SERIAL_OVERHEAD_BYTES = HEADER_BYTES + CHECK_BYTES + 3;

const BODY_BYTES_MAX = HEADER_BYTES + SERIAL_PAYLOAD_BYTES_MAX + CHECK_BYTES;

/** No frame is longer between its zeros. */
const STUFFED_BYTES_MAX = cobsBytesMax(BODY_BYTES_MAX);

/** @returns the frame as it goes onto the line, its zeros included. */
export function encodeSerialFrame(frame: SerialFrame, checksum: Checksum): Uint8Array {
  const { payload } = frame;
  const body = new Uint8Array(HEADER_BYTES + payload.length + CHECK_BYTES);
  const view = new DataView(body.buffer);
  const flags = (frame.isPoll ? POLL : 0) | (frame.isLast ? LAST : 0);
  view.setUint8(0, SERIAL_KINDS[frame.kind] | flags);
  view.setUint16(1, frame.tag);
  view.setUint8(3, frame.sequence);
  view.setUint8(4, frame.awaited);
  view.setUint8(5, frame.room);
  view.setUint16(6, payload.length);
  body.set(payload, HEADER_BYTES);
  const checkAt = HEADER_BYTES + payload.length;
  view.setUint32(checkAt, checksum.crc32(body.subarray(0, checkAt)));
  const line = new Uint8Array(cobsBytesMax(body.length) + 2);
  const end = cobsEncode(body, line, 1);
  return line.subarray(0, end + 1);
}

/** @param stuffed What stood between two zeros. @returns null where it is no whole frame. */
export function decodeSerialFrame(stuffed: Uint8Array, checksum: Checksum): SerialFrame | null {
  if (stuffed.length > STUFFED_BYTES_MAX) return null;
  const body = cobsDecode(stuffed);
  if (body === null || body.length < HEADER_BYTES + CHECK_BYTES) return null;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const checkAt = body.length - CHECK_BYTES;
  if (view.getUint16(6) !== checkAt - HEADER_BYTES) return null;
  if (view.getUint32(checkAt) !== checksum.crc32(body.subarray(0, checkAt))) return null;
  const first = view.getUint8(0);
  const kind = KIND_NAMES.get(first & KIND_BITS);
  if (kind === undefined || first > (KIND_BITS | POLL | LAST)) return null;
  return {
    kind,
    isPoll: (first & POLL) !== 0,
    isLast: (first & LAST) !== 0,
    tag: view.getUint16(1),
    sequence: view.getUint8(3),
    awaited: view.getUint8(4),
    room: view.getUint8(5),
    payload: body.subarray(HEADER_BYTES, checkAt),
  };
}

/**
 * Finds the frames in what a line brings, however it comes in pieces and whatever lies between
 * them. Holds at most the bytes of one frame.
 */
export class SerialFrameCutter {
  /** Runs of bytes between zeros that were no frame, and what went on too long to be one. */
  broken = 0;
  private readonly checksum: Checksum;
  private readonly held = new Uint8Array(STUFFED_BYTES_MAX);
  private heldBytes = 0;
  /** So much came without a zero that it cannot be a frame any more. */
  private isOverlong = false;

  constructor(checksum: Checksum) {
    this.checksum = checksum;
  }

  /** @returns the whole frames that these bytes complete, in order. */
  push(bytes: Uint8Array): SerialFrame[] {
    const frames: SerialFrame[] = [];
    let from = 0;
    for (let zero = bytes.indexOf(0); zero >= 0; zero = bytes.indexOf(0, from)) {
      this.hold(bytes.subarray(from, zero));
      this.cut(frames);
      from = zero + 1;
    }
    this.hold(bytes.subarray(from));
    return frames;
  }

  private hold(part: Uint8Array): void {
    if (this.isOverlong) return;
    if (this.heldBytes + part.length > STUFFED_BYTES_MAX) {
      this.broken += 1;
      this.isOverlong = true;
      this.heldBytes = 0;
      return;
    }
    this.held.set(part, this.heldBytes);
    this.heldBytes += part.length;
  }

  private cut(frames: SerialFrame[]): void {
    const isOverlong = this.isOverlong;
    const stuffed = this.held.subarray(0, this.heldBytes);
    this.heldBytes = 0;
    this.isOverlong = false;
    if (isOverlong || stuffed.length === 0) return;
    const frame = decodeSerialFrame(stuffed, this.checksum);
    if (frame === null) this.broken += 1;
    else frames.push(frame);
  }
}
