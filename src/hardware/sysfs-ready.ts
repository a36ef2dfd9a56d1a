import { accessSync, constants } from 'node:fs';
import type { Pin } from '../ports/board.ts';
import type { Timers } from '../ports/clock.ts';
import { sysfsError } from './gpio-chips.ts';

/** udev gives a new file to its group: 50 looks, 20 ms apart. */
const READY_LOOKS = 50;
const READY_PAUSE_MS = 20;

/** Until a file of the kernel may be read and written. @throws BoardError */
export async function awaitFile(pin: Pin, path: string, timers: Timers): Promise<void> {
  for (let look = 1; ; look++) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
      return;
    } catch (cause) {
      if (look === READY_LOOKS) throw sysfsError(pin.name, cause);
      await new Promise<void>((done) => timers.after(READY_PAUSE_MS, done));
    }
  }
}
