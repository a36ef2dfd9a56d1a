import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/participant/agent.ts';
import type { GroupReport, PulledEntry } from '../../src/participant/face.ts';
import { verifyWorld } from '../../src/participant/verify.ts';
import { Hub } from './participant-hub.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');

const open: Agent[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const agent of open.splice(0)) await agent.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'vertebra-test-'));
  folders.push(made);
  return made;
}

interface World {
  readonly hub: Hub;
  readonly agents: Agent[];
  readonly group: GroupReport;
  readonly folder: string;
}

/** So many Participants, of whom the first `owners` own the Sync Group of doors. */
async function world(count: number, owners: number): Promise<World> {
  const hub = new Hub();
  const home = folder();
  const agents = Array.from({ length: count }, (_, index) =>
    hub.open(`p${index}`, index + 1, {}, join(home, `${index}.db`)),
  );
  open.push(...agents);
  for (const agent of agents) await agent.start();
  await agents[0]!.addPact(DOOR);
  const avatars = agents.slice(0, owners).map(({ avatar }) => avatar);
  const group = await agents[0]!.addGroup('door', avatars);
  for (const agent of agents) await known(agent, group.id);
  return { hub, agents, group, folder: home };
}

const find = (agent: Agent, id: string) => agent.groups().find((each) => each.id === id);

async function known(agent: Agent, id: string): Promise<void> {
  await expect.poll(() => find(agent, id)).toBeDefined();
}

async function push(agent: Agent, ...doors: string[]): Promise<void> {
  const channel = agent.channel('door');
  await channel.push(doors.map((door) => ({ door, open: true })));
  await channel.finalized(AbortSignal.timeout(10_000));
}

const doors = (entries: readonly PulledEntry[]) => entries.map(({ entry }) => entry?.['door']);
const pull = (agent: Agent, target = 'door') => doors(agent.channel(target).pull(1, 1000));

/** The group that this one was handed over to, once it is known. */
async function successor(agent: Agent, group: GroupReport): Promise<GroupReport> {
  await expect.poll(() => find(agent, group.id)?.successors.length).toBe(1);
  return find(agent, find(agent, group.id)!.successors[0]!.group)!;
}

async function verified({ agents, folder: home }: World): Promise<void> {
  for (const index of agents.keys()) {
    expect(verifyWorld({ file: join(home, `${index}.db`) }).fault).toBeNull();
  }
}

