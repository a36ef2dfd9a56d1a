import { afterEach, expect, test } from 'vitest';
import { AnswerError } from '../../src/api/client.ts';
import type { GroupReport } from '../../src/participant/face.ts';
import { verifyWorld } from '../../src/participant/verify.ts';
import type { AgentProcess } from './agent-process.ts';
import { until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

let world: World;

afterEach(async () => {
  await world?.end();
});

async function groupsOf(agent: AgentProcess): Promise<GroupReport[]> {
  return (await agent.client.groups()).filter((each) => each.pact === NOTE);
}

/** The group of notes that goes on, once it has so many owners and stands so far. */
async function open(
  agent: AgentProcess,
  wanted: Partial<Pick<GroupReport, 'quorum' | 'lastSequence'>> & { readonly owners: number },
): Promise<GroupReport> {
  let seen = '';
  return await until(
    `${agent.name} knows the next group`,
    async () => {
      const groups = await groupsOf(agent);
      seen = JSON.stringify(groups, null, 1);
      return groups.find(
        (each) =>
          each.ended === null &&
          each.owners.length === wanted.owners &&
          each.quorum === (wanted.quorum ?? each.quorum) &&
          each.lastSequence >= (wanted.lastSequence ?? 0) &&
          each.pendingBlocks === 0,
      );
    },
    { detail: () => `${seen}\n${agent.logTail()}` },
  );
}

async function change(
  agents: readonly AgentProcess[],
  asked: { readonly owners?: readonly string[]; readonly quorum?: string },
): Promise<void> {
  for (const agent of agents) await agent.client.changeGroup(NOTE, asked);
}

/** Pushes one note after the other, and again where a group ended meanwhile and took nothing. */
async function write(agent: AgentProcess, writer: string, count: number): Promise<void> {
  for (const note of notes(writer, 1, count)) {
    await until(`${writer} wrote ${note.count}`, async () => {
      try {
        await agent.push(NOTE, [note]);
        return true;
      } catch (cause) {
        if (cause instanceof AnswerError && cause.code === 'group-handed-over') return false;
        throw cause;
      }
    });
  }
}

function holds(agent: AgentProcess): void {
  expect(verifyWorld({ file: agent.world.databaseFile }).fault).toBeNull();
}

const keysOf = (pulled: readonly { entry: Record<string, unknown> | null }[]) =>
  pulled.map(({ entry }) => `${String(entry?.['writer'])} ${String(entry?.['count'])}`);

test('owners come and go while they write, and each note is there once', async () => {
  world = await World.start({ names: ['ada', 'bert', 'cleo', 'dora'], owners: 3 });
  const [ada, bert, cleo, dora] = world.agents as [
    AgentProcess,
    AgentProcess,
    AgentProcess,
    AgentProcess,
  ];
  const names = world.agents.map(({ name }) => name);
  const writing = [write(ada, 'ada', 60), write(bert, 'bert', 60)];
  await change([ada, bert], { owners: names });
  for (const agent of world.agents) await open(agent, { owners: 4 });
  await Promise.all(writing);
  await dora.push(NOTE, notes('dora', 1, 5));
  for (const agent of world.agents) await open(agent, { owners: 4, lastSequence: 125 });

  await dora.kill();
  const left = [ada, bert, cleo];
  await cleo.push(NOTE, notes('cleo', 1, 5));
  await change(left, { owners: names.slice(0, 3) });
  for (const agent of left) await open(agent, { owners: 3, quorum: 2, lastSequence: 130 });

  await change([ada, bert], { quorum: 'every-owner' });
  for (const agent of left) await open(agent, { owners: 3, quorum: 3 });
  await ada.push(NOTE, notes('ada', 61));

  // Who was removed while it was dead hears of it, and follows as one that is no owner.
  await dora.run();
  for (const agent of world.agents) {
    const group = await open(agent, { owners: 3, quorum: 3, lastSequence: 131 });
    expect(group.own).toBe(agent !== dora);
  }
  const all = await ada.pull(NOTE);
  expect(all.map(({ sequence }) => sequence)).toEqual(all.map((_, index) => index + 1));
  expect(new Set(keysOf(all)).size).toBe(131);
  expect(all).toHaveLength(131);
  for (const agent of world.agents) expect(await agent.pull(NOTE)).toEqual(all);
  // Beside the notes: the Pact, the first group, and seven approvals.
  const entries = 131 + 9;
  expect(await world.compare()).toMatchObject({ agree: true, differences: [], entries });
  for (const agent of world.agents) holds(agent);
}, 180_000);

test('of two owners one dies: reads go on, pushes are kept, a split is the way out', async () => {
  world = await World.start({
    names: ['ada', 'bert'],
    settings: 'entry_buffer_entries_max = 8\nblock_entries_max = 8\npending_blocks_max = 2',
  });
  const [ada, bert] = world.agents as [AgentProcess, AgentProcess];
  await ada.push(NOTE, notes('ada', 1, 5));
  await world.settled(world.agents, 5);
  await bert.kill();

  await ada.push(NOTE, notes('ada', 6, 7), 'durable');
  await until('it says who is awaited', async () => {
    const [group] = await groupsOf(ada);
    return group!.awaited.includes('bert');
  });
  expect(await ada.pull(NOTE)).toHaveLength(5);
  let kept = 7;
  await until('nothing more can be kept', async () => {
    const [group] = await groupsOf(ada);
    if (group!.pendingBlocks === 2 && group!.bufferedEntries === 8) return true;
    await ada.push(NOTE, notes('ada', ++kept), 'taken');
    return false;
  });
  const waiting = ada.push(NOTE, notes('ada', kept + 1), 'taken').catch((cause: unknown) => cause);

  await expect(
    ada.client.splitGroup(NOTE, { owners: ['self'], acceptFork: false }),
  ).rejects.toMatchObject({ code: 'fork-not-accepted' });
  const split = await ada.client.splitGroup(NOTE, { owners: ['self'], acceptFork: true });
  expect(split).toMatchObject({ ended: 'split', successors: [{ kind: 'split' }] });
  // What was taken goes along; what found no room was never taken, and its sender hears of it.
  expect(await waiting).toMatchObject({ code: 'group-split' });
  await open(ada, { owners: 1, lastSequence: kept });
  await ada.push(NOTE, notes('ada', kept + 1));
  const all = await ada.pull(NOTE);
  expect(keysOf(all)).toEqual(keysOf(notes('ada', 1, kept + 1).map((entry) => ({ entry }))));

  // Who comes back hears of the split, and stays in the old group until its operator decides.
  await bert.run();
  await until('bert knows of the split', async () => (await groupsOf(bert)).length === 2);
  const old = (await groupsOf(bert)).find((each) => each.predecessor === null)!;
  expect(old).toMatchObject({
    ended: null,
    successors: [{ kind: 'split', by: [{ owner: 'ada' }] }],
  });
  await ada.stop();
  await ada.run();
  const again = (await groupsOf(ada)).find((each) => each.predecessor === null)!;
  expect(again).toMatchObject({ ended: 'split', awaited: [] });
  expect(keysOf(await ada.pull(NOTE))).toEqual(keysOf(all));
  await world.stop();
  for (const agent of world.agents) {
    const { fault, counts } = verifyWorld({ file: agent.world.databaseFile });
    expect(fault).toBeNull();
    expect(counts.splits).toBe(1);
  }
}, 120_000);
