import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
