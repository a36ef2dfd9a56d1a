import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Compressor, EXPANDED_BYTES_MAX, Expander } from '../../src/gossip/compression.ts';
import type { LinkStatus } from '../../src/gossip/contract.ts';
import { BudgetTransport } from '../../src/gossip/links/budget-link.ts';
import type { Link, Listening, Transport } from '../../src/ports/link.ts';
import { House, isLinked, type Resident } from './gossip-house.ts';
import { Line } from './gossip-line.ts';
import { idOf, noteOf, payloadOf } from './gossip-samples.ts';
import { SeededRandom } from './gossip-stage.ts';

const GROUP = idOf('group');
const BAUD_9600 = 960;
const random = new SeededRandom(3);
const noise = (length: number) => random.bytes(length);
const textOf = (number: number) =>
  Buffer.from(`{"host":"machine-7","observed_at":${1_790_000_000_000 + number},"load1":0.25}`);

describe('a compressed frame', () => {
  it('refers to what the frames before it held', () => {
    const [compressor, expander] = [new Compressor(), new Expander()];
    const lengths: number[] = [];
    for (let number = 0; number < 20; number++) {
      const plain = textOf(number);
      const compressed = compressor.compress(plain);
      compressor.sent(plain);
      expect(expander.expand(compressed!)).toEqual({ ok: true, value: Uint8Array.from(plain) });
      expander.received(plain);
      lengths.push(compressed!.length);
    }
    expect(Math.max(...lengths.slice(1))).toBeLessThan(textOf(0).length / 3);
  });

  it('reaches back 32 KiB, and both ends forget the same', () => {
    const [compressor, expander] = [new Compressor(), new Expander()];
    const first = noise(1_000);
    const lengths = [0, 20_000, 11_000, 30_000, 30_000].map((between) => {
      const plain = noise(between);
      compressor.sent(plain);
      expander.received(plain);
      const compressed = compressor.compress(first);
      if (compressed !== null) {
        expect(expander.expand(compressed)).toEqual({ ok: true, value: first });
      }
      if (between === 0) {
        compressor.sent(first);
        expander.received(first);
      }
      return compressed?.length ?? first.length;
    });
    expect(lengths.map((each) => each < 100)).toEqual([false, true, true, false, false]);
  });

  it('is not made where it would be longer than what it stands for', () => {
    const compressor = new Compressor();
    expect(compressor.compress(noise(2_000))).toBe(null);
    expect(compressor.compress(new Uint8Array(5))).toBe(null);
    expect(compressor.compress(new Uint8Array(EXPANDED_BYTES_MAX + 1))).toBe(null);
  });

  it('becomes 32 KiB at most, and is refused one byte beyond', () => {
    const of = (length: number) => new Expander().expand(deflateRawSync(new Uint8Array(length)));
    expect(of(EXPANDED_BYTES_MAX).ok).toBe(true);
    expect(of(EXPANDED_BYTES_MAX + 1)).toEqual({ ok: false, reason: 'compressed-bomb' });
    expect(of(5_000_000)).toEqual({ ok: false, reason: 'compressed-bomb' });
  });
});

/** Lets a test change what is sent over links that it dials. */
class Forger implements Transport {
  readonly kind: Transport['kind'];
  readonly schemes: readonly string[];
  forge: (frame: Uint8Array) => Uint8Array = (frame) => frame;
  private readonly under: Transport;

  constructor(under: Transport) {
    this.under = under;
    this.kind = under.kind;
    this.schemes = under.schemes;
  }

  async dial(url: string, signal: AbortSignal): Promise<Link> {
    const link = await this.under.dial(url, signal);
    const send = link.send.bind(link);
    link.send = (frame) => send(this.forge(frame));
    return link;
  }

  listen(url: string, onLink: (link: Link) => void): Promise<Listening> {
    return this.under.listen(url, onLink);
  }
}

interface Pair {
  readonly house: House;
  readonly line: Line;
  readonly forger: Forger;
  readonly a: Resident;
  readonly b: Resident;
}

/** Two at the ends of a line of 9,600 baud, each of which says whether it compresses. */
async function pairOf([near, far]: readonly [string, string]): Promise<Pair> {
  const house = new House();
  const options = { kind: 'serial', bytesPerSecond: BAUD_9600, timers: house.stage } as const;
  const line = new Line(house.network, options);
  const forger = new Forger(line);
  const transports = [new BudgetTransport(forger, house.stage)];
  const a = await house.add('a', {}, { transports });
  const b = await house.add('b', {}, { transports });
  await b.mesh.listen(`serial:b-cable${far}`);
  a.mesh.dial(`serial:b-cable${near}`);
  await house.stage.until(() => isLinked(a, b) && isLinked(b, a));
  await house.stage.advance(60_000);
  return { house, line, forger, a, b };
}

