import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseProfile } from '../../src/hardware/board-profiles.ts';
import { readChips } from '../../src/hardware/gpio-chips.ts';
import type { BoardProfile } from '../../src/ports/board-profile.ts';

/** Whichever board the guest's chips are those of. */
const labels = (readChips() ?? []).map(({ label }) => label);
export const id = labels.includes('pinctrl-rp1') ? 'rpi-5' : 'rpi-4b';
export const profile: BoardProfile = chooseProfile(id);

/** Number of the first line of the header's chip, in sysfs. */
export const base = (): number =>
  readChips()!.find(({ label }) => label === profile.gpio.chip)!.base;

/** Where the simulator shows a line to the world outside. @source Linux, gpio-sim.rst */
function simulated(line: number): string {
  const device = join(realpathSync(`/sys/class/gpio/gpiochip${base()}`), '../..');
  const chip = readdirSync(device).find((name) => /^gpiochip\d+$/.test(name));
  return join(device, chip ?? 'none', `sim_gpio${line}`);
}

/** Somebody outside sets the level at a line. */
export function driveLine(line: number, isHigh: boolean): void {
  writeFileSync(join(simulated(line), 'pull'), isHigh ? 'pull-up' : 'pull-down');
}

/** Which way the simulator itself pulls a line. */
export function pullOf(line: number): string {
  return readFileSync(join(simulated(line), 'pull'), 'utf8').trim();
}

export function levelOf(line: number): 'high' | 'low' {
  return readFileSync(join(simulated(line), 'value'), 'utf8').trim() === '1' ? 'high' : 'low';
}
