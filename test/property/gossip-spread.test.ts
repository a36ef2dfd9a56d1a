import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseLink, type LinkFacts } from '../../src/gossip/link-choice.ts';
import { Spread } from '../../src/gossip/spread.ts';
import type { AvatarId } from '../../src/model/sync-group.ts';
import { idOf } from '../unit/gossip-samples.ts';

/** Who is linked to whom: a tree, so that all are connected, and some links more. */
const graph = fc
  .integer({ min: 2, max: 9 })
  .chain((count) =>
    fc.record({
      count: fc.constant(count),
      parents: fc.array(fc.nat(), { minLength: count, maxLength: count }),
      more: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 20 }),
    }),
  )
  .map(({ count, parents, more }) => {
    const links = Array.from({ length: count }, () => new Set<number>());
    const tie = (a: number, b: number) => {
      if (a === b) return;
      links[a]!.add(b);
      links[b]!.add(a);
    };
    for (let node = 1; node < count; node++) tie(node, parents[node]! % node);
    for (const [a, b] of more) tie(a, b);
    return links;
  });

function avatarOf(node: number): AvatarId {
  return idOf(`node ${node}`);
}

/** Sends one item from `origin` and counts how often each node gets it, in an order of `pick`. */
function spreadOver(
  links: readonly ReadonlySet<number>[],
  origin: number,
  pick: (count: number) => number,
): number[] {
  const nodes = links.map((peers) => {
    const spread = new Spread(100);
    for (const peer of peers) {
      spread.addPeer(avatarOf(peer));
      spread.setNeighbours(avatarOf(peer), [...links[peer]!].map(avatarOf));
    }
    return spread;
  });
  const numberOf = new Map(links.map((_, node) => [avatarOf(node), node] as const));
  const got = links.map(() => 0);
  const travelling: { from: number; to: number }[] = [];
  const tell = (node: number, from: number | null) => {
    const sender = from === null ? null : avatarOf(from);
    for (const peer of nodes[node]!.tell('item', avatarOf(origin), sender)) {
      travelling.push({ from: node, to: numberOf.get(peer)! });
    }
  };
  tell(origin, null);
  while (travelling.length > 0) {
    const [next] = travelling.splice(pick(travelling.length), 1);
    const { from, to } = next!;
    got[to]! += 1;
    nodes[to]!.saw(avatarOf(from), 'item');
    if (got[to] === 1) tell(to, from);
  }
  return got;
}

