import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GossipItem } from '../../src/gossip/item.ts';
import type { GroupId } from '../../src/model/sync-group.ts';
import type { Agent } from '../../src/participant/agent.ts';
import type { PulledEntry } from '../../src/participant/face.ts';
import { verifyWorld } from '../../src/participant/verify.ts';
import { compareWorlds } from '../../src/storage/world-digest.ts';
import { Hub } from './participant-hub.ts';
import { type BlockItem, Liar } from './participant-liar.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');
const NAMES = ['a', 'b', 'c'] as const;
const PATIENCE = { timeout: 90_000 };

let folder: string;
let hub: Hub;
let liar: Liar;
let group: GroupId;
let open: Agent[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-liar-'));
  hub = new Hub();
  hub.isServing = true;
  liar = new Liar(hub, 4);
  open = NAMES.map((name, index) => hub.open(name, index + 1, {}, join(folder, `${name}.db`)));
  const [a] = agents();
  for (const agent of open) await agent.start();
  await a.addPact(DOOR);
  const owners = [...open.map(({ avatar }) => avatar), liar.avatar];
  group = (await a.addGroup('door', owners)).id as GroupId;
  for (const agent of open) {
    await expect
      .poll(() => agent.groups().some(({ pact }) => pact === 'door'), PATIENCE)
      .toBe(true);
  }
});

afterEach(async () => {
  for (const agent of open.splice(0)) await agent.close();
  rmSync(folder, { recursive: true });
});

function agents(): [Agent, Agent, Agent] {
  const [a, b, c] = open;
  return [a!, b!, c!];
}

/** Pushes one Entry, and gives the Block that carries it. */
async function push(agent: Agent, door: string): Promise<BlockItem> {
  const before = liar.blocksBy(agent.avatar, group).length;
  await agent.channel('door').push([{ door, open: true }]);
  await agent.channel('door').flushed();
  await expect.poll(() => liar.blocksBy(agent.avatar, group).length, PATIENCE).toBe(before + 1);
  return liar.blocksBy(agent.avatar, group).at(-1)!;
}

/** Waits until so many Entries are final, and gives them. */
async function finals(agent: Agent, count: number): Promise<PulledEntry[]> {
  const pull = () => agent.channel('door').pull(1, 1000);
  await expect.poll(() => pull().length, PATIENCE).toBeGreaterThanOrEqual(count);
  return pull();
}

async function allAgree(count: number): Promise<PulledEntry[]> {
  const [first, ...others] = await Promise.all(open.map((agent) => finals(agent, count)));
  for (const other of others) expect(other).toEqual(first);
  return first!;
}

/** Closes all, and looks through their databases. */
async function verifyAll(): Promise<void> {
  for (const agent of open.splice(0)) await agent.close();
  const files = NAMES.map((name) => join(folder, `${name}.db`));
  for (const file of files) expect(verifyWorld({ file }).fault, file).toBeNull();
  expect(compareWorlds(files).differences).toEqual([]);
}

const lengthAt = (agent: Agent) =>
  agent.logs.list().find(({ author }) => author === liar.avatar)?.sequence ?? 0;

const invalidAt = (agent: Agent) => agent.status().invalid.map(({ fault }) => fault);

