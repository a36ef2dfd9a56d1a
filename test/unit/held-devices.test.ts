import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chooseProfile } from '../../src/hardware/board-profiles.ts';
import { HostReservations } from '../../src/hardware/host-reservations.ts';
import { LineBoard } from '../../src/hardware/line-board.ts';
import { VirtualDriver } from '../../src/hardware/virtual-driver.ts';
import { loadDevices } from '../../src/participant/device-settings.ts';
import { Devices } from '../../src/participant/devices.ts';
import { openLogger } from '../../src/participant/log.ts';
import {
  QuorumWatch,
  type Standing,
  type WatchedGroup,
} from '../../src/participant/quorum-watch.ts';
import { BoardError } from '../../src/ports/board.ts';
import type { ByteStream, ByteStreamHandler } from '../../src/ports/byte-stream.ts';
import { VirtualTime } from './virtual-time.ts';

let folder: string;
let file: string;
const open: Devices[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-devices-'));
  file = join(folder, 'vertebra.toml');
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
  rmSync(folder, { recursive: true });
});

const FAN = 'name = "fan"\nkind = "gpio"\npin = "GPIO17"\ndirection = "out"\nsafe = "high"';
const LAMP = 'name = "lamp"\nkind = "pwm"\npin = "GPIO12"\nsafe = "low"';
const BELL = 'name = "bell"\nkind = "gpio"\npin = "GPIO22"\ndirection = "out"\nsafe = "input"';
const DOOR = 'name = "door"\nkind = "gpio"\npin = "GPIO27"\nlabels = ["site=greenhouse-3"]';
const WHEELS =
  'name = "wheels"\nkind = "drivetrain"\npath = "/dev/none"\ncontroller = "sabertooth"\n' +
  'acceleration_max_percent = 100000';
const METER = 'name = "meter"\nkind = "serial"\npath = "/dev/nothing"';

/** The near end of a cable, whose far end the test is. */
class Cable implements ByteStream {
  readonly name = 'cable';
  readonly queuedBytes = 0;
  readonly written: number[] = [];
  handler: ByteStreamHandler | null = null;
  isClosed = false;

  write(bytes: Uint8Array): void {
    this.written.push(...bytes);
  }

  handle(handler: ByteStreamHandler): void {
    this.handler = handler;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.handler?.onClose(null);
  }
}

interface StartOptions {
  readonly fault?: BoardError;
  readonly streams?: (path: string) => ByteStream;
}

async function start(sections: readonly string[], options: StartOptions = {}) {
  writeFileSync(file, sections.map((text) => `[[devices]]\n${text}\n`).join(''));
  const declared = loadDevices(file);
  const profile = chooseProfile('virtual');
  const driver = new VirtualDriver(profile);
  const timers = new VirtualTime();
  const lines: Record<string, unknown>[] = [];
  const log = openLogger({
    ...{ level: 'info', format: 'json', lineBytesMax: 999, wallMs: () => 0 },
    write: (line) => lines.push(JSON.parse(line)),
  });
  const devices = await Devices.open({
    ...{ devices: declared, board: 'virtual', timers, log },
    open: async () => {
      if (options.fault !== undefined) throw options.fault;
      return new LineBoard({ profile, driver, timers, reservations: null });
    },
    openStream: async (path) => {
      if (options.streams !== undefined) return options.streams(path);
      throw new BoardError('BOARD_INTERFACE_MISSING', `There is no ${path}. Plug it in.`);
    },
  });
  open.push(devices);
  const states = () => [17, 12, 22].map((line) => driver.stateOf(line));
  const said = () => JSON.stringify(lines);
  return { declared, devices, driver, timers, log, states, said };
}

