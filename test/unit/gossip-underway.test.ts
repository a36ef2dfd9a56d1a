import { describe, expect, it } from 'vitest';
import { BlocksUnderway } from '../../src/gossip/blocks-underway.ts';
import { encodeMessage } from '../../src/gossip/message-writer.ts';
import { Outbox } from '../../src/gossip/outbox.ts';
import { paceOf } from '../../src/gossip/pace.ts';
import { GOSSIP_SETTINGS } from '../../src/gossip/settings.ts';
import type { Block } from '../../src/model/block.ts';
import type { LinkKind } from '../../src/ports/link.ts';
import { House, isLinked, type Resident } from './gossip-house.ts';
import { Line } from './gossip-line.ts';
import { blockOf, idOf, payloadOf } from './gossip-samples.ts';

const GROUP = idOf('group');
const BAUD_9600 = 960;
const PACE = paceOf(GOSSIP_SETTINGS, {
  kind: 'serial',
  bytesPerSecond: BAUD_9600,
  isOrdered: true,
});

const sentTo = (from: Resident, to: Resident, name: string): number =>
  from.mesh.status().peers.find((each) => each.peer === to.id)?.counters.messagesSent[name] ?? 0;

/** Links `from` to c over a slow line of its own. */
async function lay(house: House, line: Line, from: Resident, c: Resident): Promise<void> {
  const url = `${line.kind}:c-${line.kind}`;
  await c.mesh.listen(url);
  from.mesh.dial(url);
  await house.stage.until(() => isLinked(from, c) && isLinked(c, from));
}

function lineOf(house: House, kind: LinkKind): Line {
  const options = { kind, bytesPerSecond: BAUD_9600, timers: house.stage };
  return new Line(house.network, options);
}

describe('a Block that waits to be sent', () => {
  it('is not sent once more because it was asked for meanwhile', async () => {
    const house = new House();
    const line = lineOf(house, 'serial');
    const a = await house.add('a', {}, { transports: [line] });
    const c = await house.add('c', {}, { transports: [line] });
    await lay(house, line, a, c);
    await house.stage.advance(60_000);
    const blocks = Array.from({ length: 6 }, () => a.holder.issue(GROUP, payloadOf(9_000)));
    await house.stage.advance(2_000);
    c.holder.want({ group: GROUP, blocks: blocks.slice(3).map(({ id }) => id), metablocks: [] });
    await house.stage.until(() => c.holder.sequenceOf(GROUP, a.id) === 6, 600_000);
    await house.stage.advance(300_000);
    expect(sentTo(c, a, 'want-blocks')).toBeGreaterThan(0);
    expect(sentTo(a, c, 'item-block')).toBe(6);
    expect(blocks.map(({ id }) => c.holder.delivered.get(id))).toEqual(blocks.map(() => 1));
    expect(c.mesh.status().wantedIds).toBe(0);
  });

  it('is sent once somebody relies on it, whatever is heard before its turn', () => {
    const outbox = new Outbox(PACE);
    const frame = new Uint8Array(2_000);
    const push = (sequence: number) => {
      const { block, payload } = blockOf({ group: GROUP, issuer: idOf('a'), sequence });
      const item = { kind: 'block', block, payload } as const;
      const about = { block: block.id, isNeedless: () => true };
      outbox.push('bulk', encodeMessage({ kind: 'item', item, answer: false }), about);
      return block.id;
    };
    push(1);
    expect(outbox.fill(frame)).toBe(0);
    const relied = push(2);
    expect(outbox.blocks.promise(relied, outbox.blocks.mark)).toBe(true);
    expect(outbox.fill(frame)).toBeGreaterThan(0);
  });

  it('counts as sent from when it was asked for, and no more when asked for again', () => {
    const blocks = new BlocksUnderway();
    const [first, second] = [idOf('first'), idOf('second')];
    blocks.pushed(first);
    blocks.pushed(second);
    const before = blocks.mark;
    blocks.sent(first);
    blocks.dropped(second);
    expect([first, second].map((each) => blocks.promise(each, before))).toEqual([true, false]);
    expect(blocks.promise(first, blocks.mark)).toBe(false);
  });

  it('is remembered for a while after it left, and what is remembered has a bound', () => {
    const blocks = new BlocksUnderway();
    const before = blocks.mark;
    const ids = Array.from({ length: 2_000 }, (_, index) => idOf(`block ${index}`));
    for (const id of ids) {
      blocks.pushed(id);
      blocks.sent(id);
    }
    const known = ids.filter((id) => blocks.promise(id, before));
    expect(known).toEqual(ids.slice(-512));
  });

  it('waits as often as it was pushed', () => {
    const blocks = new BlocksUnderway();
    const block = idOf('twice');
    blocks.pushed(block);
    blocks.pushed(block);
    blocks.dropped(block);
    expect(blocks.promise(block, blocks.mark)).toBe(true);
    blocks.dropped(block);
    expect(blocks.promise(block, blocks.mark)).toBe(false);
    expect(blocks.isPromised(block)).toBe(false);
  });
});

describe('a Block that comes part by part', () => {
  /** c gets one from a, over a line that takes half a minute for it; b, on another link, has it. */
  async function coming(over: 'mqtt' | 'memory') {
    const house = new House();
    const [line, other] = [lineOf(house, 'serial'), lineOf(house, 'mqtt')];
    const a = await house.add('a', {}, { transports: [line] });
    const b = await house.add('b', {}, { transports: [other] });
    const c = await house.add('c', {}, { transports: [line, other] });
    // Only a want finds anything.
    for (const each of [a, b, c]) each.holder.digest = () => [];
    await lay(house, line, a, c);
    if (over === 'mqtt') await lay(house, other, b, c);
    else await house.link(b, c);
    await house.stage.advance(60_000);
    const payload = payloadOf(30_000);
    const block: Block = a.holder.issue(GROUP, payload);
    b.holder.keep({ kind: 'block', block, payload });
    await house.stage.advance(3_000);
    c.holder.want({ group: GROUP, blocks: [block.id], metablocks: [] });
    return { house, line, a, b, c, block };
  }

  it('is asked of nobody else on a slow link', async () => {
    const { house, b, c, block } = await coming('mqtt');
    await house.stage.until(() => c.holder.payload(block.id) !== null, 120_000);
    await house.stage.advance(120_000);
    expect(sentTo(c, b, 'want-blocks')).toBe(0);
    expect(sentTo(b, c, 'item-block')).toBe(0);
    expect(c.holder.delivered.get(block.id)).toBe(1);
    expect(c.mesh.status().wantedIds).toBe(0);
  });

  it('is asked of somebody else once nothing more comes of it', async () => {
    const { house, line, b, c, block } = await coming('mqtt');
    line.isCut = true;
    await house.stage.until(() => c.holder.payload(block.id) !== null, 120_000);
    expect(sentTo(b, c, 'item-block')).toBe(1);
  });

  it('is asked of somebody on a better link at once', async () => {
    const { house, c, block } = await coming('memory');
    await house.stage.until(() => c.holder.payload(block.id) !== null, 2_000);
  });
});
