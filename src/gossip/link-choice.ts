import type { LinkKind } from '../ports/link.ts';

/**
 * Kinds of links, the best liked first: what carries much and loses nothing, then what needs a
 * broker, then what may lose frames, then what carries little.
 */
const KINDS_BY_LIKING: readonly LinkKind[] = ['memory', 'tcp', 'mqtt', 'udp', 'serial'];

/** What is known of one of several links to the same Avatar. */
export interface LinkFacts {
  readonly kind: LinkKind;
  /** Did we open it? */
  readonly initiator: boolean;
  /** The how manyeth session of our process it is. */
  readonly ordinal: number;
  /** What the other end said of it, or null while it has said nothing. */
  readonly greeting: {
    readonly incarnation: string;
    readonly ordinal: number;
    readonly held: readonly number[];
  } | null;
}

export interface LinkChoice<Link> {
  /** The one to use; null while none has been greeted. */
  readonly keep: Link | null;
  /** The best of each less liked kind: kept open and idle, to go on with when `keep` ends. */
  readonly standBy: Link[];
  /** Alive but not needed: the end with the lower Avatar id closes them. */
  readonly duplicates: Link[];
  /** Known to be dead at the other end. */
  readonly stale: Link[];
}

/**
 * Chooses among links between the same two Avatars; both ends come to the same choice.
 *
 * A link is dead when the other end has started anew since, or has opened a later one and did not
 * name this one among those it held then. Of the others one of the best liked kind is used, and one
 * of each other kind stands by: that which the lower Avatar id opened, of several such the first.
 */
export function chooseLink<Link extends LinkFacts>(
  links: readonly Link[],
  { weAreLower }: { readonly weAreLower: boolean },
): LinkChoice<Link> {
  const greeted = links
    .filter((each) => each.greeting !== null)
    .sort((a, b) => a.ordinal - b.ordinal);
  const newest = greeted.at(-1);
  const stale = greeted.filter((each) => isStale(each, greeted, newest));
  const alive = greeted
    .filter((each) => !stale.includes(each))
    .sort((a, b) => rank(a, weAreLower) - rank(b, weAreLower) || initiated(a) - initiated(b));
  const [keep, ...standBy] = KINDS_BY_LIKING.flatMap(
    (kind) => alive.find((each) => each.kind === kind) ?? [],
  );
  const duplicates = alive.filter((each) => each !== keep && !standBy.includes(each));
  return { keep: keep ?? null, standBy, duplicates, stale };
}

function isStale(link: LinkFacts, greeted: readonly LinkFacts[], newest?: LinkFacts): boolean {
  const said = link.greeting;
  if (said === null) return false;
  if (said.incarnation !== newest?.greeting?.incarnation) return true;
  return greeted.some(({ greeting: later }) => {
    if (later === null || later.incarnation !== said.incarnation) return false;
    return later.ordinal > said.ordinal && !later.held.includes(said.ordinal);
  });
}

function rank(link: LinkFacts, weAreLower: boolean): number {
  return link.initiator === weAreLower ? 0 : 1;
}

/** The number that its initiator gave the link: the same at both ends. */
function initiated(link: LinkFacts): number {
  return link.initiator ? link.ordinal : (link.greeting?.ordinal ?? 0);
}
