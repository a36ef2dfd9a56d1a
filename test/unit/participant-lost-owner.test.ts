import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import type { Agent } from '../../src/participant/agent.ts';
import { Hub } from './participant-hub.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');

const open: Agent[] = [];
afterEach(async () => {
  for (const agent of open.splice(0)) await agent.close();
});

it('of two owners one is lost: what fits is kept, the rest refused, until a split', async () => {
  const hub = new Hub();
  const limits = { entryBufferEntriesMax: 4, pendingBlocksMax: 1 };
  const [a, b] = [hub.open('ada', 1, limits), hub.open('bert', 2)];
  open.push(a, b);
  for (const agent of open) await agent.start();
  await a.addPact(DOOR);
  const group = await a.addGroup('door', [a.avatar, b.avatar]);
  const here = (agent: Agent) => agent.groups().find(({ id }) => id === group.id);
  await expect.poll(() => here(b)).toBeDefined();
  const channel = a.channel('door');
  await channel.push([{ door: 'both', open: true }]);
  await channel.finalized(AbortSignal.timeout(30_000));

  hub.cut.add(b.avatar);
  await channel.push([{ door: '0', open: true }]);
  await channel.flushed();
  let kept = 1;
  while (channel.tryPush({ door: `${kept}`, open: true })) kept++;
  expect(kept).toBe(5);
  const refused = channel.push([{ door: 'no', open: true }], { whenFull: 'refuse' });
  await expect(refused).rejects.toMatchObject({
    code: 'buffer-full',
    message: expect.stringMatching(/Entry Buffer of door .*no room.* status says who is awaited/),
  });
  // The one that is lost is named, and what is final is there to be read.
  await expect.poll(() => here(a)?.awaited).toHaveLength(1);
  expect(here(a)).toMatchObject({ pendingBlocks: 1, bufferedEntries: 4, ended: null });
  expect(channel.pull(1, 100).map(({ entry }) => entry?.['door'])).toEqual(['both']);

  const last = channel.finalized(AbortSignal.timeout(30_000));
  const report = await a.splitGroup('door', { owners: ['self'] });
  expect(report).toMatchObject({ ended: 'split', successors: [{ kind: 'split' }] });
  await last;
  const doors = a.channel('door').pull(1, 100);
  expect(doors.map(({ entry }) => entry?.['door'])).toEqual(['both', '0', '1', '2', '3', '4']);
});
