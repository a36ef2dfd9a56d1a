import { describe, expect, it } from 'vitest';
import { AnswerQueue } from '../../src/gossip/answer-queue.ts';
import { AssemblyRoom } from '../../src/gossip/fragment.ts';
import { LooseFraming } from '../../src/gossip/loose-framing.ts';
import { encodeMessage } from '../../src/gossip/message-writer.ts';
import { groupOfBlock, type Message } from '../../src/gossip/messages.ts';
import { Outbox } from '../../src/gossip/outbox.ts';
import { paceOf } from '../../src/gossip/pace.ts';
import { PriorityLine, type Turn } from '../../src/gossip/priority-line.ts';
import { Ranges } from '../../src/gossip/ranges.ts';
import { GOSSIP_SETTINGS } from '../../src/gossip/settings.ts';
import { PRIORITIES, type Priority } from '../../src/model/pact.ts';
import { Holder } from './gossip-holder.ts';
import { House, isLinked } from './gossip-house.ts';
import { Line } from './gossip-line.ts';
import { blockOf, idOf, metablockOf, payloadOf } from './gossip-samples.ts';
import { Stage } from './gossip-stage.ts';

const A = idOf('a');
const GROUPS = { high: idOf('high'), normal: idOf('normal'), low: idOf('low') } as const;
const PACE = paceOf(GOSSIP_SETTINGS, { kind: 'serial', bytesPerSecond: 960, isOrdered: true });

/** A message whose first byte says which. */
const named = (name: number, bytes = 100) => new Uint8Array(bytes).fill(name);

function lineOf(...pushed: readonly (readonly [name: number, turn: Turn, bytes?: number])[]) {
  const line = new PriorityLine();
  for (const [name, turn, bytes] of pushed) line.push(named(name, bytes), turn);
  return line;
}

/** Lets all leave, each at once. @returns their names. */
function drain(line: PriorityLine, limit = 1_000): number[] {
  const names: number[] = [];
  for (let front = line.front(); front !== undefined; front = line.front()) {
    if (names.length === limit) break;
    names.push(front[0]!);
    line.advance(front.length);
  }
  return names;
}

function blockMessage(priority: Priority, bytes: number, sequence = 1): Uint8Array {
  const made = blockOf({
    group: GROUPS[priority],
    issuer: A,
    sequence,
    payload: payloadOf(bytes),
  });
  return encodeMessage({ kind: 'item', item: { kind: 'block', ...made }, answer: false });
}

describe('what waits for a link', () => {
  it('leaves by its priority, and in the order in which it came within that', () => {
    const line = lineOf([1, 'low'], [2, 'normal'], [3, 'high'], [4, 'normal'], [5, 'high']);
    expect(drain(line)).toEqual([3, 5, 2, 4, 1]);
    expect(line.bytes).toBe(0);
  });

  it('is not overtaken once it has begun to leave', () => {
    const line = lineOf([1, 'low']);
    expect(line.front()![0]).toBe(1);
    line.push(named(2), 'high');
    expect(line.front()![0]).toBe(2);
    line.advance(100);
    expect(line.front()![0]).toBe(1);
    line.advance(40);
    line.push(named(3), 'high');
    expect(line.front()![0]).toBe(1);
    expect([line.bytesOf('low'), line.bytesUpTo('normal'), line.bytes]).toEqual([60, 100, 160]);
    expect(line.advance(60)).toBe(true);
    expect(drain(line)).toEqual([3]);
  });

  it.each([
    ['high', 'normal', 8],
    ['normal', 'low', 8],
    ['high', 'low', 64],
  ] as const)('of priority %s leaves %s a byte for each %i', (higher, lower, ratio) => {
    const line = new PriorityLine();
    const sent = { [higher]: 0, [lower]: 0 } as Record<Priority, number>;
    for (let count = 0; count < 40; count++) line.push(named(2, 50), lower);
    for (let count = 0; line.bytesOf(lower) > 0; count++) {
      line.push(named(1, 30), higher);
      line.push(named(1, 30), higher);
      const front = line.front()!;
      sent[front[0] === 1 ? higher : lower] += front.length;
      line.advance(front.length);
      expect(count).toBeLessThan(10_000);
    }
    expect(sent[lower]).toBe(2_000);
    expect(Math.abs(sent[higher] - ratio * 2_000)).toBeLessThanOrEqual(30);
  });

  it('of a priority that was silent gets nothing for that', () => {
    const line = new PriorityLine();
    for (let count = 0; count < 100; count++) {
      line.push(named(1), 'high');
      drain(line);
    }
    for (let count = 0; count < 10; count++) line.push(named(1), 'high');
    for (let count = 0; count < 10; count++) line.push(named(2), 'low');
    expect(drain(line)).toEqual([...Array(10).fill(1), ...Array(10).fill(2)]);
  });

  it('and is true after all before it alone, leaves after that and before what came later', () => {
    const line = lineOf([1, 'low'], [2, 'high'], [9, 'after-all'], [3, 'high'], [4, 'low']);
    // A low one leaves last of those before it: what came later and is higher may overtake.
    expect(drain(line)).toEqual([2, 3, 1, 9, 4]);
    expect(drain(lineOf([9, 'after-all'], [3, 'high']))).toEqual([9, 3]);
  });

  it('is given up for another link to carry, the highest first', () => {
    const line = lineOf([1, 'low'], [2, 'high'], [3, 'high']);
    line.front();
    line.advance(10);
    expect(line.take(false).map((each) => each[0])).toEqual([3, 1]);
    expect(line.bytes).toBe(90);
    expect(line.take(true).map((each) => each[0])).toEqual([2]);
    expect([line.bytes, line.front()]).toEqual([0, undefined]);
  });
});