describe('the devices of an agent', () => {
  test('are safe from its start to its end, whatever was done with them meanwhile', async () => {
    const { devices, driver, states, said } = await start([FAN, LAMP, BELL, DOOR]);
    expect(states()).toEqual(['high', 'duty 0', 'floating']);
    expect(devices.list().map(({ where, holder }) => [where, holder])).toEqual([
      ['GPIO17 (J8:11)', 'this agent'],
      ['GPIO12 (J8:32)', 'this agent'],
      ['GPIO22 (J8:15)', 'this agent'],
      ['GPIO27 (J8:13)', 'this agent'],
    ]);
    devices.set('fan', false);
    devices.pwm('lamp', 0.5);
    expect(states()).toEqual(['low', 'duty 0.5', 'floating']);
    const before = driver.history.length;
    await devices.close();
    const ending = driver.history.slice(before);
    expect(ending).toContainEqual({ line: 17, state: 'high' });
    expect(ending).toContainEqual({ line: 12, state: 'duty 0' });
    expect(said()).toContain('devices-safe');
    expect(() => devices.set('fan', false)).toThrow(/has let go of it/);
  });

  test('are safe when the process ends by a fault of its own', async () => {
    const before = process.listeners('exit');
    const { devices, states } = await start([FAN]);
    devices.set('fan', false);
    const added = process.listeners('exit').filter((each) => !before.includes(each));
    expect(added).toHaveLength(1);
    added[0]!.call(process, 1);
    expect(states()[0]).toBe('high');
    await devices.close();
    expect(process.listeners('exit')).toEqual(before);
  });

  test('that cannot be had are said, and keep no other from being safe', async () => {
    const wrong = FAN.replace('GPIO17', 'GPIO99').replace('fan', 'wrong');
    const { devices, states, said } = await start([wrong, FAN]);
    expect(states()[0]).toBe('high');
    expect(said()).toMatch(/device-failed.*BOARD_PIN_UNKNOWN.*Take GPIO/);
    expect(devices.list()[0]).toMatchObject({ state: 'failed', holder: null });
    expect(devices.capabilities().map(({ device }) => device)).toEqual(['fan']);
    const error = expect.objectContaining({ code: 'DEVICE_FAILED' });
    expect(() => devices.set('wrong', true)).toThrow(error);
    expect(() => devices.get('none')).toThrow(/no device "none" here; there are: wrong, fan/);
  });

  test('of a board that cannot be had are said, and the agent goes on', async () => {
    const fault = new BoardError('BOARD_PERMISSION', 'not for this user. usermod -aG gpio');
    const { devices, said } = await start([FAN], { fault });
    expect(said()).toMatch(/board-failed.*usermod -aG gpio/);
    expect(devices.list()).toMatchObject([{ state: 'failed', detail: fault.message }]);
  });

  test('that two sections want have one owner, who is named', async () => {
    const { devices } = await start([FAN, FAN.replace('fan', 'second')]);
    expect(devices.list()).toMatchObject([
      { name: 'fan', state: 'ready', holder: 'this agent' },
      { name: 'second', state: 'failed', holder: 'device fan as output' },
    ]);
  });

  test('say what criteria may ask for', async () => {
    const cable = new Cable();
    const { devices } = await start([FAN, LAMP, DOOR, WHEELS], { streams: () => cable });
    expect(devices.capabilities()).toEqual([
      { device: 'fan', kinds: ['gpio', 'gpio:out'], labels: [] },
      { device: 'lamp', kinds: ['pwm'], labels: [] },
      { device: 'door', kinds: ['gpio', 'gpio:in'], labels: ['site=greenhouse-3'] },
      { device: 'wheels', kinds: ['drivetrain', 'drivetrain:diff'], labels: [] },
    ]);
  });
});

