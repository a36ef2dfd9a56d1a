import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/participant/agent.ts';
import type { Config } from '../../src/participant/config.ts';
import { verifyWorld } from '../../src/participant/verify.ts';
import { compareWorlds } from '../../src/storage/world-digest.ts';
import { Hub } from './participant-hub.ts';
import { tell } from './participant-telling.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');
const KEEP: Partial<Config> = { retention: 'own', retentionCount: 20 };

const open: Agent[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const agent of open.splice(0)) await agent.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function fileOf(name: string): string {
  if (folders.length === 0) folders.push(mkdtempSync(join(tmpdir(), 'vertebra-cut-')));
  return join(folders[0]!, `${name}.db`);
}

async function push(agent: Agent, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await agent.channel('door').push([{ door: `${index}`, open: true }]);
    await agent.channel('door').finalized();
  }
}

const sequences = (agent: Agent) =>
  agent
    .channel('door')
    .pull(1, 1000)
    .map(({ sequence }) => sequence);

describe('a group of which only the newest is kept', () => {
  it('is cut where a Quorum signed, gaps appear nowhere, and all of it verifies', async () => {
    const hub = new Hub();
    const [a, b, c] = [
      hub.open('a', 1, KEEP, fileOf('a')),
      hub.open('b', 2, {}, fileOf('b')),
      hub.open('c', 3, KEEP, fileOf('c')),
    ];
    open.push(a, b, c);
    for (const agent of open) await agent.start();
    await a.addPact(DOOR);
    await a.addGroup(
      'door',
      open.map(({ avatar }) => avatar),
    );
    for (const agent of open) {
      await expect.poll(() => agent.groups().some(({ pact }) => pact === 'door')).toBe(true);
    }
    await push(a, 60);
    await expect.poll(() => sequences(b).length).toBe(60);
    await expect.poll(() => sequences(a)[0]).toBeGreaterThan(1);
    const kept = sequences(a);
    expect(kept.length).toBeGreaterThanOrEqual(20);
    expect(kept.at(-1)).toBe(60);
    expect(kept).toEqual(kept.map((_, index) => kept[0]! + index));
    for (const agent of open.splice(0)) await agent.close();
    for (const name of ['a', 'b', 'c']) {
      expect(verifyWorld({ file: fileOf(name) }).fault, name).toBeNull();
    }
    expect(compareWorlds(['a', 'b', 'c'].map(fileOf)).differences).toEqual([]);
  });

  it('takes a newcomer in who has nothing, and an owner who was away for long', async () => {
    const hub = new Hub();
    const [a, b, c] = [
      hub.open('a', 1, KEEP, fileOf('a')),
      hub.open('b', 2, KEEP, fileOf('b')),
      hub.open('c', 3, {}, fileOf('c')),
    ];
    open.push(a, b, c);
    for (const agent of open) await agent.start();
    await a.addPact(DOOR);
    await a.addGroup(
      'door',
      open.map(({ avatar }) => avatar),
    );
    for (const agent of open) {
      await expect.poll(() => agent.groups().some(({ pact }) => pact === 'door')).toBe(true);
    }
    await push(a, 3);
    hub.cut.add(c.avatar);
    await push(a, 60);
    await expect.poll(() => sequences(a)[0]).toBeGreaterThan(4);
    hub.cut.delete(c.avatar);
    const d = hub.open('d', 4, {}, fileOf('d'));
    open.push(d);
    await d.start();
    tell(a, d);
    await expect.poll(() => d.groups().some(({ pact }) => pact === 'door')).toBe(true);
    tell(a, d);
    tell(a, c, 3);
    await expect.poll(() => sequences(d)).toEqual(sequences(a));
    await expect.poll(() => sequences(c).at(-1)).toBe(63);
    await push(c, 5);
    await expect.poll(() => sequences(d).at(-1)).toBe(68);
    expect(c.status().halted).toBeNull();
    for (const agent of open.splice(0)) await agent.close();
    for (const name of ['a', 'b', 'c', 'd']) {
      expect(verifyWorld({ file: fileOf(name) }).fault, name).toBeNull();
    }
    expect(compareWorlds(['a', 'b', 'c', 'd'].map(fileOf)).differences).toEqual([]);
  });
});
