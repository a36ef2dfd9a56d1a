import type { Link } from '../ports/link.ts';
import type { Session } from '../ports/session.ts';
import {
  CompressedIncoming,
  CompressedOutgoing,
  Compression,
  compressedFrameBytes,
} from './compressed-framing.ts';
import { Assembly } from './fragment.ts';
import { longestPlainBytes, plainBytesMax } from './frame-size.ts';
import type { FramingParts, Incoming, Outgoing } from './framing.ts';
import { LooseFraming } from './loose-framing.ts';
import { Outbox } from './outbox.ts';

/** How messages travel over one link. */
export interface Framing {
  readonly outgoing: Outgoing;
  readonly incoming: Incoming;
  /** Bytes that `outgoing` is given to fill. */
  readonly frameBytes: number;
  /** Null where nothing is compressed. */
  readonly compression: Compression | null;
}

/** What of a link, and of the session on it, decides how messages are framed. */
export interface FramedBy {
  readonly link: Pick<Link, 'isOrdered' | 'compresses' | 'bytesPerSecond' | 'frameBytesMax'>;
  readonly session: Pick<Session, 'maxPlainBytes' | 'sealOverheadBytes'>;
}

/** How messages travel over a link, as it carries frames. */
export function makeFraming({ link, session }: FramedBy, parts: FramingParts): Framing {
  const frameBytes = plainBytesMax(link, session);
  if (!link.isOrdered) {
    const loose = new LooseFraming(parts);
    return { outgoing: loose, incoming: loose, frameBytes, compression: null };
  }
  const outgoing = new Outbox(parts.pace);
  const incoming = new Assembly(parts.room, parts.tenant);
  if (link.compresses !== true) return { outgoing, incoming, frameBytes, compression: null };
  const { suits, most } = compressedFrameBytes(frameBytes, longestPlainBytes(link, session));
  const compressed = {
    outgoing: new CompressedOutgoing(outgoing, suits),
    incoming: new CompressedIncoming(incoming),
  };
  const compression = new Compression(compressed.outgoing, compressed.incoming);
  return { ...compressed, frameBytes: most, compression };
}
