import { describe, expect, it } from 'vitest';
import { Overlay } from '../../src/gossip/links/overlay.ts';
import { Crowd, CrowdTransport, type Guest, inboxOf } from './gossip-crowd.ts';
import { House, type Resident } from './gossip-house.ts';
import { idOf } from './gossip-samples.ts';
import { VirtualTime } from './virtual-time.ts';

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** How many are reached from any one of them, and in how many steps the last. */
function reachOf(graph: Graph): { reached: number; steps: number } {
  const [first] = graph.keys();
  const seen = new Set([first!]);
  let steps = 0;
  for (let edge = [first!]; edge.length > 0; steps++) {
    const next = new Set(edge.flatMap((each) => [...graph.get(each)!]));
    edge = [...next].filter((each) => !seen.has(each));
    for (const each of edge) seen.add(each);
  }
  return { reached: seen.size, steps: steps - 1 };
}

function mostOf(graph: Graph): number {
  return Math.max(...[...graph.values()].map((each) => each.size));
}

/** What each of them chooses when all know of all. */
function choices(count: number, peersMax?: number): Graph {
  const ids = Array.from({ length: count }, (_, index) => inboxOf(`${index}`));
  return new Map(
    ids.map((self) => {
      const overlay = new Overlay(self, peersMax);
      for (const id of ids) if (id !== self) overlay.add(id);
      return [self, overlay.choose()];
    }),
  );
}

describe('whom one is linked to', () => {
  it('are all others while they are few', () => {
    for (const count of [2, 17, 49]) {
      expect([...choices(count).values()].every((each) => each.size === count - 1)).toBe(true);
    }
  });

  it.each([
    [50, 64, 16],
    [120, 64, 16],
    [300, 64, 16],
    [100, 32, 16],
    [100, 16, 8],
    [100, 6, 4],
  ])('of %i with %i places are at most %i, and all are joined', (count, places, most) => {
    const graph = choices(count, places);
    expect(mostOf(graph)).toBeLessThanOrEqual(most);
    const { reached, steps } = reachOf(graph);
    expect(reached).toBe(count);
    expect(steps).toBeLessThanOrEqual(most > 4 ? 6 : 12);
  });

  it('is the same choice at both ends', () => {
    const graph = choices(120);
    for (const [self, chosen] of graph) {
      for (const other of chosen) expect(graph.get(other)!.has(self)).toBe(true);
    }
  });

  it('changes for a few alone when one more comes', () => {
    const [before, after] = [choices(150), choices(151)];
    const changed = [...before].filter(([self, chosen]) => {
      const now = after.get(self)!;
      return [...chosen].some((each) => !now.has(each));
    });
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.length).toBeLessThanOrEqual(16);
  });

  it('does not go to and fro where one comes and goes', () => {
    const overlay = new Overlay(inboxOf('self'));
    for (let count = 0; count < 48; count++) overlay.add(inboxOf(`${count}`));
    expect(overlay.choose().size).toBe(48);
    for (let turn = 0; turn < 5; turn++) {
      overlay.add(inboxOf('one more'));
      expect(overlay.choose().size).toBeLessThanOrEqual(16);
      overlay.remove(inboxOf('one more'));
      expect(overlay.choose().size).toBeLessThanOrEqual(16);
    }
    for (let count = 0; count < 16; count++) overlay.remove(inboxOf(`${count}`));
    expect(overlay.choose().size).toBe(32);
  });
});

describe('where many meet', () => {
  /** Guests who open the links that they are to open, all of which succeed. */
  function gathering() {
    const time = new VirtualTime();
    const crowd = new Crowd(time);
    const links = new Map<string, Set<string>>();
    const guests: Guest[] = [];
    const seen = { opened: 0, closed: 0 };
    const join = (name: string) => {
      const self = inboxOf(name);
      links.set(self, new Set());
      const onFound = (other: string) => {
        seen.opened += 1;
        links.get(self)!.add(other);
        links.get(other)?.add(self);
      };
      const onLost = (other: string) => {
        if (links.get(self)?.delete(other)) seen.closed += 1;
        links.get(other)?.delete(self);
      };
      guests.push(crowd.join(name, { onFound, onLost }));
    };
    const leave = (guest: Guest) => {
      links.delete(guest.inbox);
      for (const each of links.values()) each.delete(guest.inbox);
      crowd.leave(guest);
    };
    return { time, links, guests, seen, join, leave };
  }

  it('who come one after the other are joined at all times, and few links are for nothing', () => {
    const { time, links, seen, join } = gathering();
    for (let count = 0; count < 120; count++) {
      join(`${count}`);
      time.pass(2_000);
      expect(reachOf(links).reached).toBe(count + 1);
      expect(mostOf(links)).toBeLessThanOrEqual(48);
    }
    expect(mostOf(links)).toBeLessThanOrEqual(16);
    // All to all up to 49, then each opens its 16, and its neighbours have as many too many.
    expect(seen.opened).toBeLessThanOrEqual((49 * 48) / 2 + 71 * 2 * 16);
    const { opened } = seen;
    time.pass(3_600_000);
    expect(seen.opened).toBe(opened);
  });

  it('who come at once are joined a moment later, and nobody opens more than it needs', () => {
    const { time, links, seen, join } = gathering();
    for (let count = 0; count < 120; count++) join(`${count}`);
    time.pass(5_000);
    expect(reachOf(links).reached).toBe(120);
    expect(mostOf(links)).toBeLessThanOrEqual(16);
    expect(seen.opened).toBeLessThanOrEqual(120 * 32);
  });

  it('a third of them may go at once', () => {
    const { time, links, guests, join, leave } = gathering();
    for (let count = 0; count < 150; count++) join(`${count}`);
    time.pass(5_000);
    for (const each of guests.slice(0, 50)) leave(each);
    time.pass(5_000);
    expect(reachOf(links).reached).toBe(100);
    expect(mostOf(links)).toBeLessThanOrEqual(16);
  });
});

describe('more in one World than anybody may have peers', () => {
  it('have few links each, hear of everything, and dial nobody in vain', async () => {
    const house = new House();
    const crowd = new Crowd(house.stage);
    const options = { tally: { dials: 0 }, peersMax: 16 };
    const all: Resident[] = [];
    for (let count = 0; count < 30; count++) {
      const transports = [new CrowdTransport(house.network, crowd, options)];
      const resident = await house.add(`${count}`, { peersMax: 16 }, { transports });
      await resident.mesh.listen(`crowd:place ${count}`);
      all.push(resident);
    }
    await house.stage.advance(10_000);
    const group = idOf('group');
    all[0]!.holder.issue(group);
    const has = ({ holder }: Resident) => holder.sequenceOf(group, all[0]!.id) === 1;
    await house.stage.until(() => all.every(has), 60_000, 200);
    const degrees = all.map(({ mesh }) => mesh.status().peers.length);
    expect(Math.min(...degrees)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...degrees)).toBeLessThanOrEqual(8);
    const { dials } = options.tally;
    expect(dials).toBeLessThanOrEqual(30 * 16);
    await house.stage.advance(60_000);
    expect(options.tally.dials).toBe(dials);
  });
});
