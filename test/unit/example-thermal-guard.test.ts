import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WorkerSandbox } from '../../src/behavior/worker-sandbox.ts';
import { chooseProfile } from '../../src/hardware/board-profiles.ts';
import { LineBoard } from '../../src/hardware/line-board.ts';
import type { DriverOutput } from '../../src/hardware/line-driver.ts';
import { VirtualDriver } from '../../src/hardware/virtual-driver.ts';
import type { Agent } from '../../src/participant/agent.ts';
import { loadDevices } from '../../src/participant/device-settings.ts';
import { Devices } from '../../src/participant/devices.ts';
import { openLogger } from '../../src/participant/log.ts';
import type { InvocationReport } from '../../src/participant/saga-face.ts';
import { readSagaModule } from '../../src/participant/saga-module.ts';
import { SystemClock } from '../../src/participant/system-clock.ts';
import type { Pin } from '../../src/ports/board.ts';
import { Hub } from './participant-hub.ts';

const folder = new URL('../../examples/thermal-guard/', import.meta.url);
const fileOf = (name: string) => new URL(name, folder).pathname;

const FAN = 17;
const FAN_SENSE = 27;
const STATES = 'saga_thermal_guard';
/** The section that the example's README shows. */
const DEVICES = /```toml\n([^`]*)```/.exec(readFileSync(fileOf('README.md'), 'utf8'))![1]!;

/** Pins in memory that tell of each level before it is there. */
class WatchedDriver extends VirtualDriver {
  onWrite: (isHigh: boolean) => void = () => undefined;

  override async openOutput(pin: Pin, isHigh: boolean | null): Promise<DriverOutput> {
    const output = await super.openOutput(pin, isHigh);
    const write = (level: boolean): void => {
      this.onWrite(level);
      output.write(level);
    };
    return { ...output, write };
  }
}

let home: string;
let driver: WatchedDriver;
let devices: Devices;
let sensor: Agent;
let office: Agent;
let cooler: Agent;
let agents: Agent[];
/** At each level that was written: which States were final where the fan is. */
let writes: { isHigh: boolean; states: string[] }[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'vertebra-thermal-'));
  writeFileSync(join(home, 'vertebra.toml'), DEVICES);
  const profile = chooseProfile('virtual');
  driver = new WatchedDriver(profile);
  const timers = new SystemClock();
  devices = await Devices.open({
    devices: loadDevices(join(home, 'vertebra.toml')),
    board: 'virtual',
    timers,
    log: openLogger({
      ...{ level: 'info', format: 'json', lineBytesMax: 999, wallMs: Date.now },
      write: () => undefined,
    }),
    open: async () => new LineBoard({ profile, driver, timers, reservations: null }),
  });
  const hub = new Hub();
  hub.sandboxOf = () => new WorkerSandbox();
  hub.devicesOf = (name) => (name === 'cooler' ? devices : null);
  const sagaTakeOverMs = 3_600_000;
  sensor = hub.open('sensor', 1, { sagaTakeOverMs });
  office = hub.open('office', 2, { sagaTakeOverMs, labels: ['site=office'] });
  cooler = hub.open('cooler', 3, { sagaTakeOverMs });
  agents = [sensor, office, cooler];
  for (const agent of agents) await agent.start();
  const owners = agents.map(({ avatar }) => avatar);
  for (const name of ['room_temperature', 'fan_order', 'fan_report']) {
    await sensor.addPact(readFileSync(fileOf(`pacts/${name}.json`), 'utf8'));
    await sensor.addGroup(name, owners);
  }
  const { saga, behaviors } = await readSagaModule(fileOf('thermal-guard.saga.ts'));
  for (const each of behaviors) await sensor.sagas.addBehavior(each);
  await sensor.sagas.deploy(saga, owners);
  await until(() => agents.every((each) => each.sagas.list().length === 1));
  writes = [];
  driver.onWrite = (isHigh) => {
    const [newest] = invocations(cooler);
    writes.push({ isHigh, states: kindsOf(cooler, newest!.id) });
  };
});

afterEach(async () => {
  driver.onWrite = () => undefined;
  for (const agent of agents) await agent.close();
  await devices.close();
  rmSync(home, { recursive: true });
});

/** Looks again after each turn of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const invocations = (agent: Agent): readonly InvocationReport[] =>
  agent.sagas.list().flatMap((saga) => saga.invocations);
const kindsOf = (agent: Agent, id: string): string[] =>
  agent.sagas.trace(id).states.map(({ kind, stage }) => `${kind} ${stage}`);
const reports = (agent: Agent) =>
  agent
    .channel('fan_report')
    .pull(1, 99)
    .map(({ entry }) => entry?.['on']);

const reads = (celsius: number) =>
  sensor.channel('room_temperature').push([{ sensor: 'rack', celsius }]);

/** The newest invocation has come to this everywhere. */
async function everywhere(count: number, state: InvocationReport['state'], step: number) {
  const isThere = (agent: Agent) => {
    const all = invocations(agent);
    return all.length === count && all[0]!.state === state && all[0]!.step === step;
  };
  await until(() => agents.every(isThere));
}

/** What each Participant says that happened is the same. */
function expectSame(): void {
  const told = agents.map((agent) => [
    agent
      .channel(STATES)
      .pull(1, 99)
      .map(({ sequence, entry }) => ({ sequence, entry })),
    invocations(agent),
    invocations(agent).map(({ id }) => kindsOf(agent, id)),
  ]);
  expect(told[1]).toEqual(told[0]);
  expect(told[2]).toEqual(told[0]);
}

describe('the thermal guard of the examples', { timeout: 60_000 }, () => {
  it('turns the fan from a hot reading to a cool one, each time after a final claim', async () => {
    driver.wire(FAN, FAN_SENSE);
    await reads(59.5);
    await reads(61);
    await everywhere(1, 'pending', 3);
    expect(driver.stateOf(FAN)).toBe('high');
    await reads(56);
    await reads(54.5);
    await everywhere(1, 'completed', 5);
    expect(driver.stateOf(FAN)).toBe('low');
    await until(() => agents.every((each) => reports(each).length === 2));
    expect(reports(cooler)).toEqual([true, false]);
    const on = ['partial decide', 'began cool'];
    const off = [...on, 'partial cool', 'partial check', 'began rest'];
    expect(writes).toEqual([
      { isHigh: true, states: on },
      { isHigh: false, states: off },
    ]);
    const [{ id }] = invocations(sensor) as [InvocationReport];
    const trace = sensor.sagas.trace(id);
    const actors = trace.states.map(({ at }) => agents.find(({ avatar }) => avatar.startsWith(at)));
    const expected = [office, ...Array.from({ length: 5 }, () => cooler)];
    expect(actors.map((each) => each?.avatar)).toEqual(expected.map(({ avatar }) => avatar));
    expectSame();
    expect(await sensor.sagas.replay(id)).toMatchObject({ same: true });
    expect(writes.length).toBe(2);
  });

  it('switches a fan off that does not turn, and may order it again after that', async () => {
    await reads(70);
    await everywhere(1, 'compensated', 6);
    expect(driver.stateOf(FAN)).toBe('low');
    const before = ['partial decide', 'began cool', 'partial cool', 'failed check', 'began cool'];
    expect(writes).toEqual([
      { isHigh: true, states: before.slice(0, 2) },
      { isHigh: false, states: before },
    ]);
    const [first] = invocations(cooler);
    expect(first).toMatchObject({ failure: 'the fan does not turn' });
    expect(kindsOf(cooler, first!.id)).toEqual([...before, 'failed cool', 'final-failed decide']);
    expectSame();
    expect(await cooler.sagas.replay(first!.id)).toMatchObject({ same: true });
    expect(writes.length).toBe(2);
    driver.wire(FAN, FAN_SENSE);
    await reads(71);
    await everywhere(2, 'pending', 3);
    expect(driver.stateOf(FAN)).toBe('high');
    expectSame();
  });

  it('orders the fan once, however many hot readings come', async () => {
    driver.wire(FAN, FAN_SENSE);
    await reads(61);
    await everywhere(1, 'pending', 3);
    await reads(62);
    await everywhere(2, 'compensated', 0);
    expect(invocations(cooler)[0]!.failure).toBe('the fan was ordered before');
    expect(driver.stateOf(FAN)).toBe('high');
    expect(writes.length).toBe(1);
    expectSame();
  });
});
