import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { EntryBuffer } from '../../src/dataflow/entry-buffer.ts';
import type { AvatarId } from '../../src/model/sync-group.ts';
import type { Agent } from '../../src/participant/agent.ts';
import { GroupChannel } from '../../src/participant/channel.ts';
import type { Config } from '../../src/participant/config.ts';
import { decodeHello, encodeHello } from '../../src/participant/directory.ts';
import { Outlet } from '../../src/participant/issuing.ts';
import { deriveGroup } from '../../src/participant/registry.ts';
import { createBuiltInPacts } from '../../src/schema/built-in.ts';
import { createPactReader } from '../../src/schema/pact-reader.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { Hub } from './participant-hub.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');
const SEEN_ELSEWHERE = {
  kind: 'own-avatar-seen',
  remote: 'tcp://192.0.2.1:7411',
  self: false,
} as const;

const open: Agent[] = [];

afterEach(async () => {
  for (const agent of open.splice(0)) await agent.close();
});

async function start(agent: Agent): Promise<Agent> {
  open.push(agent);
  await agent.start();
  return agent;
}

async function soleOwner(): Promise<Agent> {
  const agent = await start(new Hub().open('a', 1));
  await agent.addPact(DOOR);
  await agent.addGroup('door', ['self']);
  return agent;
}

/** Two owners, of whom the second hears and says nothing any more. */
async function leftAlone(config: Partial<Config> = {}): Promise<Agent> {
  const hub = new Hub();
  const [a, b] = [await start(hub.open('a', 1, config)), await start(hub.open('b', 2))];
  await a.addPact(DOOR);
  await a.addGroup('door', [a.avatar, b.avatar]);
  hub.cut.add(b.avatar);
  return a;
}

const ENTRY = { name: 'name', definition: 'text' };
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const { pact } = createBuiltInPacts(hash);

/** An Entry Buffer that one Entry fills, full. */
function fullOutlet(): Outlet {
  const limits = { bytesMax: 1000, drainRatio: 1, blockBytesMax: 1000, blockEntriesMax: 1 };
  const buffer = new EntryBuffer({ ...limits, entriesMax: 1 });
  buffer.offer(new Uint8Array(1), 0);
  return new Outlet(deriveGroup(hash, pact, ['00'.repeat(32) as AvatarId]), buffer);
}

function channelOf(outlet: Outlet): GroupChannel {
  return new GroupChannel({
    group: outlet.group,
    codec: createPactReader({ hash }).codecOf(pact),
    store: openStore({ file: ':memory:', hash }),
    outlet,
    pullMax: 1,
    entryBytesMax: 1000,
    monotonicMs: () => 0,
    refusal: () => null,
    ended: () => null,
    line: () => [],
    isClosed: () => false,
    changed: () => undefined,
    onFinal: () => () => undefined,
  });
}

