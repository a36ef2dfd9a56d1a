/**
 * What one packet of a link over a broker says, sealed:
 *
 * ```
 * offset  bytes  field  meaning
 *      0      1  kind   1 frame, 2 acknowledgement alone, 3 close in peace, 4 reset
 *      1      6  heard  packets of the other end that came
 *      7      6  taken  frames of the other end that were handed over: so many more may come
 *     13      n  frame  of kind 1, else nothing
 * ```
 * 13 + n bytes.
 */
export interface Packet {
  readonly kind: PacketKind;
  readonly heard: number;
  readonly taken: number;
  readonly frame: Uint8Array;
}

const KINDS = ['frame', 'acknowledgement', 'close', 'reset'] as const;

type PacketKind = (typeof KINDS)[number];

export const FRAME_BYTES_MAX = 65_535;

/**
 * Frames, and bytes of them, on their way to the other end before it said that it took some. So
 * few that 64 peers together do not fill a broker's queue for one of them, which often holds 1,000
 * messages; part of the wire format.
 */
export const WINDOW_FRAMES = 16;
export const WINDOW_BYTES = 256 * 1024;

export const PACKET_HEAD_BYTES = 13;
const COUNT_BYTES = 6;
const AT = { heard: 1, taken: 7 } as const;
export const NO_FRAME = new Uint8Array(0);

export function encodePacket({ kind, heard, taken, frame }: Packet): Uint8Array {
  const bytes = Buffer.allocUnsafe(PACKET_HEAD_BYTES + frame.length);
  bytes.writeUInt8(KINDS.indexOf(kind) + 1, 0);
  bytes.writeUIntBE(heard, AT.heard, COUNT_BYTES);
  bytes.writeUIntBE(taken, AT.taken, COUNT_BYTES);
  bytes.set(frame, PACKET_HEAD_BYTES);
  return bytes;
}

/** @returns null for what no honest end says. The frame lies in the bytes given. */
export function decodePacket(plain: Uint8Array): Packet | null {
  if (plain.length < PACKET_HEAD_BYTES) return null;
  const bytes = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
  const kind = KINDS[bytes.readUInt8(0) - 1];
  if (kind === undefined) return null;
  if (kind !== 'frame' && plain.length > PACKET_HEAD_BYTES) return null;
  return {
    kind,
    heard: bytes.readUIntBE(AT.heard, COUNT_BYTES),
    taken: bytes.readUIntBE(AT.taken, COUNT_BYTES),
    frame: plain.subarray(PACKET_HEAD_BYTES),
  };
}
