import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { AgentProcess } from './agent-process.ts';
import { SMALL_DISKS, type SmallDisk } from './small-disk.ts';
import { until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

const DISK_BYTES = 3 * 1024 * 1024;
const TEXT = 'x'.repeat(20_000);
const BATCH = 10;

let world: World;
let disk: SmallDisk | null = null;

afterEach(async () => {
  for (const each of world?.agents ?? []) await each.kill();
  disk?.remove();
  disk = null;
  await world?.end();
});

function longNotes(writer: string, from: number) {
  return notes(writer, from, from + BATCH - 1).map((note) => ({ ...note, text: TEXT }));
}

test.each(SMALL_DISKS)(
  '$name: nothing final is lost, the others go on, and it catches up',
  async ({ make }) => {
    const folder = mkdtempSync(join(tmpdir(), 'vb-e2e-'));
    disk = make(join(folder, 'cleo'), DISK_BYTES);
    world = await World.make({ names: ['ada', 'bert', 'cleo'], folder });
    const [ada, bert, cleo] = world.agents as [AgentProcess, AgentProcess, AgentProcess];
    await Promise.all([ada.run(), bert.run(), cleo.run({ through: disk.through })]);
    await world.deploy();
    await cleo.push(NOTE, notes('cleo', 1, 5));
    const before = await cleo.pull(NOTE);

    let count = 1;
    await until('the disk is full', async () => {
      await ada.push(NOTE, longNotes('ada', count));
      count += BATCH;
      return cleo.log('disk-refused').length > 0;
    });
    const held = await cleo.pull(NOTE);
    expect(held.slice(0, before.length)).toEqual(before);
    expect((await cleo.status())?.halted).toMatch(/full|disk/);

    // While it is full: the others agree on more, and what is pushed here waits.
    let isFinal = false;
    const waiting = cleo.push(NOTE, notes('cleo', 6, 10), 'final').then(() => {
      isFinal = true;
    });
    await ada.push(NOTE, longNotes('ada', count));
    await bert.push(NOTE, longNotes('bert', 1));
    const lines = cleo.log('disk-refused').length;
    await until('it tried again', () => cleo.log('disk-refused').length > lines + 2);
    expect(isFinal).toBe(false);
    expect(cleo.ended).toBeNull();
    expect((await cleo.pull(NOTE)).slice(0, held.length)).toEqual(held);

    disk.grow(cleo.pid);
    await waiting;
    const last = await world.settled(world.agents, count + 2 * BATCH - 1 + 10);
    expect(last).toBe(count + 2 * BATCH - 1 + 10);
    expect((await cleo.status())?.halted).toBeNull();
    expect((await cleo.pull(NOTE)).slice(0, held.length)).toEqual(held);
    expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
  },
  60_000,
);

test.each(SMALL_DISKS)(
  '$name: who is killed and started there goes on when there is room',
  async ({ make }) => {
    const folder = mkdtempSync(join(tmpdir(), 'vb-e2e-'));
    disk = make(join(folder, 'bert'), DISK_BYTES);
    world = await World.make({ names: ['ada', 'bert'], folder });
    const [ada, bert] = world.agents as [AgentProcess, AgentProcess];
    await Promise.all([ada.run(), bert.run({ through: disk.through })]);
    await world.deploy();
    const pushing = new AbortController();
    let count = 1;
    await until('the disk is full', async () => {
      const batch = longNotes('ada', count);
      await ada.push(NOTE, batch, 'durable', pushing.signal);
      count += BATCH;
      return bert.log('disk-refused').length > 0;
    });
    const held = await ada.pull(NOTE);
    const heldThere = await bert.pull(NOTE);
    await bert.kill();
    bert.start({ through: disk.through });
    await until('it is ready or has given up', async () => bert.ended ?? (await bert.status()));
    if (bert.ended === null) {
      expect(await bert.pull(NOTE)).toEqual(heldThere);
      disk.grow(bert.pid);
    } else {
      // On a full file system not even a note of who runs there may find room.
      expect(bert.ended.exit).toBe(1);
      expect(bert.logText.trim().split('\n').at(-1)).toMatch(/^vertebra: .*free some space/);
      disk.grow(process.pid);
      await bert.run();
    }
    await world.settled(world.agents, count - 1);
    expect((await bert.pull(NOTE)).slice(0, held.length)).toEqual(held);
    expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
  },
  60_000,
);