describe('the queue of a link', () => {
  it('says of a Block by which Sync Group it goes, and of nothing else', () => {
    const { block } = blockOf({ group: GROUPS.high, issuer: A, sequence: 1 });
    const header = { kind: 'block', block, payload: null } as const;
    const metablock = metablockOf({
      group: GROUPS.high,
      issuer: A,
      generation: 0,
      predecessor: null,
      blocks: [block],
    });
    const groups = [header, { kind: 'metablock', metablock } as const].map((item) =>
      groupOfBlock(encodeMessage({ kind: 'item', item, answer: false })),
    );
    expect([groupOfBlock(blockMessage('low', 10)), ...groups]).toEqual([
      GROUPS.low,
      GROUPS.high,
      null,
    ]);
  });

  it('takes what goes first although it is full of what goes later', () => {
    const outbox = new Outbox(PACE);
    const low = blockMessage('low', 30_000);
    while (outbox.laneFor(low, 'low') !== null) outbox.push('bulk', low, { turn: 'low' });
    expect(outbox.laneFor(low, 'high')).toBe('bulk');
    const high = blockMessage('high', 30_000);
    while (outbox.laneFor(high, 'high') !== null) outbox.push('bulk', high, { turn: 'high' });
    expect(outbox.laneFor(low, 'normal')).toBe(null);
  });

  it('asks whether a message is needless when it leaves, however long others overtook it', () => {
    const outbox = new Outbox(PACE);
    let isNeedless = false;
    const frame = new Uint8Array(200);
    outbox.push('bulk', named(1), { turn: 'low', isNeedless: () => isNeedless });
    outbox.push('bulk', named(2), { turn: 'high' });
    outbox.fill(frame.subarray(0, 103));
    isNeedless = true;
    expect([frame[3], outbox.fill(frame), outbox.isEmpty]).toEqual([2, 0, true]);
  });

  it.each(['bulk', 'offered'] as const)('of datagrams sends %s by priority too', (way) => {
    const framing = new LooseFraming({
      timers: new Stage(),
      room: new AssemblyRoom(100_000),
      tenant: { owner: 'a', onEvicted: () => undefined },
      pace: PACE,
      wake: () => undefined,
      onLoss: () => undefined,
    });
    for (const [name, priority] of [
      [101, 'low'],
      [102, 'normal'],
      [103, 'high'],
    ] as const) {
      framing.push(way, named(name, 50), { turn: priority });
    }
    expect(PRIORITIES.map((each) => framing.bulkBytesOf(each))).toEqual([50, 50, 50]);
    const frame = new Uint8Array(1_000);
    const used = framing.fill(frame);
    const order = [...frame.subarray(0, used)].filter((byte, at, all) => {
      const run = all.slice(at, at + 50);
      return byte > 100 && byte < 104 && run.length === 50 && run.every((each) => each === byte);
    });
    expect(order).toEqual([103, 102, 101]);
  });
});

