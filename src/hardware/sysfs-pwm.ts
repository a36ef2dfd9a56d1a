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
  const nsOf = (file: string): number => Number(readFileSync(join(folder, file), 'utf8'));
  let share = duty;
  const write = (wantedShare: number): void => {
    put('duty_cycle', Math.round(wantedShare * periodNs));
    share = wantedShare;
  };
  try {
    if (!existsSync(folder)) writeFileSync(join(chip, 'export'), String(wanted.channel));
  } catch (cause) {
    throw sysfsError(name, cause);
  }
  await around.ready(join(folder, 'duty_cycle'));
  // The kernel takes no duty above the period, nor any while a new channel has no period. Whichever
  // fits goes first, so that a channel that was left high at the same period does not fall.
  const isDutyFirst = nsOf('duty_cycle') > periodNs;
  if (isDutyFirst) write(duty);
  if (nsOf('period') !== periodNs) put('period', periodNs);
  if (!isDutyFirst) write(duty);
  put('enable', 1);
  return {
    write,
    close: () => {
      // A channel that is given back falls: one whose safe state is high stays, for the next owner.
      if (share > 0) return;
      put('enable', 0);
      writeFileSync(join(chip, 'unexport'), String(wanted.channel));
    },
  };
}