const linkOf = ({ mesh }: Resident): LinkStatus => mesh.status().peers[0]!;

/** Blocks of readings, as an agent makes them. */
const readings = (number: number) =>
  Uint8Array.from(
    Buffer.concat(Array.from({ length: 40 }, (_, index) => textOf(number * 40 + index))),
  );

describe('a link on which both ends compress', () => {
  it('carries readings in less than half of their bytes, and says so', async () => {
    const { house, line, a, b } = await pairOf(['?compress=1', '?compress=1']);
    const before = line.bytes;
    let bytes = 0;
    for (let number = 0; number < 10; number++) {
      const payload = readings(number);
      bytes += payload.length;
      a.holder.issue(GROUP, payload);
    }
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 10, 600_000);
    await house.stage.advance(60_000);
    expect(line.bytes - before).toBeLessThan(bytes / 2);
    const [sent, received] = [linkOf(a).compression!, linkOf(b).compression!];
    expect(sent.sentPlainBytes).toBeGreaterThan(2 * sent.sentBytes);
    expect(received.receivedPlainBytes).toBe(sent.sentPlainBytes);
    expect(received.receivedBytes).toBe(sent.sentBytes);
  });

  it('lets a vote overtake bulk as ever, whether that gets shorter or not', async () => {
    const all = await pairOf(['?compress=1', '?compress=1']);
    const { house, a, b } = all;
    for (const payload of [payloadOf(300_000), noise(60_000)]) {
      const sequence = a.holder.issue(GROUP, payload).sequence;
      await house.stage.advance(1_000);
      const from = house.stage.monotonicMs();
      a.mesh.broadcast({ kind: 'ballot-note', note: noteOf(GROUP, a.id, sequence) });
      const before = b.holder.delivered.size;
      await house.stage.until(() => b.holder.delivered.size > before, 60_000, 20);
      expect(house.stage.monotonicMs() - from).toBeLessThan(1_600);
      expect(b.holder.sequenceOf(GROUP, a.id)).toBe(sequence - 1);
      await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === sequence, 600_000);
    }
  });

  it('ends at a frame that becomes more than a frame holds, and the log says why', async () => {
    const { house, forger, a, b } = await pairOf(['?compress=1', '?compress=1']);
    const bomb = deflateRawSync(new Uint8Array(10_000_000));
    forger.forge = (frame) => Uint8Array.of(...frame.subarray(0, 16), 4, ...bomb);
    a.holder.issue(GROUP, payloadOf(500));
    await house.stage.until(() => !isLinked(b, a), 60_000);
    const line = b.lines.find(({ event }) => event === 'link-broken');
    expect(line).toMatchObject({
      level: 'warn',
      fields: { peer: a.id, kind: 'serial', reason: 'compressed-bomb' },
    });
    expect(b.holder.events.at(-1)).toMatchObject({ kind: 'down', reason: 'compressed-bomb' });
    forger.forge = (frame) => frame;
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 1, 600_000);
  });
});

describe('a link on which one end compresses', () => {
  it.each([
    ['?compress=1', ''],
    ['', '?compress=1'],
    ['?compress=1', '?compress=0'],
  ] as const)('works as if neither did (%s, %s)', async (near, far) => {
    const { house, a, b } = await pairOf([near, far]);
    a.holder.issue(GROUP, readings(1));
    b.holder.issue(GROUP, readings(2));
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 1, 600_000);
    await house.stage.until(() => a.holder.sequenceOf(GROUP, b.id) === 1, 600_000);
    for (const each of [a, b]) {
      const { compression } = linkOf(each);
      expect(compression?.sentBytes).toBe(compression?.sentPlainBytes);
    }
  });

  it('ends at a compressed frame that nobody agreed to', async () => {
    const { house, forger, a, b } = await pairOf(['', '']);
    forger.forge = (frame) =>
      Uint8Array.of(...frame.subarray(0, 16), 4, ...deflateRawSync(noise(9)));
    a.holder.issue(GROUP, payloadOf(500));
    await house.stage.until(() => !isLinked(b, a), 60_000);
    expect(b.holder.events.at(-1)).toMatchObject({ kind: 'down', reason: 'fragment-malformed' });
  });
});
