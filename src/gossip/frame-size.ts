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

/** Plain bytes that a session puts into one frame of a link at most, so that the frame suits it. */
export function plainBytesMax(
  link: Pick<Link, 'frameBytesMax' | 'bytesPerSecond' | 'isOrdered'>,
  session: Pick<Session, 'maxPlainBytes' | 'sealOverheadBytes'>,
): number {
  const { bytesPerSecond, isOrdered } = link;
  const longest = longestPlainBytes(link, session);
  // Where frames may be lost, messages are cut into parts of one length, whatever the rate.
  if (bytesPerSecond === null || !isOrdered) return longest;
  return Math.min(longest, frameBytesFor(bytesPerSecond) - session.sealOverheadBytes);
}

/** Plain bytes that fit into one frame of a link, whatever its rate. */
export function longestPlainBytes(
  link: Pick<Link, 'frameBytesMax'>,
  session: Pick<Session, 'maxPlainBytes' | 'sealOverheadBytes'>,
): number {
  return Math.min(session.maxPlainBytes, link.frameBytesMax - session.sealOverheadBytes);
}
