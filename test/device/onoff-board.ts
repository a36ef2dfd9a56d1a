import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseProfile } from '../../src/hardware/board-profiles.ts';
import { readChips } from '../../src/hardware/gpio-chips.ts';
import { HostReservations } from '../../src/hardware/host-reservations.ts';
import { LineBoard } from '../../src/hardware/line-board.ts';
import { OnoffDriver } from '../../src/hardware/onoff-driver.ts';
import { SystemClock } from '../../src/participant/system-clock.ts';
import type { BoardProfile } from '../../src/ports/board-profile.ts';
import { describeBoards } from '../contract/board.ts';

const timers = new SystemClock();
/** Whichever board the guest's chips are those of. */
const labels = (readChips() ?? []).map(({ label }) => label);
const id = labels.includes('pinctrl-rp1') ? 'rpi-5' : 'rpi-4b';
const profile: BoardProfile = chooseProfile(id);

const base = () => readChips()!.find(({ label }) => label === profile.gpio.chip)!.base;

/** Where the simulator shows a line to the world outside. @source Linux, gpio-sim.rst */
function simulated(line: number): string {
  const device = join(realpathSync(`/sys/class/gpio/gpiochip${base()}`), '../..');
  const chip = readdirSync(device).find((name) => /^gpiochip\d+$/.test(name));
  return join(device, chip ?? 'none', `sim_gpio${line}`);
}

async function openReal() {
  const driver = await OnoffDriver.open(profile, timers);
  return new LineBoard({ profile, driver, timers, reservations: new HostReservations() });
}

describeBoards({
  name: `onoff (${id})`,
  open: async () => ({
    board: await openReal(),
    drive: (pin, isHigh) =>
      writeFileSync(join(simulated(pin.line), 'pull'), isHigh ? 'pull-up' : 'pull-down'),
    stateOf: (pin) => {
      const folder = `/sys/class/gpio/gpio${base() + pin.line}`;
      if (!existsSync(folder)) return 'floating';
      if (readFileSync(join(folder, 'direction'), 'utf8').trim() === 'in') return 'floating';
      const value = readFileSync(join(simulated(pin.line), 'value'), 'utf8').trim();
      return value === '1' ? 'high' : 'low';
    },
    pass: (ms) => new Promise((done) => void timers.after(ms, done)),
    end: async () => undefined,
  }),
});

test('the chip is found by its label, wherever its numbers begin', () => {
  expect(base()).toBe(id === 'rpi-5' ? 571 : 512);
});

test('a pin that another process has is refused, and the refusal names it', async () => {
  const script = `
    const { createServer } = require('node:net');
    createServer((socket) => socket.end('device fan (process 7)'))
      .listen('\\0vertebra pin ${profile.gpio.chip} GPIO17', () => console.log('held'));`;
  const other = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(other.stdout!, 'data');
  const board = await openReal();
  const wanted = { owner: 'a test', isHigh: false, safe: 'low' } as const;
  await expect(board.openOutput('GPIO17', wanted)).rejects.toMatchObject({
    code: 'BOARD_PIN_HELD',
    message: expect.stringContaining('device fan (process 7)'),
  });
  const ended = once(other, 'exit');
  other.kill('SIGKILL');
  await ended;
  await (await board.openOutput('GPIO17', wanted)).release();
  await board.close();
});

test('a pin that a killed process left behind is taken over', async () => {
  const taken = base() + 6;
  const board = await openReal();
  writeFileSync('/sys/class/gpio/export', String(taken));
  // One that was left behind is taken over.
  const line = await board.openInput('GPIO6', {
    ...{ owner: 'a test', bias: 'none', edges: 'both', debounceMs: 0 },
  });
  await line.release();
  expect(existsSync(`/sys/class/gpio/gpio${taken}`)).toBe(false);
  await board.close();
});
