import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { BoardError } from '../ports/board.ts';
import { sysfsError } from './gpio-chips.ts';
import type { Ioctl } from './gpio-control.ts';
import { CHIP_INFO_BYTES, GPIO_GET_CHIPINFO, readChipInfo } from './gpio-uapi.ts';

const CHIP = /^gpiochip\d+$/;

/** The names of errors, for what a request returns: its number below zero. */
const NAMES = new Map(Object.entries(constants.errno).map(([name, code]) => [code, name]));

/** Makes an error of what the kernel returned, as `node:fs` does. */
export function kernelError(outcome: number, what: string): Error {
  const code = NAMES.get(-outcome) ?? `errno ${-outcome}`;
  return Object.assign(new Error(`${code}, ${what}`), { code });
}

/**
 * Finds the device of a chip by its label: numbers of chips differ between kernels.
 *
 * @returns `/dev/gpiochip0`
 * @throws BoardError BOARD_INTERFACE_MISSING, BOARD_PERMISSION
 */
export function findChipDevice(label: string, ioctl: Ioctl, root = '/'): string {
  const folder = join(root, 'dev');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => CHIP.test(name)) : [];
  const labels: string[] = [];
  let refusal: unknown = null;
  for (const name of names.sort()) {
    const path = join(folder, name);
    try {
      const found = labelOf(path, ioctl);
      if (found === label) return path;
      labels.push(found);
    } catch (cause) {
      refusal ??= sysfsError(path, cause);
    }
  }
  if (refusal !== null) throw refusal;
  const what =
    names.length === 0 ? 'There is no /dev/gpiochip*.' : `The chip ${label} is not there`;
  const there = names.length === 0 ? '' : `; in /dev there are: ${labels.join(', ')}.`;
  const mend = 'Is board in vertebra.toml the right one, and is CONFIG_GPIO_CDEV in the kernel?';
  throw new BoardError('BOARD_INTERFACE_MISSING', `${what}${there} ${mend}`);
}

function labelOf(path: string, ioctl: Ioctl): string {
  return withChip(path, (fd) => {
    const info = new Uint8Array(CHIP_INFO_BYTES);
    const outcome = ioctl(fd, GPIO_GET_CHIPINFO, info);
    if (outcome < 0) throw kernelError(outcome, path);
    return readChipInfo(info).label;
  });
}

/** Opens a chip as long as it is asked something: lines that it granted stay. */
export function withChip<Result>(path: string, act: (fd: number) => Result): Result {
  const fd = openSync(path, 'r+');
  try {
    return act(fd);
  } finally {
    closeSync(fd);
  }
}
