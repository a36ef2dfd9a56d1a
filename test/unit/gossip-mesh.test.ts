import { describe, expect, it } from 'vitest';
import { keyOf } from '../../src/gossip/item.ts';
import type { GroupId } from '../../src/model/sync-group.ts';
import { House, isLinked, type Resident } from './gossip-house.ts';
import { idOf, noteOf, payloadOf } from './gossip-samples.ts';

const GROUP: GroupId = idOf('group');

async function three(house: House): Promise<[Resident, Resident, Resident]> {
  return [await house.add('a'), await house.add('b'), await house.add('c')];
}

describe('a mesh of memory links', () => {
  it('brings what one issues to all, and nothing twice where all are linked', async () => {
    const house = new House();
    const [a, b, c] = await three(house);
    await house.link(a, b);
    await house.link(b, c);
    await house.link(a, c);
    const block = a.holder.issue(GROUP);
    await house.stage.settle();
    for (const each of [b, c]) {
      expect(each.holder.payload(block.id)).not.toBeNull();
      expect([...each.holder.delivered.values()]).toEqual([1]);
      expect(each.mesh.status().peers.map((peer) => peer.counters.duplicates)).toEqual([0, 0]);
    }
  });

  it('brings it all the way along a line', async () => {
    const house = new House();
    const line: Resident[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) line.push(await house.add(name));
    for (const [index, each] of line.slice(1).entries()) await house.link(line[index]!, each);
    const block = line[0]!.holder.issue(GROUP);
    const note = noteOf(GROUP, line[0]!.id, 3);
    line[0]!.mesh.broadcast({ kind: 'ballot-note', note });
    await house.stage.settle();
    for (const each of line.slice(1)) {
      expect(each.holder.payload(block.id)).not.toBeNull();
      expect(each.holder.delivered.get(keyOf({ kind: 'ballot-note', note }))).toBe(1);
    }
  });

  it('gives nobody the same twice where two ways lead to it', async () => {
    const house = new House();
    const ring: Resident[] = [];
    for (const name of ['a', 'b', 'c', 'd']) ring.push(await house.add(name));
    for (let at = 0; at < 4; at++) await house.link(ring[at]!, ring[(at + 1) % 4]!);
    for (let count = 0; count < 10; count++) {
      ring[0]!.holder.issue(GROUP);
      await house.stage.settle();
    }
    const across = ring[2]!;
    expect(across.holder.sequenceOf(GROUP, ring[0]!.id)).toBe(10);
    expect([...across.holder.delivered.values()]).toEqual(new Array(10).fill(1));
    const duplicates = across.mesh.status().peers.map((each) => each.counters.duplicates);
    expect(duplicates.reduce((sum, each) => sum + each)).toBe(10);
  });

  it('puts what is said in one turn into one frame', async () => {
    const house = new House();
    const [a, b] = await three(house);
    await house.link(a, b);
    await house.stage.settle();
    const before = a.mesh.status().totals.framesSent;
    for (let ballot = 1; ballot <= 100; ballot++) {
      a.mesh.broadcast({ kind: 'ballot-note', note: noteOf(GROUP, a.id, ballot) });
    }
    await house.stage.settle();
    expect(a.mesh.status().totals.framesSent - before).toBe(1);
    expect(b.holder.delivered.size).toBe(100);
  });

  it('sets no timer for a message', async () => {
    const house = new House();
    const [a, b] = await three(house);
    await house.link(a, b);
    await house.stage.advance(1_000);
    a.holder.issue(GROUP);
    await house.stage.settle();
    const before = house.stage.timersSet;
    for (let count = 0; count < 500; count++) a.holder.issue(GROUP);
    await house.stage.settle();
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(501);
    expect(house.stage.timersSet - before).toBeLessThan(5);
  });

  it('lets a vote overtake a Block that is long on its way', async () => {
    const house = new House();
    const [a, b] = await three(house);
    await house.link(a, b);
    const order: string[] = [];
    const { holder } = b;
    const onItems = holder.onItems.bind(holder);
    holder.onItems = (deliveries) => {
      order.push(...deliveries.map((each) => each.item.kind));
      onItems(deliveries);
    };
    a.holder.issue(GROUP, payloadOf(5_000_000));
    for (let turn = 0; turn < 40; turn++) house.stage.turns(1);
    a.mesh.broadcast({ kind: 'ballot-note', note: noteOf(GROUP, a.id, 1) });
    await house.stage.settle();
    expect(order).toEqual(['ballot-note', 'block']);
  });

  it('keeps the order of one issuer, whatever the size of its Blocks', async () => {
    const house = new House();
    const [a, b] = await three(house);
    await house.link(a, b);
    for (const length of [10, 300_000, 10, 20_000, 10, 900_000, 10]) {
      a.holder.issue(GROUP, payloadOf(length));
    }
    await house.stage.settle();
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(7);
    expect(b.holder.answers).toBe(0);
  });

  it('tells which Avatars are linked to whom, as they come and go', async () => {
    const house = new House();
    const [a, b, c] = await three(house);
    await house.link(a, b);
    await house.link(b, c);
    const seenBy = (from: Resident, of: Resident) =>
      from.mesh.status().peers.find((each) => each.peer === of.id)?.neighbours;
    expect([seenBy(a, b), seenBy(b, a), seenBy(c, b)]).toEqual([2, 1, 2]);
    await house.close(c);
    await house.stage.until(() => !isLinked(b, c));
    await house.stage.settle();
    expect(seenBy(a, b)).toBe(1);
    expect(b.holder.events.at(-1)).toMatchObject({ kind: 'down', peer: c.id });
  });

  it('links again after a peer was away, with growing patience', async () => {
    const house = new House();
    const [a, b] = await three(house);
    await house.link(a, b);
    await house.close(b);
    await house.stage.until(() => !isLinked(a, b));
    await house.stage.advance(60_000);
    const [dial] = a.mesh.status().dialling;
    expect(dial).toMatchObject({ state: 'waiting', peer: b.id });
    // 250 ms doubled up to 30 s, each shortened by up to a half: between 7 and 12 in a minute.
    expect(dial?.failures).toBeGreaterThanOrEqual(7);
    expect(dial?.failures).toBeLessThanOrEqual(12);
    const again = await house.add('b');
    await house.stage.until(() => isLinked(a, again), 31_000);
    expect(a.mesh.status().dialling[0]).toMatchObject({ state: 'linked' });
  });

  it('grows patient as well with one that lets it in and throws it out again', async () => {
    const house = new House();
    const a = await house.add('a');
    const b = await house.add('b', {}, { admit: () => 'never' });
    a.mesh.dial('memory:b');
    await house.stage.advance(60_000);
    const [dial] = a.mesh.status().dialling;
    expect(dial?.failures).toBeGreaterThanOrEqual(7);
    expect(dial?.failures).toBeLessThanOrEqual(12);
    expect(b.lines.length).toBe(dial?.failures);
  });

  it('hands over nothing while paused, from peers that come meanwhile either', async () => {
    const house = new House();
    const [a, b] = await three(house);
    a.mesh.pause();
    b.mesh.dial('memory:a');
    await house.stage.advance(1_000);
    b.holder.issue(GROUP);
    await house.stage.advance(1_000);
    expect(a.holder.delivered.size).toBe(0);
    a.mesh.resume();
    await house.stage.until(() => a.holder.sequenceOf(GROUP, b.id) === 1, 5_000);
  });

  it('ends everything at its close: peers, dials, listeners, timers', async () => {
    const house = new House();
    const [a, b, c] = await three(house);
    await house.link(a, b);
    a.mesh.dial('memory:nobody');
    await house.close(a);
    expect(isLinked(b, a)).toBe(false);
    expect(b.holder.events.at(-1)).toMatchObject({ kind: 'down', reason: 'peer left: closing' });
    expect(a.mesh.status()).toMatchObject({ peers: [], listening: [], dialling: [] });
    c.mesh.dial('memory:a');
    await house.stage.advance(1_000);
    expect(isLinked(c, a)).toBe(false);
  });

  it('refuses a URL that it has no links for', async () => {
    const house = new House();
    const [a] = await three(house);
    expect(() => a.mesh.dial('carrier-pigeon:home')).toThrow(/no link of this kind/);
    await expect(a.mesh.listen('tcp://127.0.0.1:1')).rejects.toMatchObject({ code: 'LINK_URL' });
  });
});
