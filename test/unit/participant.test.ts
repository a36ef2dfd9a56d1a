import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/participant/agent.ts';
import type { PulledEntry } from '../../src/participant/face.ts';
import { Hub } from './participant-hub.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');

const open: Agent[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const agent of open.splice(0)) await agent.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function start(hub: Hub, ...agents: Agent[]): Promise<void> {
  open.push(...agents);
  for (const agent of agents) await agent.start();
  expect(hub.agents).toEqual(expect.arrayContaining(agents));
}

/** Waits until so many Entries are final, and gives them. */
async function finals(agent: Agent, count: number): Promise<PulledEntry[]> {
  const entries: PulledEntry[] = [];
  for await (const entry of agent.channel('door').follow(1, AbortSignal.timeout(20_000))) {
    entries.push(entry);
    if (entries.length === count) break;
  }
  expect(entries).toHaveLength(count);
  return entries;
}

/** Waits until the Sync Group is known everywhere. */
async function known(...agents: Agent[]): Promise<void> {
  for (const agent of agents) {
    await expect.poll(() => agent.groups().some(({ pact }) => pact === 'door')).toBe(true);
  }
}

async function threeOwners(): Promise<{ hub: Hub; a: Agent; b: Agent; c: Agent }> {
  const hub = new Hub();
  const [a, b, c] = [hub.open('a', 1), hub.open('b', 2), hub.open('c', 3)];
  await start(hub, a, b, c);
  await a.addPact(DOOR);
  await a.addGroup('door', [a.avatar, b.avatar, c.avatar]);
  await known(a, b, c);
  return { hub, a, b, c };
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'vertebra-test-'));
  folders.push(made);
  return made;
}

