import { describe, expect, it } from 'vitest';
import type { Link } from '../../src/ports/link.ts';
import { House, isLinked, type Resident } from './gossip-house.ts';
import { idOf, noteOf } from './gossip-samples.ts';

const GROUP = idOf('group');

function linksOf(resident: Resident, peer: Resident) {
  return resident.holder.events.filter(
    (each) => each.kind !== 'own-avatar-seen' && each.peer === peer.id,
  );
}

/** A link of a stranger that says what a test wants it to. */
async function knock(house: House, at: Resident): Promise<{ link: Link; isClosed: () => boolean }> {
  const dialling = house.network.dial(`memory:${at.name}`, new AbortController().signal);
  await house.stage.settle();
  const link = await dialling;
  let closed = false;
  link.handle({
    onFrame: () => undefined,
    onDrain: () => undefined,
    onClose: () => {
      closed = true;
    },
  });
  await house.stage.settle();
  return { link, isClosed: () => closed };
}

describe('two Avatars', () => {
  it('keep one link, the same at both ends, when both dial at once', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    a.mesh.dial('memory:b');
    b.mesh.dial('memory:a');
    await house.stage.advance(5_000);
    const [atA] = a.mesh.status().peers;
    const [atB] = b.mesh.status().peers;
    expect([atA?.peer, atB?.peer]).toEqual([b.id, a.id]);
    expect(atA?.initiator).toBe(a.id < b.id);
    expect(atB?.initiator).toBe(b.id < a.id);
    const states = [a, b].map((each) => each.mesh.status().dialling[0]?.state);
    expect(states.sort()).toEqual(['linked', 'stand-by']);
    a.holder.issue(GROUP);
    b.holder.issue(GROUP);
    await house.stage.settle();
    expect(a.holder.sequenceOf(GROUP, b.id)).toBe(1);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(1);
  });

  it('lose nothing that was said while one of two links was given up', async () => {
    for (const headStart of [0, 1, 3, 7, 15, 30, 60]) {
      const house = new House();
      const [a, b] = [await house.add('a'), await house.add('b')];
      // Without digests nothing is asked for twice: what a link loses stays lost.
      for (const each of [a, b]) each.holder.digest = () => [];
      let ballot = 0;
      const said = { a: 0, b: 0 };
      const say = (from: Resident, to: Resident) => {
        if (!isLinked(from, to)) return;
        ballot += 1;
        said[from === a ? 'a' : 'b'] += 1;
        from.mesh.broadcast({ kind: 'ballot-note', note: noteOf(GROUP, from.id, ballot) });
      };
      a.mesh.dial('memory:b');
      for (let turn = 0; turn < 300; turn++) {
        if (turn === headStart) b.mesh.dial('memory:a');
        await Promise.resolve();
        house.stage.turns(1);
        say(a, b);
        say(b, a);
      }
      await house.stage.advance(5_000);
      expect(said.a).toBeGreaterThan(100);
      expect([b.holder.delivered.size, a.holder.delivered.size]).toEqual([said.a, said.b]);
    }
  });

  it('link again from the other side when the opener of their link dials no more', async () => {
    const house = new House();
    const both = [await house.add('a'), await house.add('b')] as const;
    both[0].mesh.dial('memory:b');
    both[1].mesh.dial('memory:a');
    await house.stage.advance(5_000);
    const opener = both.find((each) => each.mesh.status().dialling[0]?.state === 'linked')!;
    const other = both.find((each) => each !== opener)!;
    expect(other.mesh.status().dialling[0]?.state).toBe('stand-by');
    await house.close(opener);
    const again = await house.add(opener.name);
    await house.stage.until(() => isLinked(again, other), 31_000);
  });

  it('keep one link when one dials the other at two URLs, and do not dial in turns', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    await b.mesh.listen('memory:b-again');
    a.mesh.dial('memory:b');
    a.mesh.dial('memory:b-again');
    await house.stage.advance(60_000);
    expect(a.mesh.status().peers.length).toBe(1);
    const states = a.mesh.status().dialling.map((each) => each.state);
    expect(states.sort()).toEqual(['linked', 'stand-by']);
    expect(linksOf(b, a).length).toBeLessThanOrEqual(3);
  });

  it('find each other at once when one started anew and its old link looks alive', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    await house.link(a, b);
    // A process that was killed says nothing: its link stays, as far as a can tell.
    const killed = b.holder;
    const again = await house.add('b-2', {}, { as: 'b' });
    again.mesh.dial('memory:a');
    await house.stage.advance(2_000);
    again.holder.issue(GROUP);
    await house.stage.settle();
    expect(a.holder.sequenceOf(GROUP, b.id)).toBe(1);
    expect(a.mesh.status().peers.length).toBe(1);
    expect(killed.sequenceOf(GROUP, a.id)).toBe(0);
  });

  it('end a link that has been silent for three pings', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    await house.link(a, b);
    await house.stage.advance(1_000);
    b.cable.isCut = true;
    await house.stage.advance(85_000);
    expect(isLinked(a, b)).toBe(true);
    await house.stage.advance(40_000);
    expect(isLinked(a, b)).toBe(false);
    expect(linksOf(a, b).at(-1)).toMatchObject({ kind: 'down', reason: 'silent' });
  });

  it('keep a link whose other end reads nothing but gives signs of life', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    await house.link(a, b);
    b.mesh.pause();
    await house.stage.advance(300_000);
    expect(isLinked(a, b)).toBe(true);
    expect(isLinked(b, a)).toBe(true);
  });

  it('change over at once to a new link when one knows that the old one is dead', async () => {
    const house = new House();
    // b hears of the cut long before a does.
    const a = await house.add('a', { missedPingsMax: 1_000 });
    const b = await house.add('b', { pingMs: 1_000 });
    await house.link(b, a);
    await house.stage.advance(1_000);
    a.cable.isCut = true;
    await house.stage.advance(2_000);
    a.cable.isCut = false;
    await house.stage.until(() => !isLinked(b, a), 10_000);
    await house.stage.until(() => isLinked(b, a), 10_000);
    await house.stage.settle();
    expect(a.mesh.status().peers.length).toBe(1);
    a.holder.issue(GROUP);
    await house.stage.settle();
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(1);
  });
});