describe('what is asked for', () => {
  it('waits for none of another priority, here or there', () => {
    const holder = new Holder(A);
    const asked: string[] = [];
    const names = new Map<string, string>(Object.entries(GROUPS).map(([name, id]) => [id, name]));
    for (const priority of PRIORITIES) holder.priorities.set(GROUPS[priority], priority);
    const others = [0, 1, 2].map((count) => idOf(`low ${count}`));
    for (const each of others) holder.priorities.set(each, 'low');
    const ranges = new Ranges({
      source: holder,
      paceOf: () => ({ rangesPerPeerMax: 1, answerMs: 5_000, isSlow: true, bytesPerSecond: 960 }),
      send: (_peer, message: Message) => {
        if (message.kind === 'want-range') asked.push(names.get(message.group) ?? 'another');
      },
      wake: () => undefined,
    });
    const observe = (groups: readonly string[]) => {
      const place = { finalized: null, head: null, ballot: 0 } as const;
      const issuers = [{ issuer: idOf('b'), sequence: 9, block: idOf('b 9') }];
      const digests = groups.map((group) => [group, { group, ...place, issuers }] as const);
      ranges.observe(idOf('b'), new Map(digests) as never);
      ranges.plan(0);
    };
    observe([GROUPS.low, ...others]);
    expect(asked).toEqual(['low']);
    observe([GROUPS.low, ...others, GROUPS.high, GROUPS.normal]);
    expect(asked).toEqual(['low', 'high', 'normal']);
  });

  it('is answered by priority, and no priority hears of another', () => {
    const holder = new Holder(A);
    const queue = new AnswerQueue(holder, GOSSIP_SETTINGS);
    const blocks = PRIORITIES.map((priority) => {
      holder.priorities.set(GROUPS[priority], priority);
      return holder.issue(GROUPS[priority]);
    });
    for (const { id } of blocks) queue.add({ kind: 'want-blocks', ids: [idOf('nowhere'), id] });
    for (const [index, priority] of PRIORITIES.entries()) {
      expect(queue.pull(priority)?.message).toMatchObject({ item: { block: blocks[index] } });
      expect(queue.pull(priority)?.message).toMatchObject({ kind: 'not-found' });
      expect(queue.pull(priority)).toBe(null);
    }
  });
});

describe('over a line of 9,600 baud', () => {
  /** Two whose priorities are the same, not linked yet. */
  async function pair() {
    const house = new House();
    const options = { kind: 'serial', bytesPerSecond: 960, frameBytesMax: 256 } as const;
    const line = new Line(house.network, { ...options, timers: house.stage });
    const [a, b] = [
      await house.add('a', {}, { transports: [line] }),
      await house.add('b', {}, { transports: [line] }),
    ];
    for (const { holder } of [a, b]) {
      for (const priority of PRIORITIES) holder.priorities.set(GROUPS[priority], priority);
    }
    await b.mesh.listen('serial:b-cable');
    const link = async () => {
      a.mesh.dial('serial:b-cable');
      await house.stage.until(() => isLinked(a, b) && isLinked(b, a));
    };
    const arrived = (priority: Priority) => b.holder.sequenceOf(GROUPS[priority], a.id);
    return { house, a, b, link, arrived };
  }

  it('what was missed comes by priority, and all of it comes', async () => {
    const { house, a, link, arrived } = await pair();
    for (let count = 0; count < 40; count++) {
      for (const priority of ['low', 'normal', 'high'] as const) {
        a.holder.issue(GROUPS[priority], payloadOf(1_500));
      }
    }
    await link();
    const atEnd: Record<string, number[]> = {};
    for (const priority of PRIORITIES) {
      await house.stage.until(() => arrived(priority) === 40, 1_200_000, 100);
      atEnd[priority] = PRIORITIES.map(arrived);
    }
    // Of 40 Blocks the next priority has an eighth when the one before it has all.
    expect(atEnd['high']![1]).toBeLessThanOrEqual(6);
    expect(atEnd['high']![2]).toBeLessThanOrEqual(1);
    expect(atEnd['normal']![2]).toBeLessThanOrEqual(6);
    expect(atEnd['low']).toEqual([40, 40, 40]);
  });

  it('an urgent Block overtakes what is being fetched, and what was said before it', async () => {
    const { house, a, link, arrived } = await pair();
    for (let count = 0; count < 40; count++) a.holder.issue(GROUPS.low, payloadOf(2_000));
    await link();
    await house.stage.until(() => arrived('low') >= 3, 120_000, 100);
    for (let count = 0; count < 20; count++) a.holder.issue(GROUPS.normal, payloadOf(2_000));
    await house.stage.advance(5_000);
    a.holder.issue(GROUPS.high, payloadOf(2_000));
    const before = arrived('low') + arrived('normal');
    await house.stage.until(() => arrived('high') === 1, 60_000, 100);
    expect(arrived('low') + arrived('normal')).toBeLessThanOrEqual(before + 2);
    await house.stage.until(
      () => arrived('low') === 40 && arrived('normal') === 20,
      600_000,
      1_000,
    );
  });

  it('more of a high priority than it carries shuts no low one out', async () => {
    const { house, a, link, arrived } = await pair();
    for (let count = 0; count < 10; count++) a.holder.issue(GROUPS.low, payloadOf(100));
    await link();
    const issued = () => a.holder.sequenceOf(GROUPS.high, a.id);
    for (let second = 0; arrived('low') < 10; second++) {
      a.holder.issue(GROUPS.high, payloadOf(1_000));
      await house.stage.advance(1_000);
      expect(second).toBeLessThan(1_200);
    }
    expect(arrived('high')).toBeLessThan(issued());
  });
});
