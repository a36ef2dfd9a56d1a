import { describe, expect, it, vi } from 'vitest';
import type { Block } from '../../src/model/block.ts';
import type { GroupId } from '../../src/model/sync-group.ts';
import { House, type Resident } from './gossip-house.ts';
import { certificateOf, idOf, payloadOf } from './gossip-samples.ts';

const GROUP: GroupId = idOf('group');
const VOTERS = [idOf('a'), idOf('b')] as const;

/** A chain of `levels` Metablocks, each with a Block of `blockBytes`. */
function grow(resident: Resident, levels: number, blockBytes: number): void {
  for (let level = 0; level < levels; level++) {
    const block = resident.holder.issue(GROUP, payloadOf(blockBytes, level & 0xff));
    resident.holder.extend(GROUP, [block], VOTERS);
  }
}

describe('whoever joins late', () => {
  it('gets a whole chain of thousands of Levels, in order, with its head', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    grow(a, 3_000, 2_000);
    await house.link(b, a);
    await house.stage.until(() => b.holder.levelOf(GROUP) === a.holder.levelOf(GROUP));
    expect(b.holder.levelOf(GROUP)).toBe(2_998);
    expect(b.holder.digest()).toEqual(a.holder.digest());
    expect(Math.max(...b.holder.delivered.values())).toBeLessThanOrEqual(2);
  });

  it('begins as soon as it is linked', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    grow(a, 10, 100);
    await house.link(b, a);
    await house.stage.advance(20);
    expect(b.holder.levelOf(GROUP)).toBe(8);
  });

  it('looks for nothing any more once it is closed, whatever it still missed', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    await house.link(b, a);
    const missing = Array.from({ length: 20 }, (_, index) => idOf(`missing ${index}`));
    b.mesh.want({ group: GROUP, blocks: [], metablocks: missing });
    await house.stage.advance(300);
    expect(b.mesh.status().wantedIds).toBeGreaterThan(0);
    const closing = b.mesh.close();
    await house.stage.advance(1_000);
    await closing;
    const source = vi.spyOn(b.holder, 'metablock');
    await house.stage.advance(60_000);
    expect(source).not.toHaveBeenCalled();
  });

  it('fills neither its own memory nor that of whom it asks', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    grow(a, 400, 50_000);
    b.mesh.dial('memory:a');
    let mostQueued = 0;
    for (let turn = 0; turn < 20_000; turn++) {
      await Promise.resolve();
      house.stage.turns(1);
      mostQueued = Math.max(mostQueued, a.mesh.status().peers[0]?.queuedBytes ?? 0);
    }
    await house.stage.until(() => b.holder.levelOf(GROUP) === a.holder.levelOf(GROUP));
    // What waits, what the link holds, and one Block beyond each.
    expect(mostQueued).toBeLessThan(128 * 1024 + 64 * 1024 + 4 * 65_535);
  });

  it('can be told to wait in the middle and goes on afterwards', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    grow(a, 500, 10_000);
    b.mesh.dial('memory:a');
    const { holder } = b;
    const onItems = holder.onItems.bind(holder);
    let batches = 0;
    holder.onItems = (deliveries) => {
      batches += 1;
      if (batches % 7 === 0) {
        b.mesh.pause();
        house.stage.after(30_000, () => b.mesh.resume());
      }
      onItems(deliveries);
    };
    await house.stage.until(() => b.holder.levelOf(GROUP) === 498, 3_600_000, 5_000);
    expect(b.holder.digest()).toEqual(a.holder.digest());
  });

  it('gets the causal logs of single owners, from several peers at once', async () => {
    const house = new House();
    const a = await house.add('a');
    const b = await house.add('b');
    await house.link(a, b);
    const groups = Array.from({ length: 12 }, (_, index) => idOf(`sole ${index}`));
    for (let count = 0; count < 50; count++) {
      for (const group of groups) a.holder.issue(group, payloadOf(3_000));
      await house.stage.settle();
    }
    await house.stage.advance(2_000);
    const c = await house.add('c');
    c.mesh.dial('memory:a');
    c.mesh.dial('memory:b');
    await house.stage.until(() => groups.every((each) => c.holder.sequenceOf(each, a.id) === 50));
    const servedBy = (resident: Resident) =>
      resident.mesh.status().peers.find((each) => each.peer === c.id)?.counters.messagesSent[
        'item-block'
      ] ?? 0;
    expect(servedBy(a)).toBeGreaterThan(100);
    expect(servedBy(b)).toBeGreaterThan(100);
    expect(servedBy(a) + servedBy(b)).toBe(600);
  });

  it('does not ask for groups that it does not want, until it does', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    const other = idOf('other');
    a.holder.issue(GROUP);
    a.holder.issue(other);
    b.holder.unwanted.add(GROUP);
    await house.link(b, a);
    await house.stage.advance(20_000);
    expect([b.holder.sequenceOf(GROUP, a.id), b.holder.sequenceOf(other, a.id)]).toEqual([0, 1]);
    b.holder.unwanted.delete(GROUP);
    b.mesh.changed();
    await house.stage.advance(1_000);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(1);
  });

  it('goes on with another peer when the one it asked falls silent', async () => {
    const house = new House();
    const [a, b, c] = [await house.add('a'), await house.add('b'), await house.add('c')];
    grow(a, 300, 20_000);
    await house.link(a, b);
    await house.stage.until(() => b.holder.levelOf(GROUP) === 298);
    c.mesh.dial('memory:a');
    c.mesh.dial('memory:b');
    await house.stage.until(() => c.holder.levelOf(GROUP) > 10, 60_000, 1);
    const [serving] = [a, b].sort((x, y) => sentTo(y, c) - sentTo(x, c));
    serving!.cable.isCut = true;
    await house.stage.until(() => c.holder.levelOf(GROUP) === 298, 60_000);
  });

  it('gets what is open above the chain: the head and its votes', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    grow(a, 3, 100);
    await house.link(b, a);
    await house.stage.advance(1_000);
    expect(b.holder.digest()).toEqual(a.holder.digest());
    expect(b.holder.digest()[0]?.head).not.toBeNull();
  });
});

