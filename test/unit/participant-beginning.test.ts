import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { GossipItem } from '../../src/gossip/item.ts';
import { sealCut } from '../../src/model/cut.ts';
import type { Agent } from '../../src/participant/agent.ts';
import type { Config } from '../../src/participant/config.ts';
import { verifyWorld } from '../../src/participant/verify.ts';
import { compareWorlds } from '../../src/storage/world-digest.ts';
import { Hub } from './participant-hub.ts';
import { answersOf, hear, tell } from './participant-telling.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');
const KEEP: Partial<Config> = { retention: 'own', retentionCount: 4 };
const PATIENCE = { timeout: 30_000 };

const open: Agent[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const agent of open.splice(0)) await agent.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function fileOf(name: string): string {
  if (folders.length === 0) folders.push(mkdtempSync(join(tmpdir(), 'vertebra-begin-')));
  return join(folders[0]!, `${name}.db`);
}

async function enter(hub: Hub, name: string, seed: number): Promise<Agent> {
  const agent = hub.open(name, seed, KEEP, fileOf(name));
  open.push(agent);
  await agent.start();
  return agent;
}

/** Two owners of the Sync Group of doors. */
async function pair(hub: Hub): Promise<[Agent, Agent]> {
  const [a, b] = [await enter(hub, 'a', 1), await enter(hub, 'b', 2)];
  await a.addPact(DOOR);
  await a.addGroup('door', [a.avatar, b.avatar]);
  await knows(b);
  return [a, b];
}

async function knows(agent: Agent): Promise<void> {
  await expect.poll(() => agent.groups().some(({ pact }) => pact === 'door'), PATIENCE).toBe(true);
}

const sequences = (agent: Agent) =>
  agent
    .channel('door')
    .pull(1, 1000)
    .map(({ sequence }) => sequence);

/** Pushes until the group is cut above this Entry. */
async function pushUntilCut(agent: Agent, above: number): Promise<void> {
  for (let count = 0; count < 200 && (sequences(agent)[0] ?? 1) <= above; count++) {
    await agent.channel('door').push([{ door: `${count}`, open: true }]);
    await agent.channel('door').finalized(AbortSignal.timeout(30_000));
  }
  expect(sequences(agent)[0]).toBeGreaterThan(above);
}

async function allVerify(names: readonly string[]): Promise<void> {
  for (const agent of open.splice(0)) await agent.close();
  for (const name of names) expect(verifyWorld({ file: fileOf(name) }).fault, name).toBeNull();
  expect(compareWorlds(names.map(fileOf)).differences).toEqual([]);
}

/** An offer of the same cut that one owner alone signed. */
function byOneOwner(item: GossipItem): GossipItem {
  if (item.kind !== 'cut' || item.metablock === null) return item;
  return { ...item, cut: sealCut(item.cut, item.cut.signatures.slice(0, 1)) };
}

describe('a newcomer begins where a Quorum signed, whoever answers first', () => {
  it('nothing of a peer whose cut a minority signed, and then at the next peer', async () => {
    const hub = new Hub();
    const [a, b] = await pair(hub);
    await pushUntilCut(a, 1);
    const old = answersOf(a);
    await pushUntilCut(a, sequences(a)[0]!);
    const e = await enter(hub, 'e', 5);
    hear(e, a.avatar, answersOf(a).map(byOneOwner));
    await knows(e);
    const offers = answersOf(a).map(byOneOwner);
    expect(offers.some((item) => item.kind === 'cut' && item.metablock !== null)).toBe(true);
    hear(e, a.avatar, offers);
    expect(sequences(e)).toEqual([]);
    // Nobody is accused: the signature holds, there are only too few.
    expect(hub.log.filter((line) => line.startsWith('misbehaved'))).toEqual([]);

    // What is old is a beginning all the same, until a peer offers a newer one.
    hear(e, a.avatar, old);
    await expect.poll(() => sequences(e)[0], PATIENCE).toBe(firstAbove(old));
    tell(b, e);
    await expect.poll(() => sequences(e).at(-1), PATIENCE).toBe(sequences(b).at(-1));
    const reached = sequences(e);
    hear(e, a.avatar, old);
    expect(sequences(e)).toEqual(reached);
    await a.channel('door').push([{ door: 'last', open: true }]);
    await a.channel('door').finalized(AbortSignal.timeout(30_000));
    await expect.poll(() => sequences(e).at(-1), PATIENCE).toBe(sequences(a).at(-1));
    await allVerify(['a', 'b', 'e']);
  });
});

/** The first Entry above the cut that is offered. */
function firstAbove(items: readonly GossipItem[]): number {
  const cuts = items.flatMap((item) => (item.kind === 'cut' ? [item.cut] : []));
  return cuts[0]!.lastSequence + 1;
}

describe('a group of which only the newest is kept, and whose owners change', () => {
  it('verifies before and after, and a newcomer owns the next one', async () => {
    const hub = new Hub();
    const [a, b] = await pair(hub);
    await pushUntilCut(a, 1);
    const c = await enter(hub, 'c', 3);
    tell(a, c);
    await knows(c);
    tell(a, c);
    await expect.poll(() => sequences(c), PATIENCE).toEqual(sequences(a));
    const owners = [a.avatar, b.avatar, c.avatar];
    for (const agent of [a, b]) await agent.changeGroup('door', { owners });
    for (const agent of [a, b, c]) {
      const owned = () => agent.groups().filter(({ pact, own }) => pact === 'door' && own);
      await expect
        .poll(() => owned().some((each) => each.owners.length === 3), PATIENCE)
        .toBe(true);
    }
    const last = sequences(a).at(-1)!;
    await c.channel('door').push([{ door: 'next', open: true }]);
    await c.channel('door').finalized(AbortSignal.timeout(30_000));
    await expect.poll(() => sequences(a).at(-1), PATIENCE).toBe(last + 1);
    // Numbers of Entries go on over the change, and the next group is cut as well.
    const before = sequences(a);
    expect(before).toEqual(before.map((_, index) => before[0]! + index));
    await pushUntilCutOf(a, last);
    await expect.poll(() => sequences(c).at(-1), PATIENCE).toBe(sequences(a).at(-1));
    await allVerify(['a', 'b', 'c']);
  });
});

/** Pushes until the group that goes on is cut, beyond the Entries of the one before it. */
async function pushUntilCutOf(agent: Agent, above: number): Promise<void> {
  const next = () =>
    agent.groups().find(({ owners, pact }) => pact === 'door' && owners.length > 2)!;
  for (let count = 0; count < 200 && next().firstSequence <= above + 1; count++) {
    await agent.channel('door').push([{ door: `${count}`, open: true }]);
    await agent.channel('door').finalized(AbortSignal.timeout(30_000));
  }
  expect(next().firstSequence).toBeGreaterThan(above + 1);
}
