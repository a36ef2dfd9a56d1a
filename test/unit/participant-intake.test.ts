import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import type { GossipItem } from '../../src/gossip/item.ts';
import { deriveAvatar, Secret } from '../../src/identity/index.ts';
import { sealBlock } from '../../src/model/block.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import { encodeBallotNote, sealBallotNote } from '../../src/model/certificate.ts';
import type { Ballot } from '../../src/model/numbers.ts';
import type { AvatarId, GroupId } from '../../src/model/sync-group.ts';
import type { Agent } from '../../src/participant/agent.ts';
import { sha256 } from '../contract/store-samples.ts';
import { Hub, WORLD } from './participant-hub.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');

const open: Agent[] = [];

afterEach(async () => {
  for (const agent of open.splice(0)) await agent.close();
});

/** What a device with this seed sends that deploys a Pact of its own and pushes one Entry. */
async function sentBy(hub: Hub, seed: number, door: string): Promise<GossipItem[]> {
  const agent = hub.open('liar', seed);
  open.push(agent);
  await agent.start();
  await agent.addPact(DOOR);
  await agent.addGroup('door', ['self']);
  await agent.channel('door').push([{ door, open: true }]);
  await agent.channel('door').flushed();
  return hub.sent.filter((item) => item.kind === 'block');
}

describe('a forked log', () => {
  it('that is told over and over fills no log, and blames no messenger', async () => {
    const [first, second] = [
      await sentBy(new Hub(), 1, 'front'),
      await sentBy(new Hub(), 1, 'back'),
    ];
    const hub = new Hub();
    const reader = hub.open('reader', 2);
    open.push(reader);
    await reader.start();
    const from = reader.avatar;
    reader.onItems(first.map((item) => ({ item, from, answer: false })));
    await expect.poll(() => reader.channel('door').pull(1, 9).length).toBe(1);
    const fork = second.at(-1)!;
    reader.onItems(Array.from({ length: 500 }, () => ({ item: fork, from, answer: false })));
    await expect.poll(() => hub.log.some((line) => line.includes('log-forked'))).toBe(true);
    expect(hub.log.filter((line) => line.includes('fork')).length).toBe(1);
    expect(hub.log.filter((line) => line.startsWith('misbehaved'))).toEqual([]);
  });
});

describe('blame', () => {
  /** A note of the owner `liar` with a Ballot that no honest owner ever names. */
  function leapOf(group: GroupId): GossipItem {
    const { signer, id } = deriveAvatar(new Secret(new Uint8Array(32).fill(9)), WORLD);
    const body = { group, ballot: (2 ** 50) as Ballot, owner: toHex32(id) };
    return { kind: 'ballot-note', note: sealBallotNote(body, signer.sign(encodeBallotNote(body))) };
  }

  it('falls on who said it, not on who brought it', async () => {
    const hub = new Hub();
    const [a, liar] = [hub.open('a', 1), hub.open('liar', 9)];
    open.push(a, liar);
    for (const agent of [a, liar]) await agent.start();
    await a.addPact(DOOR);
    const { id } = await a.addGroup('door', ['self', liar.avatar]);
    const innocent = 'ab'.repeat(32) as AvatarId;
    const blamed = () => hub.log.filter((line) => line.startsWith('misbehaved'));
    a.onItems([{ item: leapOf(id as GroupId), from: innocent, answer: false }]);
    a.onItems([{ item: leapOf(id as GroupId), from: liar.avatar, answer: false }]);
    await expect.poll(blamed).toEqual([`misbehaved ${liar.avatar} ballot-note-too-high`]);
  });
});

describe('a Block', () => {
  it('with a false signature makes no Sync Group known', async () => {
    const [first] = await sentBy(new Hub(), 1, 'front');
    if (first?.kind !== 'block') throw new Error('a Block was sent');
    const { payload } = first;
    const block = sealBlock(sha256, first.block, new Uint8Array(64).fill(1));
    const hub = new Hub();
    const reader = hub.open('reader', 2);
    open.push(reader);
    await reader.start();
    const before = reader.groups();
    const from = 'cd'.repeat(32) as AvatarId;
    reader.onItems([{ item: { kind: 'block', block, payload }, from, answer: false }]);
    await expect.poll(() => hub.log.join()).toContain(`misbehaved ${from} block-forged`);
    expect(reader.groups()).toEqual(before);
  });

  it('of which only the header came is asked for when a vote hangs on its Entries', async () => {
    const hub = new Hub();
    const [a, b] = [hub.open('a', 1), hub.open('b', 2)];
    open.push(a, b);
    for (const agent of [a, b]) await agent.start();
    await a.addPact(DOOR);
    await a.addGroup('door', ['self', b.avatar]);
    await expect.poll(() => b.groups().some(({ pact }) => pact === 'door')).toBe(true);
    hub.cut.add(b.avatar);
    const from = hub.sent.length;
    await b.channel('door').push([{ door: 'front', open: true }]);
    await expect.poll(() => hub.sent.slice(from).map(({ kind }) => kind)).toContain('certificate');
    const items = hub.sent.slice(from).map((item): GossipItem => {
      return item.kind === 'block' ? { ...item, payload: null } : item;
    });
    const block = items.find((item) => item.kind === 'block')!.block;
    a.onItems(items.map((item) => ({ item, from: b.avatar, answer: false })));
    await expect.poll(() => hub.wanted.flatMap(({ blocks }) => blocks)).toContain(block.id);
  });
});

describe('a database that gives back what was never written', () => {
  it('costs a peer its answer, and is said, but throws nothing into a link', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vertebra-source-'));
    const file = join(folder, 'world.db');
    const hub = new Hub();
    const fatal: Error[] = [];
    hub.onFatal = (cause) => fatal.push(cause);
    const agent = hub.open('a', 1, {}, file);
    await agent.start();
    await agent.addPact(DOOR);
    const [sent] = hub.sent;
    if (sent?.kind !== 'block') throw new Error('a Block was sent');
    expect(agent.source.block(sent.block.id)?.id).toBe(sent.block.id);
    const tool = new Database(file);
    tool.exec('UPDATE vb_guard SET open = 1; UPDATE vb_block SET header = zeroblob(300)');
    tool.close();
    expect(agent.source.block(sent.block.id)).toBeNull();
    expect(fatal.map(({ message }) => message)).toEqual([
      expect.stringContaining('a Block Header is damaged'),
    ]);
    await agent.close();
    rmSync(folder, { recursive: true });
  });
});

describe('what this Participant signed long ago', () => {
  it('and threw away since, is no sign of a clone when somebody shows it again', async () => {
    const hub = new Hub();
    const [a, b] = [hub.open('a', 1), hub.open('b', 2)];
    open.push(a, b);
    for (const agent of [a, b]) await agent.start();
    await a.addPact(DOOR);
    await a.addGroup('door', [a.avatar, b.avatar]);
    await expect.poll(() => b.groups().some(({ pact }) => pact === 'door')).toBe(true);
    for (let count = 0; count < 8; count++) {
      await a.channel('door').push([{ door: `${count}`, open: true }]);
      await a.channel('door').finalized();
    }
    await expect.poll(() => b.channel('door').pull(1, 9).length).toBe(8);
    const signed = hub.sent.filter(
      (item) => item.kind === 'certificate' || item.kind === 'metablock',
    );
    a.onItems(signed.map((item) => ({ item, from: b.avatar, answer: false })));
    await a.channel('door').push([{ door: 'last', open: true }]);
    await a.channel('door').finalized();
    expect(a.status().halted).toBeNull();
  });
});