function sentTo(from: Resident, to: Resident): number {
  const peer = from.mesh.status().peers.find((each) => each.peer === to.id);
  return peer?.counters.messagesSent['item-block'] ?? 0;
}

describe('what was lost', () => {
  it('a moment ago because a Participant could not keep it is asked for again soon', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    await house.link(a, b);
    b.holder.isDeaf = true;
    a.holder.issue(GROUP);
    await house.stage.advance(2_000);
    expect(b.holder.answers).toBe(1);
    b.holder.isDeaf = false;
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 1, 2_000);
  });

  it('of votes comes with a new link, although both stand at the same head', async () => {
    const house = new House();
    const a = await house.add('a', { missedPingsMax: 1_000 });
    const b = await house.add('b', { pingMs: 1_000 });
    await house.link(b, a);
    const block = a.holder.issue(GROUP);
    const head = a.holder.extend(GROUP, [block], VOTERS);
    await house.stage.advance(2_000);
    a.cable.isCut = true;
    const vote = (voter: string) => ({
      kind: 'certificate' as const,
      certificate: certificateOf(GROUP, head, idOf(voter)),
    });
    a.holder.say(vote('c'));
    b.holder.say(vote('d'));
    await house.stage.advance(2_000);
    a.cable.isCut = false;
    // a never noticed: for it the peer only changed to another link.
    await house.stage.until(() => a.holder.certificates(head.id).length === 4, 20_000);
    await house.stage.until(() => b.holder.certificates(head.id).length === 4, 20_000);
    expect(a.holder.events.filter((each) => each.kind === 'down')).toEqual([]);
  });

  it('while a link was cut comes after it is back, whoever issued', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    await house.link(a, b);
    b.cable.isCut = true;
    for (let count = 0; count < 20; count++) {
      a.holder.issue(GROUP);
      b.holder.issue(GROUP);
    }
    await house.stage.advance(200_000);
    b.cable.isCut = false;
    await house.stage.until(
      () => a.holder.sequenceOf(GROUP, b.id) === 20 && b.holder.sequenceOf(GROUP, a.id) === 20,
      120_000,
    );
  });

  it('because a Participant could not keep it is asked for again', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    await house.link(a, b);
    b.holder.isDeaf = true;
    for (let count = 0; count < 5; count++) a.holder.issue(GROUP);
    await house.stage.advance(60_000);
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(0);
    const asked = sentTo(a, b);
    // Refusing what it asked for costs little: it asks less and less often.
    expect(asked).toBeLessThan(60);
    b.holder.isDeaf = false;
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 5, 120_000);
  });

  it('by a relay in the middle of a line reaches its end through digests', async () => {
    const house = new House();
    const [a, b, c] = [await house.add('a'), await house.add('b'), await house.add('c')];
    a.holder.issue(GROUP);
    await house.link(b, c);
    await house.link(a, b);
    await house.stage.until(() => c.holder.sequenceOf(GROUP, a.id) === 1, 10_000);
  });

  it('and a fork: a Block that stands where we have another is fetched once', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    const mine = a.holder.issue(GROUP, payloadOf(10));
    const liar = await house.add('liar', {}, { as: 'a' });
    const other = liar.holder.issue(GROUP, payloadOf(20));
    expect(other.id).not.toBe(mine.id);
    b.holder.keep({ kind: 'block', block: other, payload: payloadOf(20) });
    await house.link(a, b);
    await house.stage.advance(30_000);
    expect(a.holder.payload(other.id)).not.toBeNull();
    expect(b.holder.payload(mine.id)).not.toBeNull();
    expect([sentTo(a, b), sentTo(b, a)]).toEqual([1, 1]);
  });
});