describe('our own Avatar at the other end', () => {
  it('is reported as ourselves where we dialled ourselves, and dialled no more', async () => {
    const house = new House();
    const a = await house.add('a');
    a.mesh.dial('memory:a');
    await house.stage.advance(120_000);
    const seen = a.holder.events.filter((each) => each.kind === 'own-avatar-seen');
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.length).toBeLessThanOrEqual(2);
    for (const each of seen) expect(each).toMatchObject({ self: true });
    expect(a.mesh.status().peers).toEqual([]);
  });

  it('is reported as another device where it is one, at both ends', async () => {
    const house = new House();
    const a = await house.add('a');
    const clone = await house.add('clone', {}, { as: 'a' });
    clone.mesh.dial('memory:a');
    await house.stage.advance(1_000);
    for (const each of [a, clone]) {
      expect(each.holder.events).toEqual([
        expect.objectContaining({ kind: 'own-avatar-seen', self: false }),
      ]);
      expect(each.mesh.status().peers).toEqual([]);
    }
  });
});

describe('a peer', () => {
  it('that opens link after link has four of them and no more', async () => {
    const house = new House();
    const a = await house.add('a');
    const closed: boolean[] = [];
    for (let count = 0; count < 7; count++) {
      const { link, isClosed } = await knock(house, a);
      link.send(Uint8Array.of(1, ...new Uint8Array(32).fill(9)));
      await house.stage.advance(100);
      closed.push(isClosed());
    }
    expect(closed).toEqual([false, false, false, false, true, true, true]);
  });

  it('that misbehaves up to the bound is let go and barred for a while', async () => {
    const house = new House();
    const settings = { misbehavioursMax: 3, banMs: 60_000 };
    const [a, b] = [await house.add('a', settings), await house.add('b')];
    await house.link(b, a);
    a.mesh.misbehaved(b.id, 'certificate-forged');
    a.mesh.misbehaved(b.id, 'certificate-forged');
    await house.stage.advance(1_000);
    expect(isLinked(a, b)).toBe(true);
    a.mesh.misbehaved(b.id, 'certificate-forged');
    await house.stage.advance(30_000);
    expect(isLinked(a, b)).toBe(false);
    expect(a.mesh.status().bannedPeers).toBe(1);
    const barred = a.lines.filter((each) => each.event === 'peer-barred');
    expect(barred).toEqual([
      { level: 'warn', event: 'peer-barred', fields: { peer: b.id, reason: 'certificate-forged' } },
    ]);
    await house.stage.until(() => isLinked(a, b), 120_000);
  });

  it('that is not admitted gets in nowhere, and is told so', async () => {
    const house = new House();
    const a = await house.add('a', {}, { admit: () => 'revoked' });
    const b = await house.add('b');
    b.mesh.dial('memory:a');
    await house.stage.advance(1_000);
    expect(isLinked(a, b)).toBe(false);
    expect(b.mesh.status().dialling[0]?.lastError).toMatch(/not-admitted/);
    expect(a.lines.map((each) => each.fields['reason'])).toContain('not-admitted');
  });

  it('beyond the greatest number is turned away, and comes in when one leaves', async () => {
    const house = new House();
    const a = await house.add('a', { peersMax: 2 });
    const others: Resident[] = [];
    for (const name of ['b', 'c', 'd']) others.push(await house.add(name));
    const [b, c, d] = others as [Resident, Resident, Resident];
    await house.link(b, a);
    await house.link(c, a);
    d.mesh.dial('memory:a');
    await house.stage.advance(5_000);
    expect(isLinked(a, d)).toBe(false);
    await house.close(b);
    await house.stage.until(() => isLinked(a, d));
  });

  it('that takes no votes any more is let go, and others do not feel it', async () => {
    const house = new House();
    const [a, b, c] = [
      await house.add('a', { urgentQueueBytesMax: 200_000 }),
      await house.add('b'),
      await house.add('c'),
    ];
    await house.link(a, b);
    await house.link(a, c);
    b.mesh.pause();
    for (let ballot = 1; ballot <= 4_000; ballot++) {
      a.mesh.broadcast({ kind: 'ballot-note', note: noteOf(GROUP, a.id, ballot) });
      if (ballot % 100 === 0) await house.stage.settle();
    }
    await house.stage.settle();
    expect(linksOf(a, b).at(-1)).toMatchObject({ kind: 'down', reason: 'queue-full' });
    expect(c.holder.delivered.size).toBe(4_000);
  });

  it('that takes no Blocks any more loses relays, keeps its link, and catches up', async () => {
    const house = new House();
    const a = await house.add('a', { bulkQueueBytesMax: 100_000 });
    const b = await house.add('b');
    await house.link(a, b);
    b.mesh.pause();
    for (let count = 0; count < 40; count++) {
      a.holder.issue(GROUP, new Uint8Array(30_000));
      await house.stage.settle();
    }
    const [peer] = a.mesh.status().peers;
    expect(peer?.counters.dropped).toBeGreaterThan(10);
    expect(peer?.queuedBytes).toBeLessThan(400_000);
    b.mesh.resume();
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 40, 30_000);
    expect(linksOf(a, b).length).toBe(1);
  });
});

