import type { Link } from '../ports/link.ts';
import { Assembly } from './fragment.ts';
import type { FramingParts, Incoming, Outgoing } from './framing.ts';
import { LooseFraming } from './loose-framing.ts';
import { Outbox } from './outbox.ts';

/** How messages travel over a link, as it carries frames. */
export function makeFraming(
  link: Pick<Link, 'isOrdered'>,
  parts: FramingParts,
): { readonly outgoing: Outgoing; readonly incoming: Incoming } {
  if (link.isOrdered) {
    return { outgoing: new Outbox(parts.pace), incoming: new Assembly(parts.room, parts.tenant) };
  }
  const loose = new LooseFraming(parts);
  return { outgoing: loose, incoming: loose };
}
