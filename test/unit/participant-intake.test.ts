import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { GossipItem } from '../../src/gossip/item.ts';
import type { Agent } from '../../src/participant/agent.ts';
import { Hub } from './participant-hub.ts';

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
    await expect.poll(() => hub.log.some((line) => line.includes('block-forked'))).toBe(true);
    expect(hub.log.filter((line) => line.includes('block-forked')).length).toBeLessThan(50);
    expect(hub.log.filter((line) => line.startsWith('misbehaved'))).toEqual([]);
  });
});