describe('an item', () => {
  it('reaches everybody over any links, in any order of arrival', () => {
    fc.assert(
      fc.property(graph, fc.nat(), fc.infiniteStream(fc.nat()), (links, origin, chance) => {
        const from = origin % links.length;
        const got = spreadOver(links, from, (count) => (chance.next().value ?? 0) % count);
        for (const [node, times] of got.entries()) {
          if (node !== from) expect(times).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('comes to each exactly once where all are linked to the origin', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.nat(), (count, origin) => {
        const all = Array.from({ length: count }, (_, node) => node);
        const links = all.map((node) => new Set(all.filter((each) => each !== node)));
        const got = spreadOver(links, origin % count, () => 0);
        expect(got).toEqual(all.map((node) => (node === origin % count ? 0 : 1)));
      }),
    );
  });

  it('never goes back to whom it came from, nor to its origin', () => {
    const spread = new Spread(10);
    for (const node of [1, 2, 3]) spread.addPeer(avatarOf(node));
    expect(spread.tell('x', avatarOf(1), avatarOf(2))).toEqual([avatarOf(3)]);
    expect(spread.tell('x', avatarOf(1), avatarOf(2))).toEqual([]);
    spread.removePeer(avatarOf(3));
    spread.addPeer(avatarOf(3));
    expect(spread.tell('x', avatarOf(1), avatarOf(2))).toEqual([avatarOf(3)]);
  });
});

/** Two processes with links between them; each link has been opened and greeted at both ends. */
interface TwoEnds {
  readonly atLower: LinkFacts;
  readonly atHigher: LinkFacts;
}

/** The best liked first. */
const KINDS: readonly LinkFacts['kind'][] = ['memory', 'tcp', 'mqtt', 'udp', 'serial'];

const pairOfEnds = fc
  .array(fc.tuple(fc.boolean(), fc.constantFrom(...KINDS)), { minLength: 1, maxLength: 6 })
  .chain((openedByLower) => {
    const count = openedByLower.length;
    const order = fc.shuffledSubarray(
      Array.from({ length: count }, (_, index) => index),
      { minLength: count, maxLength: count },
    );
    return fc.tuple(fc.constant(openedByLower), order, order);
  })
  .map(([openedByLower, lowerOrder, higherOrder]): TwoEnds[] => {
    const heldAt = (order: readonly number[], link: number) =>
      order.slice(0, order.indexOf(link)).map((each) => order.indexOf(each) + 1);
    return openedByLower.map(([byLower, kind], link) => {
      const lower = lowerOrder.indexOf(link) + 1;
      const higher = higherOrder.indexOf(link) + 1;
      const said = (incarnation: string, ordinal: number, held: readonly number[]) => {
        return { incarnation, ordinal, held };
      };
      return {
        atLower: {
          kind,
          initiator: byLower,
          ordinal: lower,
          greeting: said('higher', higher, heldAt(higherOrder, link)),
        },
        atHigher: {
          kind,
          initiator: !byLower,
          ordinal: higher,
          greeting: said('lower', lower, heldAt(lowerOrder, link)),
        },
      };
    });
  });

describe('of several links between two Avatars', () => {
  const kind = 'tcp';

  it('both ends keep the same one, in whatever order each saw them open', () => {
    fc.assert(
      fc.property(pairOfEnds, (ends) => {
        const atLower = ends.map((each) => each.atLower);
        const atHigher = ends.map((each) => each.atHigher);
        const lower = chooseLink(atLower, { weAreLower: true });
        const higher = chooseLink(atHigher, { weAreLower: false });
        expect(atLower.indexOf(lower.keep!)).toBe(atHigher.indexOf(higher.keep!));
        expect([lower.stale, higher.stale]).toEqual([[], []]);
        const places = (links: LinkFacts[], of: LinkFacts[]) =>
          links.map((each) => of.indexOf(each));
        expect(places(lower.standBy, atLower)).toEqual(places(higher.standBy, atHigher));
        const kinds = new Set(atLower.map((each) => each.kind));
        expect(lower.standBy.length).toBe(kinds.size - 1);
        expect(lower.duplicates.length).toBe(ends.length - kinds.size);
        for (const kind of KINDS.slice(0, KINDS.indexOf(lower.keep!.kind))) {
          expect(kinds).not.toContain(kind);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('a link of an earlier process of the other end is stale', () => {
    const said = (incarnation: string, ordinal: number) => ({ incarnation, ordinal, held: [] });
    const old: LinkFacts = { kind, initiator: true, ordinal: 1, greeting: said('before', 9) };
    const now: LinkFacts = { kind, initiator: false, ordinal: 2, greeting: said('after', 1) };
    for (const weAreLower of [true, false]) {
      expect(chooseLink([old, now], { weAreLower })).toEqual({
        keep: now,
        standBy: [],
        duplicates: [],
        stale: [old],
      });
    }
  });

  it('a link that the other end no longer held when it opened a later one is stale', () => {
    const said = (ordinal: number, held: readonly number[]) => {
      return { incarnation: 'same', ordinal, held };
    };
    const old: LinkFacts = { kind, initiator: true, ordinal: 1, greeting: said(5, []) };
    const gone: LinkFacts = { kind, initiator: false, ordinal: 2, greeting: said(6, []) };
    const held: LinkFacts = { kind, initiator: false, ordinal: 2, greeting: said(6, [5]) };
    expect(chooseLink([old, gone], { weAreLower: true }).stale).toEqual([old]);
    expect(chooseLink([old, held], { weAreLower: true })).toMatchObject({ keep: old, stale: [] });
  });

  it('none is used before the other end has greeted on it', () => {
    const silent: LinkFacts = { kind, initiator: true, ordinal: 1, greeting: null };
    expect(chooseLink([silent], { weAreLower: true }).keep).toBeNull();
  });
});
