import { describe, expect, it } from 'vitest';
import { encodeMessage } from '../../src/gossip/message-writer.ts';
import { Outbox } from '../../src/gossip/outbox.ts';
import { paceOf } from '../../src/gossip/pace.ts';
import { GOSSIP_SETTINGS, type GossipSettings } from '../../src/gossip/settings.ts';
import { House, isLinked, type Resident } from './gossip-house.ts';
import { Line } from './gossip-line.ts';
import { blockOf, idOf, noteOf, payloadOf } from './gossip-samples.ts';

const GROUP = idOf('group');

/** Bytes a second of a line with a start bit and a stop bit. */
const BAUD_300 = 30;
const BAUD_9600 = 960;
const BAUD_115200 = 11_520;

const serial = (bytesPerSecond: number) =>
  paceOf(GOSSIP_SETTINGS, { kind: 'serial', bytesPerSecond, isOrdered: true });

interface Pair {
  readonly house: House;
  readonly line: Line;
  readonly a: Resident;
  readonly b: Resident;
}

/** Two at the ends of a serial line. */
async function pairOf(
  bytesPerSecond: number,
  settings: Partial<GossipSettings> = {},
): Promise<Pair> {
  const house = new House();
  const options = { kind: 'serial', bytesPerSecond, frameBytesMax: 256 } as const;
  const line = new Line(house.network, { ...options, timers: house.stage });
  const transports = [line];
  const [a, b] = [
    await house.add('a', settings, { transports }),
    await house.add('b', settings, { transports }),
  ];
  await b.mesh.listen('serial:b-cable');
  return { house, line, a, b };
}

async function link({ house, a, b }: Pair, limitMs = 120_000): Promise<void> {
  a.mesh.dial('serial:b-cable');
  await house.stage.until(() => isLinked(a, b) && isLinked(b, a), limitMs);
}

describe('the pace of a link', () => {
  it('is that of the settings where the link carries much, or nobody knows how much', () => {
    for (const bytesPerSecond of [null, 10_000_000]) {
      const link = { kind: 'tcp', bytesPerSecond, isOrdered: true } as const;
      const { handshakeMs, answerMs, settleMs, ...pace } = paceOf(GOSSIP_SETTINGS, link);
      expect(pace).toMatchObject({ isSlow: false, isTerse: false, smallBytes: 16 * 1024 });
      const { handshakeMs: h, answerMs: a, settleMs: s, ...others } = GOSSIP_SETTINGS;
      expect(pace).toMatchObject(others);
      expect([handshakeMs - h, answerMs - a, settleMs - s].every((more) => more < 1)).toBe(true);
    }
  });

  it('lets no Block go with what is urgent that takes longer than 20 ms', () => {
    const note = encodeMessage({
      kind: 'item',
      item: { kind: 'ballot-note', note: noteOf(GROUP, idOf('a'), 1) },
      answer: false,
    });
    const block = (bytes: number) =>
      encodeMessage({
        kind: 'item',
        item: {
          kind: 'block',
          ...blockOf({ group: GROUP, issuer: idOf('a'), sequence: 1, payload: payloadOf(bytes) }),
        },
        answer: false,
      });
    for (const [rate, lane] of [
      [BAUD_9600, 'bulk'],
      [BAUD_115200, 'bulk'],
      [400_000, 'urgent'],
    ] as const) {
      const outbox = new Outbox(serial(rate));
      expect([outbox.laneFor(block(1_000)), outbox.laneFor(note)]).toEqual([lane, 'urgent']);
    }
  });

  it('promises no minutes of bulk, and takes no more news than a minute carries', () => {
    const { bulkLowBytes, chunkBytes, bulkQueueBytesMax } = serial(BAUD_9600);
    expect(bulkLowBytes).toBeLessThanOrEqual(2 * BAUD_9600);
    expect(chunkBytes).toBeLessThanOrEqual(20 * BAUD_9600);
    expect(bulkQueueBytesMax).toBe(64 * 1024);
  });
});

