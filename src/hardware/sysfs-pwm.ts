import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BoardError } from '../ports/board.ts';
import { sysfsError } from './gpio-chips.ts';
import type { DriverPwm } from './line-driver.ts';
import type { PwmChannel } from './pin-names.ts';

const NS_PER_SECOND = 1_000_000_000;

/** `/sys/class/pwm/pwmchipN` whose device is the one of the profile: N varies. */
function findPwmChip(wanted: PwmChannel, root: string): string {
  const folder = join(root, 'sys/class/pwm');
  const chips = existsSync(folder) ? readdirSync(folder) : [];
  const found = chips
    .map((chip) => join(folder, chip))
    .find((chip) => {
      const device = join(chip, 'device');
      return existsSync(device) && realpathSync(device).endsWith(wanted.chip.device);
    });
  if (found !== undefined) return found;
  const mend = `Put ${wanted.chip.enable} into /boot/firmware/config.txt, and restart.`;
  throw new BoardError('BOARD_INTERFACE_MISSING', `The kernel shows no PWM here. ${mend}`);
}

/**
 * Begins PWM on a channel.
 *
 * @param ready Waits until a file may be written: a rule of udev may have to permit it first.
 * @source Linux, Documentation/driver-api/pwm.rst
 * @throws BoardError
 */
export async function openSysfsPwm(
  wanted: PwmChannel,
  frequencyHz: number,
  duty: number,
  around: {
    readonly root: string;
    readonly ready: (path: string) => Promise<void>;
    /** `writeFileSync`, unless a test plays the kernel. */
    readonly write?: (path: string, text: string) => void;
  },
): Promise<DriverPwm> {
  const chip = findPwmChip(wanted, around.root);
  const folder = join(chip, `pwm${wanted.channel}`);
  const name = `PWM channel ${wanted.channel}`;
  const periodNs = Math.round(NS_PER_SECOND / frequencyHz);
  const tell = around.write ?? writeFileSync;
  const put = (file: string, value: number): void => {
    try {
      tell(join(folder, file), String(value));
    } catch (cause) {
      throw sysfsError(name, cause);
    }
  };
  const write = (share: number): void => put('duty_cycle', Math.round(share * periodNs));
  try {
    if (!existsSync(folder)) writeFileSync(join(chip, 'export'), String(wanted.channel));
  } catch (cause) {
    throw sysfsError(name, cause);
  }
  await around.ready(join(folder, 'duty_cycle'));
  // A duty above the new period would be refused: first none, then the period. A channel that is
  // new has none, nor a period, and without a period the kernel takes no duty at all.
  if (Number(readFileSync(join(folder, 'duty_cycle'), 'utf8')) > 0) put('duty_cycle', 0);
  put('period', periodNs);
  write(duty);
  put('enable', 1);
  return {
    write,
    close: () => {
      put('enable', 0);
      writeFileSync(join(chip, 'unexport'), String(wanted.channel));
    },
  };
}
