import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { need } from '../../.ci/debian.mjs';
import { type CableOptions, type LaidCable, layCable, spoiler } from '../../bench/serial-cable.mjs';
import type { PeerReport } from '../../src/participant/face.ts';
import { SeededRandom } from '../unit/gossip-stage.ts';
import type { AgentProcess } from './agent-process.ts';
import { Relay } from './relay.ts';
import { until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

/** VERTEBRA_SERIAL_MS=600000 lets the line err for ten minutes. */
const ERRING_MS = Number(process.env['VERTEBRA_SERIAL_MS'] ?? 6000);
/** As real as time is here, a busy machine takes its own. */
const WITHIN_MS = 120_000;

let world: World | null = null;
let folder: string | null = null;
const cables: LaidCable[] = [];
const relays: Relay[] = [];

afterEach(async () => {
  await world?.end();
  for (const relay of relays.splice(0)) relay.close();
  for (const cable of cables.splice(0)) await cable.close();
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
  world = null;
  folder = null;
});

/** A cable that carries as many bytes as one of so many baud, and the URLs of its ends. */
async function lay(baud: number, more: string, damage?: CableOptions['damage']) {
  const { socat } = await need(['socat']);
  folder = mkdtempSync(join(tmpdir(), 'vb-cable-'));
  const options = { socat, folder, bytesPerSecond: baud / 10 };
  const cable = await layCable(damage === undefined ? options : { ...options, damage });
  cables.push(cable);
  return [cable.near, cable.far].map((path) => `serial://${path}?baud=${baud}${more}`);
}

/** The link over the cable, where both ends have it. */
async function cableOf(agent: AgentProcess, state: PeerReport['state']): Promise<PeerReport> {
  return await until(
    `${agent.name} has the cable ${state}`,
    async () => {
      const peers = (await agent.status())?.peers ?? [];
      return peers.find((peer) => peer.kind === 'serial' && peer.state === state);
    },
    { withinMs: WITHIN_MS, detail: () => agent.logTail() },
  );
}

/** Who wrote which note, in the order in which they are final; each must stand there once. */
async function written(agent: AgentProcess): Promise<string[]> {
  const entries = await agent.pull(NOTE);
  return entries.map(({ entry }) => `${entry!['writer']} ${entry!['count']}`);
}

test('all links down but one of 9,600 baud, what is made meanwhile becomes final', async () => {
  const [near, far] = await lay(9_600, '');
  const made = await World.start({
    names: ['ada', 'bert', 'cleo'],
    settings: 'backoff_max_ms = 1000',
    dialBetween: async (url) => {
      const relay = await Relay.open(url);
      relays.push(relay);
      return relay.url;
    },
    launchOf: (name) => {
      if (name === 'cleo') return {};
      return { args: ['--peer', name === 'ada' ? near! : far!] };
    },
  });
  world = made;
  const [ada, bert, cleo] = made.agents as [AgentProcess, AgentProcess, AgentProcess];
  await Promise.all([cableOf(ada, 'stand-by'), cableOf(bert, 'stand-by')]);
  await ada.push(NOTE, notes('ada', 1, 5));
  await made.settled(made.agents, 5, WITHIN_MS);

  for (const relay of relays) relay.cut();
  for (const agent of made.agents) await agent.push(NOTE, notes(agent.name, 6, 10), 'durable');
  await made.settled([ada, bert], 15, WITHIN_MS);
  await Promise.all([cableOf(ada, 'connected'), cableOf(bert, 'connected')]);
  expect(await written(bert)).toEqual(await written(ada));
  expect(await written(cleo)).toHaveLength(5);

  for (const relay of relays) relay.heal();
  await made.settled(made.agents, 20, WITHIN_MS);
  const all = await written(cleo);
  expect([all.length, new Set(all).size]).toEqual([20, 20]);
  expect(await made.compare()).toMatchObject({ agree: true, differences: [] });
}, 600_000);

test(
  'a line that spoils one frame of a hundred loses nothing and says nothing twice',
  async () => {
    const chance = new SeededRandom(7);
    const damage = spoiler(0.01, () => chance.fraction());
    const [near, far] = await lay(115_200, '&compress=1', damage);
    const made = await World.make({ names: ['ada', 'bert'], dialBetween: async () => far! });
    world = made;
    const [ada, bert] = made.agents as [AgentProcess, AgentProcess];
    ada.start({ args: ['--peer', near!] });
    bert.start();
    await Promise.all(made.agents.map((agent) => agent.ready()));
    await made.deploy();

    const startMs = performance.now();
    let count = 0;
    let broken = 0;
    while (performance.now() - startMs < ERRING_MS || broken === 0) {
      const pushes = made.agents.map(async (agent) => {
        const next = notes(agent.name, count + 1, count + 5);
        await agent.push(
          NOTE,
          next.map((note) => ({ ...note, text: textOf(note.count) })),
        );
      });
      await Promise.all(pushes);
      count += 5;
      broken = Math.min(...(await Promise.all(made.agents.map(brokenAt))));
    }
    await made.settled(made.agents, 2 * count, WITHIN_MS);
    const all = await written(bert);
    expect([all.length, new Set(all).size]).toEqual([2 * count, 2 * count]);
    const links = await Promise.all(made.agents.map((agent) => cableOf(agent, 'connected')));
    for (const { sentRatio } of links) expect(sentRatio).toBeGreaterThan(1);
    expect(await made.compare()).toMatchObject({ agree: true, differences: [] });
    if (process.env['VERTEBRA_SERIAL_MS'] === undefined) return;
    // The link that was there at the beginning is there at the end.
    for (const { upMs } of links) expect(upMs).toBeGreaterThanOrEqual(ERRING_MS);
    const told = links.map(({ brokenFrames, repeatedFrames, sentBytes, sentRatio }) => {
      return { entries: all.length, brokenFrames, repeatedFrames, sentBytes, sentRatio };
    });
    process.stderr.write(`${JSON.stringify(told)}\n`);
  },
  600_000 + 2 * ERRING_MS,
);

/** A text of its own, and some 300 characters that resemble those of others. */
function textOf(count: number): string {
  const words = Array.from({ length: 40 }, (_, index) => (count * 7919 + index * 104_729) % 9973);
  return words.join(' ');
}

/** Frames that came spoilt to one end of the cable. */
async function brokenAt(agent: AgentProcess): Promise<number> {
  return (await cableOf(agent, 'connected')).brokenFrames ?? 0;
}
