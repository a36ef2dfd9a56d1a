import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { BoardError } from '../ports/board.ts';

/** @returns what the kernel returned, or -errno. The kernel writes into `buffer`. */
export type Ioctl = (fd: number, request: number, buffer: Uint8Array) => number;

/** Calls back when a descriptor has something to read. */
export interface Poller {
  add(fd: number, events: number): Poller;
  remove(fd: number): Poller;
  close(): void;
}

export interface EpollClass {
  new (callback: (error: Error | null, fd: number, events: number) => void): Poller;
  readonly EPOLLIN: number;
}

/** What the character device is used with: both are compiled, and either may be missing. */
export interface GpioControl {
  readonly ioctl: Ioctl;
  readonly Epoll: EpollClass;
}

/** Where the build puts it; the same from `src/hardware` and from `build/hardware`. */
const ADD_ON = fileURLToPath(new URL('../../build/native/gpio.node', import.meta.url));

/** @throws BoardError BOARD_PACKAGE_MISSING */
export function loadGpioControl(): GpioControl {
  const require = createRequire(import.meta.url);
  const load = (what: string, act: () => unknown): unknown => {
    try {
      return act();
    } catch (cause) {
      const mend = 'sudo apt-get install build-essential, then npm run build.';
      const message = `${what} is missing or was not compiled here. ${mend}`;
      throw new BoardError('BOARD_PACKAGE_MISSING', message, { cause });
    }
  };
  const addOn = load('The GPIO add-on', () => {
    const module = { exports: {} };
    process.dlopen(module, ADD_ON);
    return module.exports;
  });
  // It comes with onoff, and need not lie beside it.
  const epoll = load('The package epoll', () => createRequire(require.resolve('onoff'))('epoll'));
  const { ioctl } = addOn as Pick<GpioControl, 'ioctl'>;
  const { Epoll } = epoll as Pick<GpioControl, 'Epoll'>;
  return { ioctl, Epoll };
}
