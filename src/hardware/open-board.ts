import type { Board } from '../ports/board.ts';
import type { Timers } from '../ports/clock.ts';
import { chooseProfile } from './board-profiles.ts';
import { HostReservations } from './host-reservations.ts';
import { LineBoard } from './line-board.ts';
import { OnoffDriver } from './onoff-driver.ts';
import { VirtualDriver } from './virtual-driver.ts';

/**
 * Opens the pins of this machine.
 *
 * @param choice `auto`: what the device tree says; else an id of `boards/`. `virtual` is used only
 *   where it is asked for.
 * @throws BoardError BOARD_UNKNOWN, BOARD_INTERFACE_MISSING, BOARD_PERMISSION,
 *   BOARD_PACKAGE_MISSING
 */
export async function openBoard(
  choice: string,
  timers: Timers,
  _note: (text: string) => void = () => undefined,
): Promise<Board> {
  const profile = chooseProfile(choice);
  if (profile.id === 'virtual') {
    const driver = new VirtualDriver(profile);
    return new LineBoard({ profile, driver, timers, reservations: null });
  }
  const driver = await OnoffDriver.open(profile, timers);
  return new LineBoard({ profile, driver, timers, reservations: new HostReservations() });
}
