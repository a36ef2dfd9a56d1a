/** What is known of one of several links to the same Avatar. */
export interface LinkFacts {
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
  /** Alive but not needed: the end with the lower Avatar id closes them. */
  readonly duplicates: Link[];
  /** Known to be dead at the other end. */
  readonly stale: Link[];
}

/**
 * Chooses among links between the same two Avatars; both ends come to the same choice.
 *
 * A link is dead when the other end has started anew since, or has opened a later one and did not
 * name this one among those it held then. Of the others the one stays that the lower Avatar id
 * opened, and of several such the first.
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
  const [keep, ...duplicates] = greeted
    .filter((each) => !stale.includes(each))
    .sort((a, b) => rank(a, weAreLower) - rank(b, weAreLower) || initiated(a) - initiated(b));
  return { keep: keep ?? null, duplicates, stale };
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
