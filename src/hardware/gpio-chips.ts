import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BoardError } from '../ports/board.ts';

export const SYSFS_GPIO = 'sys/class/gpio';

export interface GpioChip {
  readonly label: string;
  /** Number of its first line in sysfs; differs between kernels, and between starts. */
  readonly base: number;
  readonly lines: number;
}

/** @returns the chips that sysfs shows; null where the kernel has no such interface. */
export function readChips(root = '/'): GpioChip[] | null {
  const folder = join(root, SYSFS_GPIO);
  const read = (chip: string, name: string): string =>
    readFileSync(join(folder, chip, name), 'utf8').trim();
  try {
    return readdirSync(folder)
      .filter((name) => /^gpiochip\d+$/.test(name))
      .map((chip) => ({
        label: read(chip, 'label'),
        base: Number(read(chip, 'base')),
        lines: Number(read(chip, 'ngpio')),
      }));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null;
    throw cause;
  }
}

/**
 * Finds a chip by its label: its base was 0, 399, 512, 569 and 571 on kernels of the last years.
 *
 * @throws BoardError BOARD_INTERFACE_MISSING
 */
export function findChip(label: string, root = '/'): GpioChip {
  const chips = readChips(root);
  if (chips === null) {
    const message = 'This kernel shows no pins in /sys/class/gpio (CONFIG_GPIO_SYSFS is off).';
    const mend = 'Take a kernel that does, such as that of Raspberry Pi OS.';
    throw new BoardError('BOARD_INTERFACE_MISSING', `${message} ${mend}`);
  }
  const found = chips.find((chip) => chip.label === label);
  if (found !== undefined) return found;
  const labels = chips.map((chip) => chip.label).join(', ') || 'none';
  const message = `The chip ${label} is not there; in /sys/class/gpio there are: ${labels}.`;
  const mend = 'Is board in vertebra.toml the right one?';
  throw new BoardError('BOARD_INTERFACE_MISSING', `${message} ${mend}`);
}

export function codeOf(cause: unknown): string | null {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : null;
}

/** What the kernel said about a pin, with what to do about it. */
export function sysfsError(pin: string, cause: unknown): BoardError {
  if (cause instanceof BoardError) return cause;
  const code = codeOf(cause);
  if (code === 'EACCES' || code === 'EPERM') {
    const mend = 'sudo usermod -aG gpio "$USER", then log in again.';
    return new BoardError('BOARD_PERMISSION', `${pin} is not for this user. ${mend}`, { cause });
  }
  if (code === 'EBUSY') {
    const mend = 'gpioinfo says which (apt-get install gpiod); end it, or take another pin.';
    const message = `${pin} is held by another program, or by a driver of the kernel. ${mend}`;
    return new BoardError('BOARD_PIN_HELD', message, { cause });
  }
  if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO') {
    const mend = 'vertebra doctor says what there is.';
    const message = `${pin} is not there: the kernel shows no such interface. ${mend}`;
    return new BoardError('BOARD_INTERFACE_MISSING', message, { cause });
  }
  const text = cause instanceof Error ? cause.message : String(cause);
  return new BoardError('BOARD_FAILED', `${pin}: ${text}.`, { cause });
}