describe('over a slow line', () => {
  it('two link although a handshake takes longer than it may elsewhere', async () => {
    const all = await pairOf(BAUD_300, { handshakeMs: 1_000 });
    await link(all);
    expect(all.house.stage.monotonicMs()).toBeGreaterThan(1_002_000);
    await all.house.stage.advance(600_000);
    expect(isLinked(all.a, all.b)).toBe(true);
  });

  it.each([BAUD_300, 120, BAUD_9600])(
    'of %i bytes a second, silence costs less than a bit a second',
    async (rate) => {
      const all = await pairOf(rate);
      const { house, line, a, b } = all;
      await link(all);
      for (const each of [a, b]) each.holder.issue(GROUP);
      await house.stage.advance(4 * 3_600_000);
      expect(a.holder.sequenceOf(GROUP, b.id)).toBe(1);
      const before = line.bytes;
      const hours = 24;
      await house.stage.advance(hours * 3_600_000);
      const bits = ((line.bytes - before) * 8) / (hours * 3_600);
      expect(bits).toBeGreaterThan(0);
      expect(bits).toBeLessThan(1);
      expect(isLinked(a, b)).toBe(true);
    },
  );

  it('a vote waits for a frame and no more, however many Blocks are on their way', async () => {
    const all = await pairOf(BAUD_9600);
    const { house, a, b } = all;
    await link(all);
    for (let count = 0; count < 5; count++) a.holder.issue(GROUP, payloadOf(20_000));
    await house.stage.advance(20_000);
    const from = house.stage.monotonicMs();
    a.mesh.broadcast({ kind: 'ballot-note', note: noteOf(GROUP, a.id, 1) });
    const before = b.holder.delivered.size;
    await house.stage.until(() => b.holder.delivered.size > before, 60_000, 20);
    expect(house.stage.monotonicMs() - from).toBeLessThan(1_000);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBeLessThan(2);
  });

  it('news cross once, although they take longer than answers may elsewhere', async () => {
    const all = await pairOf(BAUD_9600);
    const { house, line, a, b } = all;
    await link(all);
    await house.stage.advance(60_000);
    const before = line.bytes;
    for (let count = 0; count < 6; count++) {
      a.holder.issue(GROUP, payloadOf(9_000));
      await house.stage.advance(3_000);
    }
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 6, 600_000);
    await house.stage.advance(120_000);
    expect(line.bytes - before).toBeLessThan(6 * 9_000 * 1.25);
    expect(b.holder.answers).toBe(0);
  });

  it('what was missed comes once, in parts that take minutes each', async () => {
    const all = await pairOf(BAUD_9600);
    const { house, line, a, b } = all;
    for (let count = 0; count < 3; count++) a.holder.issue(GROUP, payloadOf(150_000));
    await link(all);
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 3, 1_200_000, 1_000);
    await house.stage.advance(120_000);
    expect(line.bytes).toBeLessThan(3 * 150_000 * 1.2);
  });

  it('only the groups that changed are told, once both stood alike', async () => {
    const all = await pairOf(BAUD_9600);
    const { house, line, a, b } = all;
    for (let count = 0; count < 40; count++) a.holder.issue(idOf(`group ${count}`), payloadOf(10));
    await link(all);
    await house.stage.until(() => b.holder.digest().length === 40, 600_000, 1_000);
    await house.stage.advance(300_000);
    // Lost on the way, so that digests have to bring it.
    b.holder.isDeaf = true;
    a.holder.issue(idOf('group 7'), payloadOf(10));
    await house.stage.advance(1_000);
    b.holder.isDeaf = false;
    const before = line.bytes;
    await house.stage.until(() => b.holder.sequenceOf(idOf('group 7'), a.id) === 2, 600_000, 500);
    await house.stage.advance(60_000);
    expect(line.bytes - before).toBeLessThan(2_000);
  });
});