describe('a Block against the rules of its log', () => {
  it('stays off the Stack, is kept as evidence once, and stops nobody', async () => {
    const [a, b] = agents();
    const a1 = await push(a, 'one');
    const good = liar.block(a1, { previous: null, dependencies: [a1.block] });
    liar.tell(good, ...open);
    const a2 = await push(a, 'two');
    await allAgree(3);

    const both = [a1.block, a2.block];
    const bad = liar.block(a1, { previous: good.block, dependencies: both });
    const worse = liar.block(a1, { previous: good.block, dependencies: [good.block] });
    const after = liar.block(a1, { previous: bad.block, dependencies: [a2.block] });
    for (const item of [bad, worse, after]) liar.tell(item, ...open);
    for (const agent of open) {
      await expect.poll(() => invalidAt(agent), PATIENCE).toEqual(['dependency-doubled']);
      expect(lengthAt(agent)).toBe(1);
      expect(agent.source.wants(group, liar.avatar)).toBe(false);
      expect(agent.source.wants(group, a.avatar)).toBe(true);
    }
    expect(hub.log.filter((line) => line.startsWith('misbehaved'))).toEqual([]);
    await push(b, 'three');
    await allAgree(4);
    await verifyAll();
  }, 120_000);

  it('counts all the same where another owner knew less and carries it', async () => {
    const [a, b, c] = agents();
    const a1 = await push(a, 'one');
    await allAgree(1);
    // c hears of a's second Block only after it has taken the liar's in.
    hub.passes = (item, to) => to !== c || item.kind !== 'block' || item.block.sequence < 2;
    const a2 = await push(a, 'two');
    const both = [a1.block, a2.block];
    const bad = liar.block(a1, { previous: null, dependencies: both });
    liar.tell(bad, ...open);
    await expect.poll(() => lengthAt(c), PATIENCE).toBe(1);
    for (const agent of [a, b]) {
      await expect.poll(() => invalidAt(agent), PATIENCE).toEqual(['dependency-doubled']);
    }
    expect(invalidAt(c)).toEqual([]);

    hub.passes = () => true;
    liar.tell(a2, c);
    const entries = await allAgree(3);
    expect(entries.map(({ block }) => block)).toContain(bad.block.id);
    for (const agent of open) {
      expect(lengthAt(agent)).toBe(1);
      expect(agent.source.wants(group, liar.avatar)).toBe(true);
    }
    const next = liar.block(a1, { previous: bad.block, dependencies: [a2.block] });
    liar.tell(next, ...open);
    await push(b, 'three');
    await allAgree(5);
    await verifyAll();
  }, 120_000);
});

describe('a log that forks', () => {
  it('goes on with the branch that a Quorum made final, also where another was here', async () => {
    const [a, b, c] = agents();
    const a1 = await push(a, 'one');
    await allAgree(1);
    const ours = liar.block(a1, { previous: null, atMs: 1 });
    const theirs = liar.block(a1, { previous: null, atMs: 2 });
    // The liar votes as b does; of a's branch, and so of the fork, the others hear at the end.
    hub.passes = (item: GossipItem, to) => {
      const certificate = item.kind === 'certificate' ? item.certificate : null;
      if (certificate?.certifier === b.avatar && to === c) {
        liar.tell({ kind: 'certificate', certificate: liar.echo(certificate) }, ...open);
      }
      return (
        !(item.kind === 'metablock' && item.metablock.issuer === a.avatar) &&
        item.kind !== 'fork-proof'
      );
    };
    liar.tell(ours, a);
    await expect.poll(() => lengthAt(a), PATIENCE).toBe(1);
    liar.tell(theirs, b, c);
    const entries = await allAgree(2);
    expect(entries.map(({ block }) => block)).toContain(theirs.block.id);
    expect(a.logs.forks()).toMatchObject([{ author: liar.avatar, sequence: 1 }]);
    expect(a.logs.tail(group, liar.avatar, 10)).toMatchObject([
      { block: theirs.block.id, state: 'final' },
      { block: ours.block.id, state: 'covered' },
    ]);

    hub.passes = () => true;
    const proof = hub.sent.find((item) => item.kind === 'fork-proof')!;
    liar.tell(proof, b, c);
    for (const agent of [b, c]) {
      await expect.poll(() => agent.logs.forks().length, PATIENCE).toBe(1);
    }
    const after = liar.block(a1, { previous: theirs.block, dependencies: [a1.block] });
    liar.tell(after, ...open);
    const b1 = await push(b, 'two');
    expect(b1.block.dependencies).toEqual([a1.block.id]);
    expect((await allAgree(3)).length).toBe(3);
    await verifyAll();
  }, 120_000);
});