describe('Participants', () => {
  it('owners who push at the same time end with one order, each Entry in it once', async () => {
    const { a, b, c } = await threeOwners();
    for (let round = 0; round < 5; round++) {
      await a.channel('door').push([{ door: `a${round}`, open: true }]);
      await b.channel('door').push([{ door: `b${round}`, open: false }]);
      await c.channel('door').push([{ door: `c${round}`, open: true }]);
    }
    const [atA, atB, atC] = [await finals(a, 15), await finals(b, 15), await finals(c, 15)];
    expect(atB).toEqual(atA);
    expect(atC).toEqual(atA);
    expect(new Set(atA.map(({ entry }) => entry?.['door'])).size).toBe(15);
    expect(atA.map(({ sequence }) => sequence)).toEqual(atA.map((_, index) => index + 1));
  });

  it('two of three go on without the third', async () => {
    const { hub, a, b, c } = await threeOwners();
    hub.cut.add(c.avatar);
    await a.channel('door').push([{ door: 'front', open: true }]);
    expect(await finals(b, 1)).toEqual(await finals(a, 1));
    expect(c.channel('door').pull(1, 10)).toEqual([]);
  });

  it('one of three alone finalizes nothing, and keeps what was pushed', async () => {
    const { hub, a, b, c } = await threeOwners();
    hub.cut.add(b.avatar).add(c.avatar);
    await a.channel('door').push([{ door: 'front', open: true }]);
    await a.channel('door').flushed();
    expect(await a.drain(300)).toBe(false);
    expect(a.channel('door').pull(1, 10)).toEqual([]);
  });

  it('an Entry is traced to the owners that issued, hold and certified it', async () => {
    const { a, b } = await threeOwners();
    await a.channel('door').push([{ door: 'front', open: true }]);
    await a.channel('door').finalized();
    await b.channel('door').follow(1, new AbortController().signal)[Symbol.asyncIterator]().next();
    const atA = a.trace('door', 1);
    const atB = b.trace('door', 1);
    expect(atB).toMatchObject({ group: atA.group, block: atA.block, issuer: a.avatar });
    const stateOf = (report: typeof atA, avatar: string) =>
      report.owners.find((each) => each.avatar === avatar)?.state;
    expect([stateOf(atA, a.avatar), stateOf(atB, a.avatar)]).toEqual(['here', 'issued']);
    expect(stateOf(atB, b.avatar)).toBe('here');
    for (const report of [atA, atB]) {
      expect(report.metablock).not.toBeNull();
      expect(report.owners.filter(({ state }) => state !== 'unknown').length).toBeGreaterThan(1);
    }
    expect(() => a.trace('door', 2)).toThrow(expect.objectContaining({ code: 'entry-unknown' }));
  });

  it('a sole owner’s Entry is final when it is durable', async () => {
    const hub = new Hub();
    const a = hub.open('a', 1);
    await start(hub, a);
    await a.addPact(DOOR);
    await a.addGroup('door', ['self']);
    await a.channel('door').push([{ door: 'front', open: true }]);
    await a.channel('door').flushed();
    expect(
      a
        .channel('door')
        .pull(1, 10)
        .map(({ sequence }) => sequence),
    ).toEqual([1]);
  });

  it('an Entry that breaks its Pact is refused by field, and nothing is taken', async () => {
    const { a } = await threeOwners();
    const push = a.channel('door').push([
      { door: 'front', open: true },
      { door: 'front', open: 'yes' },
    ]);
    await expect(push).rejects.toMatchObject({ code: 'entry-invalid', where: 'open' });
    await expect(push).rejects.toThrow(/Entry 1 .*open/);
    expect(a.groups().find(({ pact }) => pact === 'door')?.bufferedEntries).toBe(0);
  });

  it('a full Entry Buffer refuses or makes wait as told, and loses nothing', async () => {
    const hub = new Hub();
    const limits = { entryBufferEntriesMax: 4, pendingBlocksMax: 1 };
    const [a, b] = [hub.open('a', 1, limits), hub.open('b', 2)];
    await start(hub, a, b);
    await a.addPact(DOOR);
    await a.addGroup('door', [a.avatar, b.avatar]);
    hub.cut.add(b.avatar);
    const channel = a.channel('door');
    await channel.push([{ door: 'first', open: true }]);
    await channel.flushed();
    let taken = 1;
    while (channel.tryPush({ door: `${taken}`, open: true })) taken++;
    expect(taken).toBe(5);
    const refused = channel.push([{ door: 'no', open: true }], { whenFull: 'refuse' });
    await expect(refused).rejects.toMatchObject({ code: 'buffer-full' });
    const waiting = channel.push([{ door: 'waits', open: true }]);
    hub.cut.delete(b.avatar);
    for (const item of hub.sent) {
      const from = a.avatar;
      if (item.kind === 'block') b.onItems([{ item, from, answer: true }]);
      if (item.kind === 'metablock') b.onItems([{ item, from, answer: true }]);
      if (item.kind === 'certificate') b.onItems([{ item, from, answer: true }]);
    }
    await waiting;
    const doors = (await finals(a, 6)).map(({ entry }) => entry?.['door']);
    expect(doors).toEqual(['first', '1', '2', '3', '4', 'waits']);
  });

  it('everything is there again after a restart, and the order goes on', async () => {
    const file = join(folder(), 'world.db');
    const hub = new Hub();
    const first = hub.open('a', 1, {}, file);
    await first.start();
    await first.addPact(DOOR);
    await first.addGroup('door', ['self']);
    await first.channel('door').push([{ door: 'before', open: true }]);
    await first.close();
    const second = new Hub().open('a', 1, {}, file);
    open.push(second);
    await second.start();
    await second.channel('door').push([{ door: 'after', open: true }]);
    expect((await finals(second, 2)).map(({ entry }) => entry?.['door'])).toEqual([
      'before',
      'after',
    ]);
  });

  it('what a Participant took is durable when close resolves', async () => {
    const file = join(folder(), 'world.db');
    const first = new Hub().open('a', 1, { blockAgeMs: 60_000 }, file);
    await first.start();
    await first.addPact(DOOR);
    await first.addGroup('door', ['self']);
    const channel = first.channel('door');
    for (let count = 0; count < 100; count++) channel.tryPush({ door: `${count}`, open: true });
    await first.close();
    const second = new Hub().open('a', 1, {}, file);
    open.push(second);
    expect(await finals(second, 100)).toHaveLength(100);
  });

  it('a Sync Group whose Pact comes later is made when it comes', async () => {
    const hub = new Hub();
    const [a, b, c] = [hub.open('a', 1), hub.open('b', 2), hub.open('c', 3)];
    await start(hub, a, b, c);
    hub.cut.add(c.avatar);
    await a.addPact(DOOR);
    await expect.poll(() => b.pacts().some(({ name }) => name === 'door')).toBe(true);
    await b.addGroup('door', [a.avatar, b.avatar, c.avatar]);
    hub.cut.delete(c.avatar);
    const blocks = hub.sent.filter((item) => item.kind === 'block').reverse();
    for (const item of blocks) c.onItems([{ item, from: a.avatar, answer: true }]);
    await known(c);
  });

  it('another Pact under a name that is taken is refused', async () => {
    const { a } = await threeOwners();
    const other = JSON.stringify({ ...JSON.parse(DOOR), description: 'another' });
    await expect(a.addPact(other)).rejects.toMatchObject({ code: 'pact-conflict' });
  });

  it('an own Block that this disk lacks stops issuing and voting', async () => {
    const hub = new Hub();
    const [a, b] = [hub.open('a', 1), hub.open('b', 2)];
    await start(hub, a, b);
    await a.addPact(DOOR);
    await a.addGroup('door', [a.avatar, b.avatar]);
    const blocks = hub.sent.filter((item) => item.kind === 'block');
    const copy = new Hub().open('copy of a', 1);
    open.push(copy);
    await copy.start();
    for (const item of blocks) copy.onItems([{ item, from: b.avatar, answer: true }]);
    await expect.poll(() => copy.status().halted).toMatch(/stopped issuing and voting/);
    const window = JSON.stringify({ ...JSON.parse(DOOR), name: 'window' });
    await expect(copy.addPact(window)).rejects.toMatchObject({ code: 'halted' });
    expect(copy.pacts().map(({ name }) => name)).toContain('door');
  });
});