describe('a want', () => {
  async function holding(names: string): Promise<{ house: House; all: Resident[]; block: Block }> {
    const house = new House();
    const all: Resident[] = [];
    for (const name of names) all.push(await house.add(name));
    const block = all[0]!.holder.issue(GROUP);
    // Known to some, listed by nobody: only a want finds it.
    for (const each of all) each.holder.digest = () => [];
    for (const each of all.slice(1))
      await house.link(all.at(-1)!, each === all.at(-1) ? all[0]! : each);
    await house.stage.advance(1_000);
    return { house, all, block };
  }

  it('is asked of one after the other until somebody has it', async () => {
    const { house, all, block } = await holding('abcd');
    const d = all[3]!;
    d.holder.want({ group: GROUP, blocks: [block.id, block.id], metablocks: [] });
    d.holder.want({ group: GROUP, blocks: [block.id], metablocks: [] });
    expect(d.mesh.status().wantedIds).toBe(1);
    await house.stage.until(() => d.holder.payload(block.id) !== null, 5_000);
    expect(d.mesh.status().wantedIds).toBe(0);
    expect(d.holder.delivered.get(block.id)).toBe(1);
  });

  it('of a Metablock brings its Certificates along', async () => {
    const { house, all } = await holding('ab');
    const [a, b] = all as [Resident, Resident];
    a.mesh.broadcast = () => undefined;
    const metablock = a.holder.extend(GROUP, [], VOTERS);
    b.holder.want({ group: GROUP, blocks: [], metablocks: [metablock.id] });
    await house.stage.until(() => b.holder.certificates(metablock.id).length === 2, 5_000);
  });

  it('is not sent for what comes by itself a moment later', async () => {
    const { house, all } = await holding('ab');
    const [a, b] = all as [Resident, Resident];
    const block = a.holder.issue(GROUP);
    b.holder.want({ group: GROUP, blocks: [block.id], metablocks: [] });
    await house.stage.advance(10_000);
    const sent = b.mesh.status().peers[0]?.counters.messagesSent['want-blocks'];
    expect(sent).toBeUndefined();
    expect(b.mesh.status().wantedIds).toBe(0);
  });

  it('for what nobody has is given up in the end', async () => {
    const { house, all } = await holding('ab');
    const b = all[1]!;
    b.holder.want({ group: GROUP, blocks: [idOf('nothing')], metablocks: [idOf('nowhere')] });
    await house.stage.advance(20_000);
    expect(b.mesh.status().wantedIds).toBe(2);
    await house.stage.advance(600_000);
    expect(b.mesh.status().wantedIds).toBe(0);
  });

  it('takes no more ids than it may hold', async () => {
    const house = new House();
    const a = await house.add('a', { wantedMax: 100 });
    const blocks = Array.from({ length: 500 }, (_, index) => idOf(`wanted ${index}`));
    a.mesh.want({ group: GROUP, blocks, metablocks: [] });
    expect(a.mesh.status().wantedIds).toBe(100);
  });
});

describe('an idle World', () => {
  it('sends less than 600 bytes a minute from each of three', async () => {
    const house = new House();
    const all = [await house.add('a'), await house.add('b'), await house.add('c')];
    const [a, b, c] = all as [Resident, Resident, Resident];
    await house.link(a, b);
    await house.link(b, c);
    await house.link(a, c);
    for (const each of all) grow(each, 1, 100);
    await house.stage.advance(120_000);
    const before = all.map((each) => each.mesh.status().totals.bytesSent);
    await house.stage.advance(600_000);
    const perMinute = all.map((each, index) => {
      return (each.mesh.status().totals.bytesSent - before[index]!) / 10;
    });
    for (const bytes of perMinute) expect(bytes).toBeLessThan(600);
    for (const bytes of perMinute) expect(bytes).toBeGreaterThan(100);
  });

  it('stays quiet even where two differ and cannot help each other', async () => {
    const house = new House();
    const [a, b] = [await house.add('a'), await house.add('b')];
    a.holder.issue(GROUP);
    b.holder.unwanted.add(GROUP);
    await house.link(a, b);
    await house.stage.advance(120_000);
    const before = a.mesh.status().totals.bytesSent;
    await house.stage.advance(600_000);
    expect((a.mesh.status().totals.bytesSent - before) / 10).toBeLessThan(400);
  });
});