describe('a stranger', () => {
  it('of another World is refused with one line, at both ends', async () => {
    const house = new House();
    const a = await house.add('a');
    const b = await house.add('b', {}, { world: 2 });
    b.mesh.dial('memory:a');
    await house.stage.advance(100);
    expect(a.lines).toEqual([
      {
        level: 'warn',
        event: 'handshake-refused',
        fields: { remote: 'memory:dial-1', reason: 'handshake-stranger', opened: 'there' },
      },
    ]);
    expect(b.lines.map((each) => each.event)).toEqual(['handshake-refused']);
    expect(a.mesh.status()).toMatchObject({ refusedHandshakes: 1, peers: [], strangers: 0 });
  });

  it('that says nothing is let go after the handshake time', async () => {
    const house = new House();
    const a = await house.add('a', { handshakeMs: 3_000 });
    const { isClosed } = await knock(house, a);
    await house.stage.advance(2_999);
    expect(isClosed()).toBe(false);
    await house.stage.advance(2);
    expect(isClosed()).toBe(true);
    expect(a.lines.map((each) => each.fields['reason'])).toEqual(['handshake-timeout']);
  });

  it('that proves itself and then says nothing is let go as well', async () => {
    const house = new House();
    const a = await house.add('a', { handshakeMs: 3_000 });
    const { link, isClosed } = await knock(house, a);
    link.send(Uint8Array.of(1, ...new Uint8Array(32).fill(9)));
    await house.stage.advance(2_000);
    expect(isClosed()).toBe(false);
    expect(a.mesh.status()).toMatchObject({ strangers: 1, peers: [] });
    await house.stage.advance(2_000);
    expect(isClosed()).toBe(true);
  });

  it.each([
    ['garbage', Uint8Array.of(1, 2, 3)],
    ['an empty frame', new Uint8Array(0)],
    ['the longest frame', new Uint8Array(65_535)],
  ])('that sends %s is let go at once', async (_name, frame) => {
    const house = new House();
    const a = await house.add('a');
    const { link, isClosed } = await knock(house, a);
    link.send(frame);
    await house.stage.settle();
    expect(isClosed()).toBe(true);
    expect(a.lines.length).toBe(1);
  });

  it('among many gives way to the newest, so that a friend still gets in', async () => {
    const house = new House();
    const a = await house.add('a', { strangersMax: 4 });
    const strangers = [];
    for (let count = 0; count < 10; count++) strangers.push(await knock(house, a));
    expect(strangers.map((each) => each.isClosed())).toEqual([
      ...new Array(6).fill(true),
      ...new Array(4).fill(false),
    ]);
    const b = await house.add('b');
    await house.link(b, a);
    expect(a.mesh.status().strangers).toBeLessThanOrEqual(4);
  });

  it('among many does not push out those whom we dial ourselves', async () => {
    const house = new House();
    const a = await house.add('a', { strangersMax: 2 });
    const mute = await house.network.listen('memory:mute', (link) => {
      link.handle({ onFrame: () => {}, onDrain: () => {}, onClose: () => {} });
    });
    a.mesh.dial('memory:mute');
    await house.stage.settle();
    for (let count = 0; count < 5; count++) await knock(house, a);
    expect(a.mesh.status().dialling[0]?.state).toBe('handshake');
    await mute.close();
  });

  it('cannot flood the log', async () => {
    const house = new House();
    const a = await house.add('a');
    for (let count = 0; count < 500; count++) {
      const { link } = await knock(house, a);
      link.send(Uint8Array.of(1));
      await house.stage.settle();
    }
    expect(a.mesh.status().refusedHandshakes).toBe(500);
    expect(a.lines.length).toBe(20);
    await house.stage.advance(3_000);
    const { link } = await knock(house, a);
    link.send(Uint8Array.of(1));
    await house.stage.settle();
    expect(a.lines.length).toBe(21);
    expect(a.lines.at(-1)?.fields).toMatchObject({ unwritten: 480 });
  });
});