describe('a device', () => {
  test('can what its kind can, and nothing else', async () => {
    const { devices, states } = await start([FAN, DOOR]);
    const noVerb = expect.objectContaining({ code: 'DEVICE_VERB' });
    expect(() => devices.set('door', true)).toThrow(noVerb);
    expect(() => devices.drive('fan', 1, 1)).toThrow(noVerb);
    expect(() => devices.onEdge('fan', () => undefined)).toThrow(/cannot onEdge/);
    await expect(devices.act('fan', 'explode', [])).rejects.toThrow(noVerb);
    expect(states()[0]).toBe('high');
  });

  test('takes words from elsewhere as far as they are sound', async () => {
    const { devices, states } = await start([FAN, LAMP]);
    expect(await devices.act('fan', 'set', [0])).toBe(false);
    expect(await devices.act('lamp', 'pwm', [0.25])).toBe(0.25);
    expect(states().slice(0, 2)).toEqual(['low', 'duty 0.25']);
    for (const [name, verb, args] of [
      ['fan', 'set', ['on']],
      ['fan', 'set', []],
      ['fan', 'pulse', [true, 0]],
      ['fan', 'pulse', [true, 60_001]],
      ['fan', 'pulse', [true, Number.NaN]],
      ['lamp', 'pwm', [1.01]],
      ['lamp', 'pwm', ['1']],
    ] as const) {
      const refused = expect.objectContaining({ code: 'DEVICE_VALUE' });
      await expect(devices.act(name, verb, args)).rejects.toThrow(refused);
    }
    expect(states().slice(0, 2)).toEqual(['low', 'duty 0.25']);
    expect(await devices.act('fan', 'stop', [])).toBe(true);
  });

  test('ends a pulse by itself, and a newer command ends it at once', async () => {
    const { devices, timers, states } = await start([FAN]);
    const first = devices.pulse('fan', false, 200);
    timers.pass(199);
    expect(states()[0]).toBe('low');
    timers.pass(1);
    expect(states()[0]).toBe('high');
    expect(await first).toBe(true);
    const second = devices.pulse('fan', true, 200);
    devices.set('fan', true);
    expect(await second).toBe(false);
    timers.pass(1000);
    expect(states()[0]).toBe('high');
    expect(timers.pending).toBe(0);
  });

  test('tells its edges', async () => {
    const { devices, driver } = await start([DOOR]);
    const edges: boolean[] = [];
    const end = devices.onEdge('door', ({ isHigh }) => edges.push(isHigh));
    driver.drive(27, true);
    await Promise.resolve();
    expect(edges).toEqual([true]);
    expect(devices.get('door')).toBe(true);
    end();
    driver.drive(27, false);
    await Promise.resolve();
    expect(edges).toEqual([true]);
  });

  test('on a cable that is pulled is looked for until it is back', async () => {
    const cables = [new Cable(), new Cable()];
    const left = [...cables];
    let isPlugged = true;
    const { devices, timers, said } = await start([METER], {
      streams: (path) => {
        if (!isPlugged) throw new BoardError('BOARD_INTERFACE_MISSING', `There is no ${path}.`);
        return left.shift()!;
      },
    });
    let changes = 0;
    devices.onChange(() => {
      changes += 1;
    });
    const heard: number[] = [];
    devices.onBytes('meter', (bytes) => heard.push(...bytes));
    cables[0]!.handler!.onBytes(new Uint8Array([1, 2]));
    devices.write('meter', new Uint8Array([7]));
    expect([heard, devices.get('meter'), cables[0]!.written]).toEqual([[1, 2], 2, [7]]);
    isPlugged = false;
    cables[0]!.handler!.onClose(new Error('disconnected'));
    expect(devices.list()[0]).toMatchObject({ state: 'failed', holder: null });
    expect(devices.capabilities()).toEqual([]);
    const isBack = () => devices.list()[0]!.state === 'ready';
    timers.pass(5000);
    await untilPending(timers);
    expect(isBack()).toBe(false);
    isPlugged = true;
    timers.pass(5000);
    await new Promise<void>((done) => {
      if (isBack()) done();
      else devices.onChange(() => done());
    });
    devices.write('meter', new Uint8Array([8]));
    expect(cables[1]!.written).toEqual([8]);
    expect(said().match(/device-failed/g)).toHaveLength(1);
    expect(changes).toBeGreaterThan(1);
  });

  test('on a cable that another process holds says which', async () => {
    const giveBack = await new HostReservations().reserve('serial /dev/nothing', 'a test');
    const { devices } = await start([METER], { streams: () => new Cable() });
    expect(devices.list()[0]?.holder).toBe(`a test (process ${process.pid})`);
    await devices.close();
    await giveBack();
  });
});

/** Until a cable that was not there is waited for again. */
async function untilPending(timers: VirtualTime): Promise<void> {
  while (timers.pending === 0) await new Promise((done) => setImmediate(done));
}

