import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GossipItem } from '../../src/gossip/item.ts';
import type { Block } from '../../src/model/block.ts';
import { makeForkProof } from '../../src/model/fork-proof.ts';
import type { GroupId } from '../../src/model/sync-group.ts';
import type { Agent } from '../../src/participant/agent.ts';
import type { ForkReport } from '../../src/participant/log-face.ts';
import { Hub } from './participant-hub.ts';
import { type BlockItem, Liar } from './participant-liar.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');
const LENGTH = 40;

let hub: Hub;
let agent: Agent;
let liars: [Liar, Liar];
let like: BlockItem;

beforeEach(async () => {
  hub = new Hub();
  agent = hub.open('a', 1);
  liars = [new Liar(hub, 8), new Liar(hub, 9)];
  await agent.start();
  await agent.addPact(DOOR);
  const owners = [agent.avatar, ...liars.map(({ avatar }) => avatar)];
  const group = (await agent.addGroup('door', owners)).id as GroupId;
  await agent.channel('door').push([{ door: 'front', open: true }]);
  await agent.channel('door').flushed();
  await expect.poll(() => liars[0].blocksBy(agent.avatar, group).length).toBe(1);
  like = liars[0].blocksBy(agent.avatar, group)[0]!;
});

afterEach(async () => {
  await agent.close();
});

/** Proofs that a log forks at each of its places, the last place first. */
function proofsBy(liar: Liar, length: number): GossipItem[] {
  const proofs: GossipItem[] = [];
  let previous: Block | null = null;
  for (let place = 0; place < length; place++) {
    const [one, other] = [1, 2].map((atMs) => liar.block(like, { previous, atMs }).block);
    const made = makeForkProof([one!, other!]);
    if (!made.ok) throw new Error(made.reason);
    proofs.unshift({ kind: 'fork-proof', proof: made.value });
    previous = one!;
  }
  return proofs;
}

/** Lines of the log about one event. */
const linesOf = (event: string) => hub.log.filter((line) => new RegExp(`"${event}"`).test(line));

function follow(stop: AbortController): { seen: ForkReport[]; ended: Promise<void> } {
  const seen: ForkReport[] = [];
  const ended = (async () => {
    for await (const fork of agent.logs.followForks(stop.signal)) seen.push(fork);
  })();
  return { seen, ended };
}

describe('who follows forks', () => {
  it('gets those that are known and those to come, each once, until the signal', async () => {
    const [first, second] = liars;
    first.tell(proofsBy(first, 1)[0]!, agent);
    await expect.poll(() => agent.logs.forks().length).toBe(1);
    const stop = new AbortController();
    const [one, other] = [follow(stop), follow(stop)];
    await expect.poll(() => one.seen.length).toBe(1);
    expect(one.seen[0]).toMatchObject({ author: first.avatar, pact: 'door', sequence: 1 });
    const [proof] = proofsBy(second, 1);
    second.tell(proof!, agent, agent);
    first.tell(proof!, agent);
    for (const { seen } of [one, other]) {
      await expect.poll(() => seen.length).toBe(2);
      expect(seen[1]).toMatchObject({ author: second.avatar, own: false });
    }
    stop.abort();
    await Promise.all([one.ended, other.ended]);
    expect(one.seen).toEqual(agent.logs.forks());
  });

  it('is told at once to stop by a signal that was given before', async () => {
    const [first] = liars;
    first.tell(proofsBy(first, 1)[0]!, agent);
    await expect.poll(() => agent.logs.forks().length).toBe(1);
    const stop = new AbortController();
    stop.abort();
    const { seen, ended } = follow(stop);
    await ended;
    expect(seen).toEqual([]);
  });
});

describe('a log that is shown to fork ever earlier', () => {
  it('is news once, and fills no log with the rest', async () => {
    const [liar] = liars;
    const stop = new AbortController();
    const { seen, ended } = follow(stop);
    const proofs = proofsBy(liar, LENGTH);
    agent.onItems(proofs.map((item) => ({ item, from: liar.avatar, answer: false })));
    await expect.poll(() => agent.logs.forks()[0]?.sequence).toBe(1);
    await expect.poll(() => seen.length).toBe(1);
    expect(seen[0]!.sequence).toBe(LENGTH);
    stop.abort();
    await ended;
    expect(seen).toHaveLength(1);
    expect(linesOf('log-forked')).toHaveLength(1);
    expect(linesOf('log-forked')[0]).toMatch(/"level":"error"/);
    const earlier = linesOf('log-forked-earlier');
    expect(earlier.length).toBeGreaterThan(0);
    expect(earlier.length).toBeLessThan(LENGTH - 1);
    for (const line of earlier) expect(line).toMatch(/"level":"info"/);
  });
});
