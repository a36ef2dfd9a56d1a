import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chooseProfile } from '../../src/hardware/board-profiles.ts';
import { pwmChannelOf, pwmLinesOf } from '../../src/hardware/pin-names.ts';
import { openSysfsPwm } from '../../src/hardware/sysfs-pwm.ts';

const profile = chooseProfile('rpi-4b');
const wanted = pwmChannelOf(profile, pwmLinesOf(profile)[0]!)!;

let root: string;
let channel: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vertebra-pwm-'));
  const device = join(root, 'sys/devices', wanted.chip.device);
  const chip = join(root, 'sys/class/pwm/pwmchip0');
  channel = join(chip, `pwm${wanted.channel}`);
  mkdirSync(device, { recursive: true });
  mkdirSync(channel, { recursive: true });
  symlinkSync(device, join(chip, 'device'));
});
afterEach(() => rmSync(root, { recursive: true }));

const numberIn = (file: string): number => Number(readFileSync(join(channel, file), 'utf8'));

/** Refuses what pwm_apply_state of Linux 6.6 does: no period, or a duty above it. */
function kernelWrite(path: string, text: string): void {
  const file = basename(path);
  if (dirname(path) === channel) {
    const state = { period: numberIn('period'), duty_cycle: numberIn('duty_cycle') };
    const next = { ...state, [file]: Number(text) };
    if (next.period === 0 || next.duty_cycle > next.period) throw new Error('EINVAL');
  }
  writeFileSync(path, text);
}

test.each([
  ['is new and has no period yet', 0, 0],
  ['was left behind at a longer period', 20_000_000, 20_000_000],
])('a PWM channel that %s begins at its duty', async (_what, period, duty) => {
  for (const [file, value] of Object.entries({ period, duty_cycle: duty, enable: 0 })) {
    writeFileSync(join(channel, file), String(value));
  }
  const ready = async (): Promise<void> => undefined;
  await openSysfsPwm(wanted, 1000, 0.25, { root, ready, write: kernelWrite });
  expect(['period', 'duty_cycle', 'enable'].map(numberIn)).toEqual([1_000_000, 250_000, 1]);
});

describe('a PWM channel that is let go of', () => {
  const ready = async (): Promise<void> => undefined;
  const written: string[] = [];
  const open = async () => {
    const write = (path: string, text: string): void => {
      kernelWrite(path, text);
      written.push(`${basename(path)} ${text}`);
    };
    return openSysfsPwm(wanted, 1000, 1, { root, ready, write });
  };
  beforeEach(() => {
    for (const file of ['period', 'duty_cycle', 'enable']) writeFileSync(join(channel, file), '0');
    written.length = 0;
  });

  test('stays high where that is its safe state, and the next owner lets it be', async () => {
    const pwm = await open();
    pwm.write(0.5);
    pwm.write(1);
    pwm.close();
    expect(['period', 'duty_cycle', 'enable'].map(numberIn)).toEqual([1_000_000, 1_000_000, 1]);
    written.length = 0;
    await open();
    expect(written).toEqual(['duty_cycle 1000000', 'enable 1']);
  });

  test('is given back where it is low', async () => {
    const pwm = await open();
    pwm.write(0);
    pwm.close();
    expect(numberIn('enable')).toBe(0);
    expect(readFileSync(join(dirname(channel), 'unexport'), 'utf8')).toBe(`${wanted.channel}`);
  });
});