describe('a device that declares it', () => {
  const RULE = 'on_quorum_loss = "safe"\nquorum_loss_ms = 4000\n';
  const group = (pact: string, more: Partial<WatchedGroup> = {}): WatchedGroup => ({
    ...{ id: `${pact}-id`, pact, own: true, quorum: 2, ended: null, alarm: null },
    owners: ['a', 'b', 'c'].map((avatar) => ({ avatar })),
    ...{ finalizedLevel: 0, lastSequence: 0, awaited: [] },
    ...more,
  });
  const linked = (...avatars: string[]): Standing['peers'] =>
    avatars.map((avatar) => ({ avatar, state: 'connected' as const }));

  async function watched(rule: string, first: Partial<Standing> = {}) {
    const { declared, devices, timers, log, states, said } = await start([`${FAN}\n${rule}`, LAMP]);
    let standing: Standing = {
      ...{ self: 'a', halted: null, peers: linked('b'), groups: [group('doors')] },
      ...first,
    };
    const watch = new QuorumWatch({ declared, devices, timers, log, look: () => standing });
    watch.start();
    const pass = (ms: number, change: Partial<Standing> = {}) => {
      standing = { ...standing, ...change };
      timers.pass(ms);
    };
    return { devices, watch, states, said, pass };
  }

  test('is safe and refuses commands while its group reaches no Quorum', async () => {
    const { devices, watch, states, said, pass } = await watched(RULE);
    pass(60_000);
    devices.set('fan', false);
    pass(3000, { peers: [] });
    expect(states()[0]).toBe('low');
    pass(2000);
    expect(states()[0]).toBe('high');
    const withheld = expect.objectContaining({ code: 'DEVICE_WITHHELD' });
    expect(() => devices.set('fan', false)).toThrow(withheld);
    expect(() => devices.set('fan', false)).toThrow(
      /doors \(doors-id\) reached no Quorum for 4000/,
    );
    devices.stop('fan');
    expect(devices.list()[0]).toMatchObject({ state: 'withheld', holder: 'this agent' });
    devices.pwm('lamp', 1);
    expect(said()).toMatch(/device-quorum-lost/);
    // It stays as it is until somebody commands anew.
    pass(1000, { peers: linked('c') });
    expect(states()[0]).toBe('high');
    devices.set('fan', false);
    expect(states()[0]).toBe('low');
    expect(said()).toMatch(/device-quorum-back/);
    watch.stop();
  });

  test('keeps its state where it declares nothing', async () => {
    const { devices, states, pass } = await watched('', { peers: [] });
    devices.set('fan', false);
    pass(600_000);
    expect(states()[0]).toBe('low');
  });

  test('goes on where owners are behind others, as long as something becomes final', async () => {
    const { devices, states, watch, pass } = await watched(RULE, { peers: [] });
    devices.set('fan', false);
    for (let sequence = 1; sequence < 20; sequence++) {
      pass(3000, { groups: [group('doors', { lastSequence: sequence })] });
    }
    expect(states()[0]).toBe('low');
    pass(6000);
    expect(states()[0]).toBe('high');
    watch.stop();
  });

  test('is safe where too many owners are awaited, or the agent halted', async () => {
    const stuck = [group('doors', { awaited: ['b', 'c'] })];
    for (const change of [
      { groups: stuck },
      { groups: [group('doors', { alarm: 'fork' })] },
      { halted: 'the disk is full' },
    ]) {
      const { devices, states, watch, pass } = await watched(RULE);
      devices.set('fan', false);
      pass(6000, change);
      expect(states()[0]).toBe('high');
      watch.stop();
      await devices.close();
    }
  });

  test('looks at the group that it names alone, and misses one that is not there', async () => {
    const named = `${RULE}quorum_group = "doors"`;
    const other = group('other', { quorum: 3 });
    const { devices, states, watch, pass } = await watched(named);
    devices.set('fan', false);
    pass(60_000, { groups: [group('doors'), other] });
    expect(states()[0]).toBe('low');
    pass(60_000, { groups: [other] });
    expect(devices.list()[0]?.detail).toBe('there is no Sync Group doors here.');
    expect(states()[0]).toBe('high');
    watch.stop();
  });

  test('looks at no group that ended, nor at those of others', async () => {
    const { devices, states, watch, pass } = await watched(RULE, {
      ...{ peers: [] },
      groups: [group('a', { ended: 'hand-over' }), group('b', { own: false })],
    });
    devices.set('fan', false);
    pass(60_000);
    expect(states()[0]).toBe('low');
    watch.stop();
  });
});
