import { describe, expect, it } from 'vitest';
import { BudgetTransport } from '../../src/gossip/links/budget-link.ts';
import { joinBudget, splitBudget } from '../../src/gossip/links/budget-url.ts';
import { MemoryTransport } from '../../src/gossip/links/memory.ts';
import { isQuietAt, minuteOfDay, parseQuietHours } from '../../src/gossip/links/quiet-hours.ts';
import { TokenBucket } from '../../src/gossip/links/token-bucket.ts';
import { SystemClock } from '../../src/participant/system-clock.ts';
import { LinkError } from '../../src/ports/link.ts';
import { describeLinks } from '../contract/link.ts';
import { House, isLinked } from './gossip-house.ts';
import { idOf, payloadOf } from './gossip-samples.ts';
import { Stage } from './gossip-stage.ts';

const GROUP = idOf('group');
const DAY_MINUTES = 24 * 60;

let urls = 0;
const nextUrl = (): string => {
  urls += 1;
  return `memory:budget-${urls}?max_bits_per_second=1000000000&quiet=00:00-00:01&compress=1`;
};

describeLinks({
  name: 'budgeted',
  makeTransport: () => new BudgetTransport(new MemoryTransport(), new SystemClock()),
  freeUrl: nextUrl,
  deadUrl: async () => nextUrl(),
  brokenUrls: [
    'memory:a?max_bits_per_second=99',
    'memory:a?max_bits_per_second=9600bps',
    'memory:a?max_bits_per_second=',
    'memory:a?quiet=22-6',
    'memory:a?quiet=22:00-22:00',
    'memory:a?quiet=24:00-06:00',
    'memory:a?budget=1',
    'memory:a?compress=yes',
    'memory:a?compress=',
    'udp:a?compress=1',
  ],
});

describe('a budget', () => {
  it('is taken out of a URL, whatever else that says', () => {
    const quiet = { fromMinute: 22 * 60, toMinute: 6 * 60 };
    const bare = (url: string) => ({ url, budget: null });
    expect(splitBudget('tcp://h:1')).toEqual(bare('tcp://h:1'));
    expect(splitBudget('serial:///dev/x?baud=300')).toEqual(bare('serial:///dev/x?baud=300'));
    expect(splitBudget('tcp://h:1?max_bits_per_second=9600')).toEqual({
      url: 'tcp://h:1',
      budget: { bytesPerSecond: 1_200, quiet: null, compress: false },
    });
    expect(
      splitBudget('serial:///dev/x?quiet=22:00-06:00&baud=300&max_bits_per_second=100'),
    ).toEqual({
      url: 'serial:///dev/x?baud=300',
      budget: { bytesPerSecond: 12.5, quiet, compress: false },
    });
    expect(splitBudget('serial:///dev/x?compress=1&baud=300')).toEqual({
      url: 'serial:///dev/x?baud=300',
      budget: { bytesPerSecond: null, quiet: null, compress: true },
    });
    expect(splitBudget('mqtt://h:1?compress=0').budget?.compress).toBe(false);
  });

  it('of a broker is that of whoever was met there', () => {
    const budget = 'max_bits_per_second=9600&quiet=22:00-06:00&compress=1';
    expect(joinBudget('mqtt://h:1/ab', 'mqtt://h:1')).toBe('mqtt://h:1/ab');
    expect(joinBudget('mqtt://h:1/ab', `mqtt://h:1?${budget}`)).toBe(`mqtt://h:1/ab?${budget}`);
    expect(joinBudget('mqtts://h:1/ab?ca=/c', `mqtts://h:1?ca=/c&${budget}`)).toBe(
      `mqtts://h:1/ab?ca=/c&${budget}`,
    );
  });

  it('of hours holds from its first minute to before its last, over midnight as well', () => {
    const minutesOf = (text: string) =>
      Array.from({ length: DAY_MINUTES }, (_, minute) => minute).filter((minute) =>
        isQuietAt(parseQuietHours(text)!, minute),
      );
    const night = minutesOf('22:00-06:00');
    expect(night.length).toBe(8 * 60);
    expect([0, 359, 360, 1_319, 1_320].map((each) => night.includes(each))).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
    expect(minutesOf('06:00-22:00').length).toBe(16 * 60);
    expect(minutesOf('23:59-00:00')).toEqual([1_439]);
  });

  it('of bytes lets no more through in any time than its rate, a second saved up, a frame', () => {
    const [rate, frame] = [1_200, 1_028];
    const bucket = new TokenBucket(rate, 0);
    const sent: { atMs: number; bytes: number }[] = [];
    // Idle for a while in the middle, which saves up no more than a second.
    for (let nowMs = 0; nowMs < 120_000; ) {
      const waitMs = bucket.waitMs(nowMs);
      if (waitMs > 0) nowMs += waitMs;
      else {
        bucket.take(frame);
        sent.push({ atMs: nowMs, bytes: frame });
        if (sent.length === 40) nowMs += 30_000;
      }
    }
    for (const [from, { atMs }] of sent.entries()) {
      for (const [to, end] of sent.entries()) {
        if (to < from) continue;
        const bytes = sent.slice(from, to + 1).reduce((sum, each) => sum + each.bytes, 0);
        const seconds = (end.atMs - atMs) / 1_000;
        expect(bytes).toBeLessThanOrEqual(rate * (seconds + 1) + frame);
      }
    }
    const [first, last] = [sent[45]!, sent.at(-1)!];
    const used = ((sent.length - 46) * frame) / ((last.atMs - first.atMs) / 1_000);
    expect(used).toBeGreaterThan(rate * 0.95);
  });
});

