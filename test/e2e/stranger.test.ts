import { randomBytes, randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prng } from '../sim/prng.ts';
import type { AgentProcess } from './agent-process.ts';
import { residentBytes } from './processes.ts';
import { Relay } from './relay.ts';
import { until } from './waiting.ts';
import { NOTE, notes, World } from './world.ts';

const MIB = 1024 * 1024;
const HANDSHAKE_MS = 1000;
const KNOCK_BYTES = 64;

let world: World;
let ada: AgentProcess;
let pushed = 0;
const relays: Relay[] = [];

beforeAll(async () => {
  world = await World.start({
    names: ['ada', 'bert', 'cleo'],
    settings: `handshake_ms = ${HANDSHAKE_MS}`,
    dialBetween: async (url) => {
      const relay = await Relay.open(url);
      relays.push(relay);
      return relay.url;
    },
  });
  ada = world.agents[0]!;
});

afterAll(async () => {
  await world?.end();
  for (const relay of relays) relay.close();
});

/** All three still agree on what each of them pushes, and none of them has ended. */
async function goesOn(): Promise<void> {
  for (const each of world.agents) {
    await each.push(NOTE, notes(each.name, pushed + 1, pushed + 3));
    expect(each.ended).toBeNull();
  }
  pushed += 3;
  await world.settled(world.agents, pushed * world.agents.length);
  expect(ada.log('peer-down')).toEqual([]);
}

/** Says all this to the one that listens there. Resolves when that one has hung up. */
function say(url: string, ...chunks: readonly Uint8Array[]): Promise<void> {
  const { hostname: host, port } = new URL(url);
  return new Promise((resolve) => {
    const socket: Socket = connect({ host, port: Number(port) }, () => {
      for (const chunk of chunks) socket.write(chunk);
    });
    socket.resume();
    // A reset is as good an answer as any.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
  });
}

function framed(content: Uint8Array, length = content.length): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(length);
  return Buffer.concat([head, content]);
}

/** Lines about strangers, as the log holds them so far. */
function refusals(agent: AgentProcess): unknown[] {
  return agent.log('handshake-refused').map((line) => line['reason']);
}

describe('who is no member gets in nowhere, and leaves one line that says why', () => {
  const garbage = randomBytes(500);
  garbage.writeUInt32BE(0x16030100, 0); // As a TLS client begins: a length beyond all bounds.
  test.each<[string, string, () => Uint8Array[]]>([
    ['garbage', 'LINK_FRAME_TOO_LONG', () => [garbage]],
    ['a frame beyond the bound', 'LINK_FRAME_TOO_LONG', () => [framed(Buffer.alloc(9), 65_536)]],
    ['the longest frame', 'handshake-too-long', () => [framed(randomBytes(65_535))]],
    ['an empty frame', 'handshake-truncated', () => [framed(Buffer.alloc(0))]],
    ['a random knock', 'handshake-forged', () => [framed(randomBytes(KNOCK_BYTES))]],
    ['nothing at all', 'handshake-timeout', () => []],
    ['half a frame', 'handshake-timeout', () => [framed(randomBytes(20), KNOCK_BYTES)]],
    ['a recorded handshake', 'handshake-replayed', () => [heard()]],
    ['half a knock', 'handshake-truncated', () => [framed(firstFrame().subarray(0, 32))]],
  ])('%s', async (_what, reason, chunks) => {
    const before = refusals(ada);
    await say(ada.place.url, ...chunks());
    await until('the log says so', () => refusals(ada).length > before.length);
    await goesOn();
    expect(refusals(ada)).toEqual([...before, reason]);
  });
});

/** All that a member once said to `ada`, from its first byte on. */
function heard(): Buffer {
  const said = relays[0]!.passed.map(({ there }) => Buffer.concat(there));
  return said.reduce((a, b) => (b.length > a.length ? b : a));
}

function firstFrame(): Buffer {
  const bytes = heard();
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0));
}

test('a member of another World is refused at both ends, with a line that says why', async () => {
  const other = await World.make({ names: ['eve'] });
  try {
    const [eve] = other.agents as [AgentProcess];
    const before = refusals(ada);
    await eve.run({ args: ['--peer', ada.place.url] });
    await until(
      'both say so',
      () => refusals(ada).length > before.length && refusals(eve).length > 0,
    );
    expect(refusals(ada).slice(before.length)).toContain('handshake-stranger');
    await goesOn();
    expect((await eve.status())?.peers.map((each) => each.state)).not.toContain('connected');
    const { groups } = (await eve.status())!;
    expect(groups).toEqual([]);
  } finally {
    await other.end();
  }
});

test('a flood of strangers costs neither memory, descriptors, log nor agreement', async () => {
  const seed = Number(process.env['E2E_SEED'] ?? randomInt(2 ** 32));
  console.log(`stranger seed: E2E_SEED=${seed}`);
  const chance = new Prng(seed);
  await goesOn();
  const fuzz = async () => {
    const bytes = Buffer.from(Array.from({ length: chance.below(200) }, () => chance.below(256)));
    const recorded = heard();
    const kinds = [
      () => [bytes],
      () => [framed(bytes)],
      () => [framed(bytes, chance.below(65_536))],
      () => [recorded.subarray(0, chance.below(recorded.length))],
      () => [framed(firstFrame()), bytes],
      () => [framed(Buffer.alloc(KNOCK_BYTES, chance.below(256)))],
    ];
    await say(ada.place.url, ...chance.pick(kinds)());
  };
  const batch = () => Promise.all(Array.from({ length: 100 }, fuzz));
  const descriptors = () => readdirSync(`/proc/${ada.pid}/fd`).length;
  await batch();
  const before = { bytes: residentBytes(ada.pid), descriptors: descriptors() };
  for (let batches = 0; batches < 10; batches++) await batch();
  await goesOn();
  expect(residentBytes(ada.pid)).toBeLessThan(before.bytes + 40 * MIB);
  await until('all are let go', () => descriptors() <= before.descriptors);
  // A burst of twenty lines, and one every three seconds.
  expect(refusals(ada).length).toBeLessThan(45);
  const [last] = ada.log('handshake-refused').slice(-1);
  expect(Number(last?.['unwritten'] ?? 1)).toBeGreaterThan(0);
  expect(await world.compare()).toMatchObject({ agree: true, differences: [] });
}, 60_000);
