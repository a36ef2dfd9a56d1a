import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findChipDevice, withChip } from '../../src/hardware/cdev-chips.ts';
import { CdevDriver } from '../../src/hardware/cdev-driver.ts';
import { loadGpioControl } from '../../src/hardware/gpio-control.ts';
import { GPIO_V2_GET_LINEINFO, packLineInfo } from '../../src/hardware/gpio-uapi.ts';
import { LineBoard } from '../../src/hardware/line-board.ts';
import { openBoard } from '../../src/hardware/open-board.ts';
import { SystemClock } from '../../src/participant/system-clock.ts';
import type { Edge } from '../../src/ports/board.ts';
import { describeBoards } from '../contract/board.ts';
import { base, driveLine, id, levelOf, profile, pullOf } from './real-chips.ts';

const timers = new SystemClock();
const { ioctl } = loadGpioControl();
const device = findChipDevice(profile.gpio.chip, ioctl);

const USED = 1n << 0n;
const OUTPUT = 1n << 3n;

/** What the kernel says of a line; `struct gpio_v2_line_info` has its flags at byte 72. */
function flagsOf(line: number): bigint {
  const info = packLineInfo(line);
  expect(withChip(device, (fd) => ioctl(fd, GPIO_V2_GET_LINEINFO, info))).toBe(0);
  return new DataView(info.buffer).getBigUint64(72, true);
}

const openReal = () =>
  new LineBoard({
    ...{ profile, timers, reservations: null },
    driver: CdevDriver.open(profile, timers),
  });

const input = { owner: 'a test', bias: 'none', edges: 'both', debounceMs: 0 } as const;
const output = { owner: 'a test', isHigh: true, safe: 'high' } as const;

describeBoards({
  name: `cdev (${id})`,
  open: async () => ({
    board: openReal(),
    drive: (pin, isHigh) => driveLine(pin.line, isHigh),
    stateOf: (pin) => {
      const flags = flagsOf(pin.line);
      return (flags & USED) === 0n || (flags & OUTPUT) === 0n ? 'floating' : levelOf(pin.line);
    },
    pass: (ms) => new Promise((done) => void timers.after(ms, done)),
    end: async () => undefined,
  }),
});

test('the character device is taken before sysfs', async () => {
  const notes: string[] = [];
  const board = await openBoard(id, timers, (text) => notes.push(text));
  expect([board.backend, notes]).toEqual(['cdev', []]);
  expect(board.capabilities).toMatchObject({ coalescesEdges: false, bias: true });
  await board.close();
});

test('every edge is heard, however fast they follow each other', async () => {
  const board = openReal();
  driveLine(17, false);
  const line = await board.openInput('GPIO17', input);
  const edges: Edge[] = [];
  const all = new Promise<void>((done) => {
    line.onEdge((edge) => {
      edges.push(edge);
      if (edges.length === 200) done();
    });
  });
  for (let edge = 0; edge < 200; edge++) driveLine(17, edge % 2 === 0);
  await all;
  expect(edges.map(({ isHigh }) => isHigh)).toEqual(
    Array.from({ length: 200 }, (_, edge) => edge % 2 === 0),
  );
  await board.close();
});

test('a pull resistor is set where it is asked for', async () => {
  const board = openReal();
  for (const bias of ['up', 'down'] as const) {
    const line = await board.openInput('GPIO27', { ...input, bias });
    expect([pullOf(27), line.read()]).toEqual([`pull-${bias}`, bias === 'up']);
    await line.release();
  }
  await board.close();
});

test('a line that sysfs has is refused, and the refusal names its holder', async () => {
  const taken = String(base() + 22);
  writeFileSync('/sys/class/gpio/export', taken);
  const board = openReal();
  await expect(board.openOutput('GPIO22', output)).rejects.toMatchObject({
    code: 'BOARD_PIN_HELD',
    message: expect.stringContaining('GPIO22 is held by "sysfs"'),
  });
  writeFileSync('/sys/class/gpio/unexport', taken);
  await (await board.openOutput('GPIO22', output)).release();
  await board.close();
});

test('a line of a killed process is free, and an input again on this kernel', async () => {
  const holder = await holdElsewhere();
  expect(flagsOf(6) & (USED | OUTPUT)).toBe(USED | OUTPUT);
  const ended = once(holder, 'exit');
  holder.kill('SIGKILL');
  await ended;
  expect(flagsOf(6) & USED).toBe(0n);
  const board = openReal();
  await (await board.openInput('GPIO6', input)).release();
  await board.close();
});

/** Another process that drives GPIO6. */
async function holdElsewhere(): Promise<ChildProcess> {
  const program = new URL('../../test/device/hold-pin.mjs', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, device, '6'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  return child;
}