describe('a Channel', () => {
  it('takes from others what its own Participant would not push', async () => {
    const hub = new Hub();
    const [a, b] = [
      await start(hub.open('a', 1)),
      await start(hub.open('b', 2, { entryBytesMax: 64 })),
    ];
    await a.addPact(DOOR);
    await a.addGroup('door', [a.avatar, b.avatar]);
    await expect.poll(() => b.groups().some(({ pact }) => pact === 'door')).toBe(true);
    const long = { door: 'd'.repeat(64), open: true };
    await a.channel('door').push([long]);
    await a.channel('door').finalized(AbortSignal.timeout(10_000));
    await expect.poll(() => b.channel('door').pull(1, 1)[0]?.entry).toEqual(long);
    expect(hub.log.filter((line) => line.includes('misbehaved'))).toEqual([]);
    await expect(b.channel('door').push([long])).rejects.toMatchObject({ code: 'entry-too-long' });
  });

  it('that is followed for long listens to its signal once', async () => {
    const agent = await soleOwner();
    const channel = agent.channel('door');
    const { signal } = new AbortController();
    const following = channel.follow(1, signal)[Symbol.asyncIterator]();
    for (let count = 0; count < 20; count++) {
      await channel.push([{ door: `${count}`, open: true }]);
      await following.next();
    }
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
    await following.return?.();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('that is followed ends with its Participant', async () => {
    const agent = await soleOwner();
    const following = agent.channel('door').follow(1, new AbortController().signal);
    const next = following[Symbol.asyncIterator]().next();
    await agent.close();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('that waits for room listens to its signal once', async () => {
    const outlet = fullOutlet();
    const ending = new AbortController();
    const channel = channelOf(outlet);
    const waiting = channel.push([ENTRY], { signal: ending.signal });
    for (let count = 0; count < 20; count++) {
      outlet.changed();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect(getEventListeners(ending.signal, 'abort')).toHaveLength(1);
    ending.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('waits for nothing once its signal has come', async () => {
    const agent = await leftAlone();
    const channel = agent.channel('door');
    await channel.push([{ door: 'front', open: true }]);
    const over = AbortSignal.abort(new Error('over'));
    await expect(channel.finalized(over)).rejects.toThrow('over');
  });

  it('of a Participant that stopped issuing makes nobody wait', async () => {
    const limits = { entryBufferEntriesMax: 1, pendingBlocksMax: 1 };
    const agent = await leftAlone(limits);
    const channel = agent.channel('door');
    const entry = { door: 'front', open: true };
    await channel.push([entry]);
    await channel.flushed();
    await channel.push([entry]);
    const [durable, room] = [channel.flushed(), channel.push([entry])];
    agent.onPeer(SEEN_ELSEWHERE);
    await expect(durable).rejects.toMatchObject({ code: 'halted' });
    await expect(room).rejects.toMatchObject({ code: 'halted' });
  });

  it('tells of finality also while its Participant takes no more', async () => {
    const agent = await soleOwner();
    const channel = agent.channel('door');
    await channel.push([{ door: 'front', open: true }]);
    await agent.drain(1000);
    await expect(channel.finalized()).resolves.toBeUndefined();
  });
});

describe('a Participant whose key is somewhere else', () => {
  it('votes no more, however much waits for its loop', async () => {
    const hub = new Hub();
    const [a, b] = [await start(hub.open('a', 1)), await start(hub.open('b', 2))];
    await a.addPact(DOOR);
    await a.addGroup('door', [a.avatar, b.avatar]);
    await expect.poll(() => b.groups().some(({ pact }) => pact === 'door')).toBe(true);
    for (let count = 0; count < 70_000; count++) a.onBallots(b.avatar, []);
    a.onPeer(SEEN_ELSEWHERE);
    await b.channel('door').push([{ door: 'front', open: true }]);
    expect(await b.drain(1000)).toBe(false);
  });
});

describe('a name', () => {
  it('that is too long for a greeting ends with a whole character', () => {
    const name = 'é'.repeat(31) + '€'.repeat(10);
    expect(decodeHello(encodeHello(name))).toBe('é'.repeat(31));
    expect(decodeHello(encodeHello('attic'))).toBe('attic');
  });
});

describe('a link', () => {
  it('that could never be dialled is not noted', async () => {
    const agent = await soleOwner();
    for (const url of ['tcp:/x', 'tcp://host', 'tcp://host:0', 'tcp://host:99999']) {
      expect(() => agent.addPeer(url)).toThrow(/tcp:\/\/host:port/);
    }
  });
});

describe('a Sync Group', () => {
  it('of more owners than may be is refused, and says how many may be', async () => {
    const agent = await soleOwner();
    const owners = Array.from({ length: 65 }, (_, index) => index.toString(16).padStart(64, '0'));
    const added = agent.addGroup('door', owners);
    await expect(added).rejects.toMatchObject({ code: 'owners-too-many' });
    await expect(added).rejects.toThrow(/64/);
    await expect(agent.addGroup('door', owners.slice(1))).resolves.toMatchObject({ quorum: 43 });
  });
});