/** Two that are linked within a budget of the dialling end. */
async function linkedWith(query: string) {
  const house = new House();
  const transports = [new BudgetTransport(new Renamed(house), house.stage)];
  const [a, b] = [await house.add('a', {}, { transports }), await house.add('b')];
  a.mesh.dial(`tcp:b?${query}`);
  await house.stage.until(() => isLinked(a, b) && isLinked(b, a));
  return { house, a, b };
}

/** The house's network under another name, because `memory:` is taken there. */
class Renamed extends MemoryTransport {
  private readonly house: House;

  constructor(house: House) {
    super({ defer: house.stage.defer });
    this.house = house;
  }

  override readonly schemes = ['memory', 'tcp'];

  override dial(url: string, signal: AbortSignal) {
    return this.house.network.dial(url.replace('tcp:', 'memory:'), signal);
  }
}

const sentBy = (each: { mesh: { status(): { totals: { bytesSent: number } } } }) =>
  each.mesh.status().totals.bytesSent;

describe('a link within a budget', () => {
  it('sends no more than it may, and everything in the end', async () => {
    const { house, a, b } = await linkedWith('max_bits_per_second=9600');
    await house.stage.advance(30_000);
    const before = sentBy(a);
    for (let count = 0; count < 4; count++) a.holder.issue(GROUP, payloadOf(30_000));
    await house.stage.advance(60_000);
    const sent = sentBy(a) - before;
    // One frame more than it may: the link has it already.
    expect(sent).toBeLessThan(61 * 1_200 + 2 * 1_028);
    expect(sent).toBeGreaterThan(55 * 1_200);
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 4, 600_000);
  });

  it('receives as fast as the other end sends', async () => {
    const { house, a, b } = await linkedWith('max_bits_per_second=9600');
    await house.stage.advance(30_000);
    b.holder.issue(GROUP, payloadOf(500_000));
    await house.stage.settle();
    expect(a.holder.sequenceOf(GROUP, b.id)).toBe(1);
  });

  it('says nothing but signs of life in its quiet hours, and the rest after them', async () => {
    const now = minuteOfDay(new Stage().wallMs());
    const text = (minute: number) => {
      const [hour, rest] = [Math.floor(minute / 60) % 24, minute % 60];
      return `${String(hour).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
    };
    const { house, a, b } = await linkedWith(`quiet=${text(now + 10)}-${text(now + 130)}`);
    a.holder.issue(GROUP, payloadOf(1_000));
    await house.stage.advance(9 * 60_000);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(1);
    await house.stage.advance(2 * 60_000);
    const before = sentBy(a);
    for (let count = 0; count < 3; count++) a.holder.issue(GROUP, payloadOf(1_000));
    b.holder.issue(GROUP, payloadOf(1_000));
    await house.stage.advance(100 * 60_000);
    expect(isLinked(a, b) && isLinked(b, a)).toBe(true);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(1);
    expect(a.holder.sequenceOf(GROUP, b.id)).toBe(1);
    const bytes = sentBy(a) - before;
    expect(bytes).toBeGreaterThan(0);
    expect(bytes / (100 * 60)).toBeLessThan(8);
    await house.stage.advance(30 * 60_000);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(4);
  });

  it('refuses a URL that says nothing that is understood', async () => {
    const house = new House();
    const transport = new BudgetTransport(house.network, house.stage);
    const dialled = transport.dial('memory:a?quiet=always', new AbortController().signal);
    await expect(dialled).rejects.toBeInstanceOf(LinkError);
  });
});
