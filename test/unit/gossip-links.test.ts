import { describe, expect, it } from 'vitest';
import { LinkError, type LinkKind } from '../../src/ports/link.ts';
import { House, isLinked, type Resident } from './gossip-house.ts';
import { Line } from './gossip-line.ts';
import { idOf, noteOf } from './gossip-samples.ts';

const GROUP = idOf('group');
const PULLED = new LinkError('LINK_RESET', 'the cable was pulled out');

interface Household {
  readonly house: House;
  readonly a: Resident;
  readonly b: Resident;
  readonly serial: Line;
}

/** Two that can reach each other in memory and over a serial line. */
async function household(bytesPerSecond: number | null = 11_520): Promise<Household> {
  const house = new House();
  const kind: LinkKind = 'serial';
  const serial = new Line(house.network, { kind, bytesPerSecond, timers: house.stage });
  const [a, b] = [
    await house.add('a', {}, { transports: [serial] }),
    await house.add('b', {}, { transports: [serial] }),
  ];
  await b.mesh.listen('serial:b-cable');
  return { house, a, b, serial };
}

function kindOf(from: Resident, to: Resident): string | undefined {
  return from.mesh.status().peers.find((each) => each.peer === to.id)?.kind;
}

function standBys(from: Resident): string[][] {
  return from.mesh.status().peers.map((each) => each.standBy.map(({ kind }) => kind));
}

async function linkBoth({ house, a, b }: Household): Promise<void> {
  a.mesh.dial('serial:b-cable');
  a.mesh.dial('memory:b');
  const both = [a, b];
  await house.stage.until(() => both.every((each) => standBys(each)[0]?.length === 1));
  await house.stage.settle();
}

describe('two Avatars with links of two kinds', () => {
  it('use the better one at both ends, whichever was first, and keep the other open', async () => {
    const kinds = ['serial', 'memory'] as const;
    for (const first of kinds) {
      const { house, a, b } = await household();
      const other = kinds.find((each) => each !== first)!;
      const urls = { serial: 'serial:b-cable', memory: 'memory:b' };
      a.mesh.dial(urls[first]);
      await house.stage.until(() => isLinked(a, b) && isLinked(b, a));
      expect([kindOf(a, b), kindOf(b, a)]).toEqual([first, first]);
      a.mesh.dial(urls[other]);
      await house.stage.advance(60_000);
      expect([kindOf(a, b), kindOf(b, a)]).toEqual(['memory', 'memory']);
      expect([...standBys(a), ...standBys(b)]).toEqual([['serial'], ['serial']]);
      const states = a.mesh.status().dialling.map((each) => each.state);
      expect(states).toEqual(['linked', 'linked']);
    }
  });

  it('leave one that is silent for the one that stands by, within seconds', async () => {
    const all = await household();
    const { house, a, b } = all;
    await linkBoth(all);
    await house.stage.advance(300_000);
    expect([kindOf(a, b), kindOf(b, a)]).toEqual(['memory', 'memory']);
    a.cable.isCut = true;
    b.cable.isCut = true;
    await house.stage.until(() => kindOf(a, b) === 'serial' && kindOf(b, a) === 'serial', 25_000);
    a.holder.issue(GROUP);
    b.holder.issue(GROUP);
    await house.stage.advance(5_000);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(1);
    expect(a.holder.sequenceOf(GROUP, b.id)).toBe(1);
    const events = [a, b].flatMap(({ holder }) => holder.events.map(({ kind }) => kind));
    expect(events).toEqual(['up', 'up']);
  });

  it('stay on the better one where neither carries anything for a while', async () => {
    const all = await household();
    const { house, a, b, serial } = all;
    await linkBoth(all);
    a.cable.isCut = true;
    b.cable.isCut = true;
    serial.isCut = true;
    await house.stage.advance(40_000);
    expect([kindOf(a, b), kindOf(b, a)]).toEqual(['memory', 'memory']);
  });

  it('go on over the one that stands by at once, without a peer going down', async () => {
    const all = await household();
    const { house, a, b } = all;
    await linkBoth(all);
    const [before] = b.mesh.status().peers;
    expect(before?.kind).toBe('memory');
    await house.network.listen('memory:nobody', () => undefined);
    b.mesh.forget('memory:b');
    a.mesh.forget('memory:b');
    a.cable.isCut = true;
    await house.stage.until(() => kindOf(a, b) === 'serial' && kindOf(b, a) === 'serial', 200_000);
    a.holder.issue(GROUP);
    b.holder.issue(GROUP);
    await house.stage.advance(5_000);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(1);
    expect(a.holder.sequenceOf(GROUP, b.id)).toBe(1);
    const downs = [a, b].flatMap((each) =>
      each.holder.events.filter(({ kind }) => kind === 'down'),
    );
    expect(downs).toEqual([]);
  });

  it('dial the better one again while the other carries them, and move back to it', async () => {
    const all = await household();
    const { house, a, b } = all;
    await linkBoth(all);
    a.cable.isCut = true;
    await house.stage.until(() => kindOf(a, b) === 'serial', 200_000);
    a.cable.isCut = false;
    await house.stage.until(() => kindOf(a, b) === 'memory' && kindOf(b, a) === 'memory');
    expect([...standBys(a), ...standBys(b)]).toEqual([['serial'], ['serial']]);
  });

  it('dial the other again when it ended while it stood by', async () => {
    const all = await household();
    const { house, a, b, serial } = all;
    await linkBoth(all);
    serial.unplug(PULLED);
    await house.stage.until(() => standBys(a)[0]?.length === 0);
    expect(kindOf(a, b)).toBe('memory');
    await house.stage.until(() => standBys(a)[0]?.length === 1 && standBys(b)[0]?.length === 1);
  });

  it('lose nothing of what is said while they move to a better one', async () => {
    const { house, a, b } = await household(960);
    // Without digests nothing is asked for twice: what a link loses stays lost.
    for (const each of [a, b]) each.holder.digest = () => [];
    a.mesh.dial('serial:b-cable');
    await house.stage.until(() => isLinked(a, b) && isLinked(b, a));
    for (let turn = 1; turn <= 200; turn++) {
      for (const each of [a, b]) {
        each.mesh.broadcast({ kind: 'ballot-note', note: noteOf(GROUP, each.id, turn) });
      }
      if (turn === 100) {
        expect(a.mesh.status().peers[0]!.queuedBytes).toBeGreaterThan(1_000);
        a.mesh.dial('memory:b');
      }
      await house.stage.advance(20);
    }
    expect(kindOf(a, b)).toBe('memory');
    await house.stage.advance(120_000);
    expect([b.holder.delivered.size, a.holder.delivered.size]).toEqual([200, 200]);
  });

  it('say nothing on the one that stands by but signs of life', async () => {
    const all = await household(null);
    const { house, a, b } = all;
    await linkBoth(all);
    const before = a.mesh.status().peers[0]!.standBy[0]!.counters.bytesSent;
    for (let count = 0; count < 50; count++) {
      a.holder.issue(GROUP, new Uint8Array(5_000));
      await house.stage.settle();
    }
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(50);
    expect(a.mesh.status().peers[0]!.standBy[0]!.counters.bytesSent).toBe(before);
  });
});
