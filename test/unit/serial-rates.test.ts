import { describe, expect, it } from 'vitest';
import { BudgetTransport } from '../../src/gossip/links/budget-link.ts';
import { SerialTransport } from '../../src/gossip/links/serial.ts';
import { loadKernel } from '../../src/kernel/kernel.ts';
import { LinkError } from '../../src/ports/link.ts';
import { Ear } from '../contract/link.ts';
import { House, isLinked, type Resident } from './gossip-house.ts';
import { idOf, noteOf } from './gossip-samples.ts';
import { SeededRandom, Stage } from './gossip-stage.ts';
import { type ModemOptions, SerialModem } from './serial-modem.ts';

const { checksum } = loadKernel();
const GROUP = idOf('group');
const HOUR_MS = 3_600_000;

interface Rate extends Omit<ModemOptions, 'timers'> {
  /** What both ends were told; the rate of the line if not said. */
  readonly said?: number;
  readonly query?: string;
}

interface Pair {
  readonly house: House;
  readonly modem: SerialModem;
  readonly a: Resident;
  readonly b: Resident;
}

/** Two with the whole of gossip, its sessions and the protocol of the line between them. */
async function linked({ said, query = '', ...options }: Rate): Promise<Pair> {
  const house = new House();
  const modem = new SerialModem({ ...options, timers: house.stage });
  const residents: Resident[] = [];
  for (const [seed, name] of ['near', 'far'].entries()) {
    const random = new SeededRandom(seed + 5);
    const serial = new SerialTransport({
      timers: house.stage,
      random,
      checksum,
      openPort: modem.open,
    });
    const transports = [new BudgetTransport(serial, house.stage)];
    const resident = await house.add(name, {}, { transports });
    resident.mesh.dial(`serial:///dev/${name}?baud=${said ?? options.baud}${query}`);
    residents.push(resident);
  }
  const [a, b] = residents as [Resident, Resident];
  await house.stage.until(() => isLinked(a, b) && isLinked(b, a), 600_000);
  return { house, modem, a, b };
}

const downs = ({ holder }: Resident) => holder.events.filter(({ kind }) => kind === 'down');
const repairsOf = ({ mesh }: Resident) => mesh.status().peers[0]?.repairs;
const random = new SeededRandom(9);

/** What a line carries in so many seconds, and 60,000 bytes at most: the virtual time is real. */
const bulkOf = (baud: number, seconds: number) =>
  random.bytes(Math.min(60_000, (baud / 10) * seconds));

const RATES: readonly Rate[] = [
  { baud: 300 },
  { baud: 300, latencyMs: 2_000 },
  { baud: 300, burstMs: 100, query: '&compress=1' },
  { baud: 1_200, latencyMs: 700 },
  { baud: 115_200, burstMs: 16 },
  { baud: 4_000_000 },
  { baud: 4_000_000, burstMs: 16 },
  { baud: 4_000_000, latencyMs: 250, query: '&compress=1' },
];

