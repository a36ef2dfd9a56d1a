import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HostReservations } from '../../src/hardware/host-reservations.ts';
import { LineBoard } from '../../src/hardware/line-board.ts';
import { OnoffDriver } from '../../src/hardware/onoff-driver.ts';
import { SystemClock } from '../../src/participant/system-clock.ts';
import { describeBoards } from '../contract/board.ts';
import { base, driveLine, id, levelOf, profile } from './real-chips.ts';

const timers = new SystemClock();

async function openReal() {
  const driver = await OnoffDriver.open(profile, timers);
  return new LineBoard({ profile, driver, timers, reservations: new HostReservations() });
}

describeBoards({
  name: `onoff (${id})`,
  open: async () => ({
    board: await openReal(),
    drive: (pin, isHigh) => driveLine(pin.line, isHigh),
    stateOf: (pin) => {
      const folder = `/sys/class/gpio/gpio${base() + pin.line}`;
      if (!existsSync(folder)) return 'floating';
      if (readFileSync(join(folder, 'direction'), 'utf8').trim() === 'in') return 'floating';
      return levelOf(pin.line);
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
