/**
 * What one UDP datagram of a link holds. Numbers are big-endian; `id` is drawn by the end that
 * dials, and only who saw a datagram of the link knows it.
 *
 * ```
 * kind    bytes   content after kind (1) and id (8)
 * hello   33      24 of padding: an answer is never longer than what asked for it
 * cookie  25      16: proves, sent back, that the dialler is at its address
 * open    25      16 cookie
 * accept   9
 * frame   13 + n  4 sequence, from 0; the frame
 * heard   17      4 one above the highest sequence that came; 4 frames that came in all
 * end     14      1: 0 in peace, 1 given up; 4 one above the last sequence that was sent
 * ended    9
 * ```
 */
export const KINDS = {
  hello: 1,
  cookie: 2,
  open: 3,
  accept: 4,
  frame: 5,
  heard: 6,
  end: 7,
  ended: 8,
} as const;

export type DatagramKind = keyof typeof KINDS;

export const ID_BYTES = 8;
export const COOKIE_BYTES = 16;
const HEAD_BYTES = 1 + ID_BYTES;
const HELLO_PADDING_BYTES = 24;

/** Before the frame. */
export const FRAME_HEAD_BYTES = HEAD_BYTES + 4;

/** With 48 bytes of IPv6 and UDP before it a datagram passes wherever IPv6 does (1,280 bytes). */
export const UDP_FRAME_BYTES_MAX = 1_184;

/** Least and, where it differs, most bytes after the head. */
const LENGTHS: Readonly<Record<DatagramKind, readonly [number, number]>> = {
  hello: [HELLO_PADDING_BYTES, HELLO_PADDING_BYTES],
  cookie: [COOKIE_BYTES, COOKIE_BYTES],
  open: [COOKIE_BYTES, COOKIE_BYTES],
  accept: [0, 0],
  frame: [4, 4 + UDP_FRAME_BYTES_MAX],
  heard: [8, 8],
  end: [5, 5],
  ended: [0, 0],
};

const NAMES = new Map(Object.entries(KINDS).map(([name, code]) => [code, name as DatagramKind]));

export interface Datagram {
  readonly kind: DatagramKind;
  /** 16 hex digits. */
  readonly id: string;
  /** A view of what came. */
  readonly rest: Uint8Array;
}

/** @returns null for what is no datagram of a link. */
export function readDatagram(bytes: Uint8Array): Datagram | null {
  const kind = NAMES.get(bytes[0] as (typeof KINDS)[DatagramKind]);
  if (kind === undefined || bytes.length < HEAD_BYTES) return null;
  const rest = bytes.subarray(HEAD_BYTES);
  const [least, most] = LENGTHS[kind];
  if (rest.length < least || rest.length > most) return null;
  const id = Buffer.from(bytes.buffer, bytes.byteOffset + 1, ID_BYTES).toString('hex');
  return { kind, id, rest };
}

function headed(kind: DatagramKind, id: string, restBytes: number): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES + restBytes);
  bytes[0] = KINDS[kind];
  bytes.write(id, 1, 'hex');
  return bytes;
}

export function helloOf(id: string): Buffer {
  return headed('hello', id, HELLO_PADDING_BYTES);
}

export function plainOf(kind: 'accept' | 'ended', id: string): Buffer {
  return headed(kind, id, 0);
}

export function cookieOf(kind: 'cookie' | 'open', id: string, cookie: Uint8Array): Buffer {
  const bytes = headed(kind, id, COOKIE_BYTES);
  bytes.set(cookie, HEAD_BYTES);
  return bytes;
}

export function frameOf(id: string, sequence: number, frame: Uint8Array): Buffer {
  const bytes = headed('frame', id, 4 + frame.length);
  bytes.writeUInt32BE(sequence, HEAD_BYTES);
  bytes.set(frame, FRAME_HEAD_BYTES);
  return bytes;
}

export function heardOf(id: string, next: number, count: number): Buffer {
  const bytes = headed('heard', id, 8);
  bytes.writeUInt32BE(next >>> 0, HEAD_BYTES);
  bytes.writeUInt32BE(count >>> 0, HEAD_BYTES + 4);
  return bytes;
}

export function endOf(id: string, isGivenUp: boolean, next: number): Buffer {
  const bytes = headed('end', id, 5);
  bytes[HEAD_BYTES] = isGivenUp ? 1 : 0;
  bytes.writeUInt32BE(next >>> 0, HEAD_BYTES + 1);
  return bytes;
}

/** A number of four bytes in what `readDatagram` left. */
export function numberAt(rest: Uint8Array, offset: number): number {
  return new DataView(rest.buffer, rest.byteOffset).getUint32(offset);
}