describe('a change of owners', () => {
  it('holds when a Quorum approves, and says until then who is awaited', async () => {
    const made = await world(4, 3);
    const [a, b, c, d] = made.agents as [Agent, Agent, Agent, Agent];
    await push(a, 'a');
    await push(b, 'b');
    const owners = made.agents.map(({ avatar }) => avatar);
    const asked = await a.changeGroup('door', { owners });
    expect(asked.approvals).toMatchObject([{ needed: 2, quorum: 'two-thirds' }]);
    expect(asked.approvals[0]!.approved).toHaveLength(1);
    expect(asked.approvals[0]!.awaited).toHaveLength(2);
    expect(asked.ended).toBeNull();
    await b.changeGroup('door', { owners });
    const next = await successor(a, made.group);
    for (const agent of [b, c, d]) expect((await successor(agent, made.group)).id).toBe(next.id);
    expect(next.owners).toHaveLength(4);
    expect(next.predecessor).toEqual({ group: made.group.id, kind: 'hand-over', by: [] });
    await push(d, 'd');
    await expect.poll(() => pull(c)).toEqual(['a', 'b', 'd']);
    const third = () => a.channel('door').pull(3, 10)[0];
    await expect.poll(third).toMatchObject({ sequence: 3 });
    await verified(made);
  });

  it('refuses what is pushed to the old group, and names the next one', async () => {
    const { agents, group } = await world(3, 2);
    const [a, b, c] = agents as [Agent, Agent, Agent];
    const owners = agents.map(({ avatar }) => avatar);
    const old = a.channel('door');
    await a.changeGroup('door', { owners });
    await b.changeGroup('door', { owners });
    const next = await successor(a, group);
    await expect(old.push([{ door: 'x', open: true }])).rejects.toMatchObject({
      code: 'group-handed-over',
      message: expect.stringContaining(next.id.slice(0, 12)),
    });
    expect((await successor(c, group)).own).toBe(true);
  });

  it('takes along what was on its way, each Entry once', async () => {
    const made = await world(3, 3);
    const [a, b, c] = made.agents as [Agent, Agent, Agent];
    const owners = [a.avatar, b.avatar, c.avatar];
    await push(a, 'first');
    made.hub.cut.add(c.avatar);
    const channel = c.channel('door');
    await channel.push([{ door: 'late', open: true }]);
    await channel.flushed();
    const last = channel.finalized(AbortSignal.timeout(10_000));
    for (const agent of [a, b]) await agent.changeGroup('door', { owners, quorum: 'every-owner' });
    const next = await successor(a, made.group);
    expect(next).toMatchObject({ quorum: 3, quorumPolicy: 'every-owner' });
    made.hub.cut.delete(c.avatar);
    for (const item of made.hub.sent) c.onItems([{ item, from: a.avatar, answer: false }]);
    await successor(c, made.group);
    for (const item of made.hub.sent) a.onItems([{ item, from: c.avatar, answer: false }]);
    for (const item of made.hub.sent) b.onItems([{ item, from: c.avatar, answer: false }]);
    await last;
    for (const agent of made.agents)
      await expect.poll(() => pull(agent)).toEqual(['first', 'late']);
    await verified(made);
  });

  it('removes a lost owner by the Quorum of the others', async () => {
    const made = await world(4, 4);
    const [a, b, c, d] = made.agents as [Agent, Agent, Agent, Agent];
    await push(d, 'd');
    made.hub.cut.add(d.avatar);
    const owners = [a.avatar, b.avatar, c.avatar];
    for (const agent of [a, b, c]) await agent.changeGroup('door', { owners });
    const next = await successor(c, made.group);
    expect(next.quorum).toBe(2);
    await push(b, 'b');
    await expect.poll(() => pull(c)).toEqual(['d', 'b']);
    await verified(made);
  });

  it('of a group of one owner is final at once', async () => {
    const made = await world(2, 1);
    const [a, b] = made.agents as [Agent, Agent];
    await push(a, 'alone');
    const owners = [a.avatar, b.avatar];
    const report = await a.changeGroup('door', { owners });
    expect(report).toMatchObject({ ended: 'hand-over' });
    await successor(b, made.group);
    await push(b, 'together');
    await expect.poll(() => pull(a)).toEqual(['alone', 'together']);
    await verified(made);
  });

  it('survives a restart, before it holds and after', async () => {
    const made = await world(2, 2);
    const [a, b] = made.agents as [Agent, Agent];
    await push(a, 'one');
    const owners = [a.avatar];
    await b.changeGroup('door', { owners });
    await expect.poll(() => find(a, made.group.id)?.approvals.length).toBe(1);
    await a.close();
    made.hub.agents.splice(made.hub.agents.indexOf(a), 1);
    const again = made.hub.open('p0', 1, {}, join(made.folder, '0.db'));
    open.push(again);
    await again.start();
    await expect.poll(() => find(again, made.group.id)?.approvals.length).toBe(1);
    await again.changeGroup('door', { owners });
    const next = await successor(again, made.group);
    expect(next).toMatchObject({ own: true, quorum: 1 });
    await push(again, 'two');
    await again.close();
    made.hub.agents.splice(made.hub.agents.indexOf(again), 1);
    const third = made.hub.open('p0', 1, {}, join(made.folder, '0.db'));
    open.push(third);
    await third.start();
    expect(find(third, made.group.id)).toMatchObject({ ended: 'hand-over' });
    await push(third, 'three');
    expect(pull(third)).toEqual(['one', 'two', 'three']);
    await verified(made);
  });
});

describe('a group that lost its Quorum for good', () => {
  it('is split by the operator of a survivor, and shown as split', async () => {
    const made = await world(2, 2);
    const [a, b] = made.agents as [Agent, Agent];
    await push(a, 'both');
    await expect.poll(() => pull(b)).toEqual(['both']);
    made.hub.cut.add(b.avatar);
    const channel = a.channel('door');
    await channel.push([{ door: 'waiting', open: true }]);
    await channel.flushed();
    const last = channel.finalized(AbortSignal.timeout(10_000));
    const report = await a.splitGroup('door', { owners: ['self'] });
    await last;
    expect(report).toMatchObject({ ended: 'split', successors: [{ kind: 'split' }] });
    expect(report.successors[0]!.by).toMatchObject([{ owner: 'p0' }]);
    expect(pull(a)).toEqual(['both', 'waiting']);
    await verified(made);
  });
});
