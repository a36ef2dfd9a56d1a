import type { Link } from '../ports/link.ts';
import type { Session } from '../ports/session.ts';

/** How long one frame may keep what is urgent waiting on a slow wire, in milliseconds. */
const FRAME_MS = 48;

/**
 * Below this the seal and the rest of what surrounds a frame take more than a tenth of the wire.
 * Where even such a frame takes longer than `SLOWEST_MS`, a quick word counts for more.
 */
const THRIFTY_BYTES = 360;
const SLOWEST_MS = 400;

const FRAME_BYTES_MIN = 120;
const FRAME_BYTES_MAX = 2_048;

/**
 * The length of a sealed frame that suits a wire of so many bytes a second: short enough that what
 * is urgent need not wait long for a frame of bulk, long enough that little of the wire goes into
 * seals. No limit: a link takes longer ones.
 */
export function frameBytesFor(bytesPerSecond: number): number {
  const quick = (bytesPerSecond * FRAME_MS) / 1_000;
  const slow = (bytesPerSecond * SLOWEST_MS) / 1_000;
  const least = Math.min(THRIFTY_BYTES, Math.max(FRAME_BYTES_MIN, slow));
  return Math.floor(Math.min(FRAME_BYTES_MAX, Math.max(least, quick)));
}

/** Plain bytes that a session puts into one frame of a link at most. */
export function plainBytesMax(
  link: Pick<Link, 'frameBytesMax' | 'bytesPerSecond' | 'isOrdered'>,
  session: Pick<Session, 'maxPlainBytes' | 'sealOverheadBytes'>,
): number {
  const { frameBytesMax, bytesPerSecond, isOrdered } = link;
  // Where frames may be lost, messages are cut into parts of one length, whatever the rate.
  const isAsLong = bytesPerSecond === null || !isOrdered;
  const suits = isAsLong ? frameBytesMax : frameBytesFor(bytesPerSecond);
  return Math.min(
    session.maxPlainBytes,
    Math.min(frameBytesMax, suits) - session.sealOverheadBytes,
  );
}
