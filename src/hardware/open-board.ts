import { type Board, BoardError } from '../ports/board.ts';
import type { BoardProfile } from '../ports/board-profile.ts';
import type { Timers } from '../ports/clock.ts';
import { chooseProfile } from './board-profiles.ts';
import { CdevDriver } from './cdev-driver.ts';
import { HostReservations } from './host-reservations.ts';
import { LineBoard } from './line-board.ts';
import type { LineDriver } from './line-driver.ts';
import { OnoffDriver } from './onoff-driver.ts';
import { VirtualDriver } from './virtual-driver.ts';

/**
 * Opens the pins of this machine: by the character device, else by sysfs.
 *
 * @param choice `auto`: what the device tree says; else an id of `boards/`. `virtual` is used only
 *   where it is asked for.
 * @param note Told where the character device could not be had, and why.
 * @throws BoardError BOARD_UNKNOWN, BOARD_INTERFACE_MISSING, BOARD_PERMISSION,
 *   BOARD_PACKAGE_MISSING
 */
export async function openBoard(
  choice: string,
  timers: Timers,
  note: (text: string) => void = () => undefined,
): Promise<Board> {
  const profile = chooseProfile(choice);
  if (profile.id === 'virtual') {
    const driver = new VirtualDriver(profile);
    return new LineBoard({ profile, driver, timers, reservations: null });
  }
  const driver = await openDriver(profile, timers, note);
  return new LineBoard({ profile, driver, timers, reservations: new HostReservations() });
}

async function openDriver(
  profile: BoardProfile,
  timers: Timers,
  note: (text: string) => void,
): Promise<LineDriver> {
  try {
    return CdevDriver.open(profile, timers);
  } catch (first) {
    if (!(first instanceof BoardError)) throw first;
    try {
      const driver = await OnoffDriver.open(profile, timers);
      note(`Pins go through sysfs, not the character device: ${first.message}`);
      return driver;
    } catch (second) {
      // What keeps the better way from working is what is to be mended, unless it is not here.
      throw first.code === 'BOARD_PACKAGE_MISSING' ? second : first;
    }
  }
}