describe('over a line of any rate', () => {
  it.each(RATES)('Blocks cross both ways, nothing said again: %o', async (rate) => {
    const { house, modem, a, b } = await linked(rate);
    const before = modem.bytes;
    let bytes = 0;
    for (let count = 0; count < 5; count++) {
      for (const { holder } of [a, b]) {
        const payload = bulkOf(rate.baud, 4);
        bytes += payload.length + 300;
        holder.issue(GROUP, payload);
      }
    }
    const isDone = () =>
      a.holder.sequenceOf(GROUP, b.id) === 5 && b.holder.sequenceOf(GROUP, a.id) === 5;
    await house.stage.until(isDone, 600_000, 100);
    await house.stage.advance(60_000);
    for (const each of [a, b]) {
      expect(downs(each)).toEqual([]);
      expect(repairsOf(each)).toEqual({ broken: 0, repeated: 0 });
    }
    if (rate.baud > 115_200) return;
    // Slow, so that nothing may cross twice: not even what takes long is asked for on top.
    expect([a, b].map(({ holder }) => holder.answers)).toEqual([0, 0]);
    // Seals, frames and acknowledgements.
    expect(modem.bytes - before).toBeLessThan(bytes * (rate.baud <= 1_200 ? 2 : 1.25));
  });

  it.each(RATES)('a vote overtakes bulk: %o', async (rate) => {
    const { house, a, b } = await linked(rate);
    const seconds = rate.baud < 1_000_000 ? 30 : 2;
    a.holder.issue(GROUP, random.bytes((seconds * rate.baud) / 10));
    await house.stage.advance(seconds * 250);
    const from = house.stage.monotonicMs();
    a.mesh.broadcast({ kind: 'ballot-note', note: noteOf(GROUP, a.id, 1) });
    const before = b.holder.delivered.size;
    await house.stage.until(() => b.holder.delivered.size > before, 120_000, 10);
    const tookMs = house.stage.monotonicMs() - from;
    expect(b.holder.sequenceOf(GROUP, a.id)).toBe(0);
    const noteMs = (400 * 10_000) / rate.baud;
    // It stands behind what the line was given already: three frames of 400 ms where it is slowest.
    const givenMs = rate.baud < 9_600 ? 14_000 : 200;
    expect(tookMs).toBeLessThan(noteMs + givenMs + (rate.latencyMs ?? 0) + (rate.burstMs ?? 0));
  });

  it.each(RATES)('an idle link stays, for next to nothing: %o', async (rate) => {
    const { house, modem, a, b } = await linked(rate);
    await house.stage.advance(HOUR_MS);
    const before = modem.bytes;
    const hours = rate.baud <= 9_600 ? 24 : 2;
    await house.stage.advance(hours * HOUR_MS);
    expect([downs(a), downs(b)]).toEqual([[], []]);
    expect(isLinked(a, b) && isLinked(b, a)).toBe(true);
    const bits = ((modem.bytes - before) * 8) / (hours * 3_600);
    expect(bits).toBeGreaterThan(0);
    expect(bits).toBeLessThan(rate.baud <= 9_600 ? 2 : 200);
  });

  it.each([
    { baud: 300, share: 0.002 },
    { baud: 4_000_000, share: 0.000_02 },
    { baud: 4_000_000, share: 0.000_02, query: '&compress=1' },
  ])('whatever is spoilt is said again, and nothing is lost: %o', async ({ share, ...rate }) => {
    const chance = new SeededRandom(2);
    const damage = (bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length; at++) {
        if (chance.fraction() < share) bytes[at]! ^= 1 << Math.floor(chance.fraction() * 8);
      }
      return bytes;
    };
    const { house, a, b } = await linked({ ...rate, damage });
    for (let count = 0; count < 5; count++) a.holder.issue(GROUP, bulkOf(rate.baud, 10));
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 5, 3_600_000, 1_000);
    expect(repairsOf(a)?.repeated).toBeGreaterThan(0);
    expect([downs(a), downs(b)]).toEqual([[], []]);
  });

  it.each(RATES)('who leaves in the middle of bulk is missed at once: %o', async (rate) => {
    const { house, a, b } = await linked(rate);
    a.holder.issue(GROUP, bulkOf(rate.baud, 60));
    await house.stage.advance(rate.baud < 1_000_000 ? 10_000 : 20);
    const closing = a.mesh.close();
    await house.stage.until(() => !isLinked(b, a), 60_000, 100);
    expect(b.holder.events.at(-1)).toMatchObject({ kind: 'down', reason: 'peer left: closing' });
    await house.stage.advance(120_000);
    await closing;
  });

  it('who gives up a line of 300 baud says so, before its device is closed', async () => {
    const stage = new Stage();
    const modem = new SerialModem({ timers: stage, baud: 300 });
    const [near, far] = ['near', 'far'].map((name, seed) => {
      const random = new SeededRandom(seed + 1);
      const serial = new SerialTransport({ timers: stage, random, checksum, openPort: modem.open });
      return serial.dial(`serial:///dev/${name}?baud=300`, new AbortController().signal);
    });
    await stage.advance(60_000);
    const ear = new Ear(await far!);
    const link = await near!;
    for (let count = 0; count < 3; count++) link.send(random.bytes(120));
    await stage.advance(100);
    link.close(new LinkError('LINK_TIMEOUT', 'enough'));
    await stage.until(() => ear.closes.length > 0, 60_000);
    expect(ear.closes.map((each) => each?.code)).toEqual(['LINK_RESET']);
  });

  it('that carries less than it is said to, a tenth even, goes on', async () => {
    const { house, a, b } = await linked({ baud: 960, said: 9_600 });
    a.holder.issue(GROUP, random.bytes(5_000));
    await house.stage.until(() => b.holder.sequenceOf(GROUP, a.id) === 1, 600_000, 100);
    expect([downs(a), downs(b)]).toEqual([[], []]);
  });
});
