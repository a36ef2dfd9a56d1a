import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bias, type BoardCapabilities, BoardError, type Pin } from '../ports/board.ts';
import type { BoardProfile } from '../ports/board-profile.ts';
import type { Timers } from '../ports/clock.ts';
import { findChip, type GpioChip, SYSFS_GPIO, sysfsError } from './gpio-chips.ts';
import type { DriverInput, DriverOutput, DriverPwm, LineDriver } from './line-driver.ts';
import { pwmChannelOf, pwmLinesOf } from './pin-names.ts';
import { openSysfsPwm } from './sysfs-pwm.ts';
import { awaitFile } from './sysfs-ready.ts';

type Onoff = typeof import('onoff');
type Gpio = import('onoff').Gpio;

/** Pins by way of sysfs and the package onoff, which is loaded when a board is opened. */
export class OnoffDriver implements LineDriver {
  readonly backend = 'onoff';
  readonly capabilities: BoardCapabilities;
  readonly #profile: BoardProfile;
  readonly #onoff: Onoff;
  readonly #chip: GpioChip;
  readonly #timers: Timers;

  /** @throws BoardError BOARD_INTERFACE_MISSING, BOARD_PERMISSION, BOARD_PACKAGE_MISSING */
  static async open(profile: BoardProfile, timers: Timers): Promise<OnoffDriver> {
    const chip = findChip(profile.gpio.chip);
    try {
      accessSync(join('/', SYSFS_GPIO, 'export'), constants.W_OK);
    } catch (cause) {
      throw sysfsError('/sys/class/gpio', cause);
    }
    return new OnoffDriver(profile, chip, await loadOnoff(), timers);
  }

  private constructor(profile: BoardProfile, chip: GpioChip, onoff: Onoff, timers: Timers) {
    this.#profile = profile;
    this.#chip = chip;
    this.#onoff = onoff;
    this.#timers = timers;
    this.capabilities = {
      coalescesEdges: true,
      // Whatever the kernel's setting is: sysfs keeps a pin until somebody gives it back.
      releaseReverts: false,
      bias: false,
      pwmLines: pwmLinesOf(profile),
    };
  }

  async openInput(
    pin: Pin,
    _bias: Bias,
    onChange: (isHigh: boolean) => void,
  ): Promise<DriverInput> {
    const gpio = await this.#open(pin, 'in');
    gpio.watch((_error, value) => onChange(value === 1));
    return { read: () => told(pin, () => gpio.readSync() === 1), close: () => close(pin, gpio) };
  }

  async openOutput(pin: Pin, isHigh: boolean | null): Promise<DriverOutput> {
    const gpio = await this.#open(pin, isHigh === null ? 'floating' : isHigh ? 'high' : 'low');
    let isFloating = isHigh === null;
    return {
      write: (level) =>
        told(pin, () => {
          if (isFloating) gpio.setDirection(level ? 'high' : 'low');
          else gpio.writeSync(level ? 1 : 0);
          isFloating = false;
        }),
      float: () =>
        told(pin, () => {
          gpio.setDirection('in');
          isFloating = true;
        }),
      close: () => close(pin, gpio),
    };
  }

  async openPwm(pin: Pin, frequencyHz: number, duty: number): Promise<DriverPwm> {
    const wanted = pwmChannelOf(this.#profile, pin.line);
    if (wanted === null) throw new BoardError('BOARD_UNSUPPORTED', `${pin.name} has no PWM.`);
    const ready = (path: string) => awaitFile(pin, path, this.#timers);
    return openSysfsPwm(wanted, frequencyHz, duty, { root: '/', ready });
  }

  async #open(pin: Pin, use: 'in' | 'high' | 'low' | 'floating'): Promise<Gpio> {
    const number = this.#chip.base + pin.line;
    const folder = join('/', SYSFS_GPIO, `gpio${number}`);
    try {
      // One that was left behind by a process that was killed is ours to take over.
      if (!existsSync(folder)) writeFileSync(join('/', SYSFS_GPIO, 'export'), String(number));
    } catch (cause) {
      throw sysfsError(pin.name, cause);
    }
    // Otherwise onoff waits without letting anybody else run.
    await awaitFile(pin, join(folder, 'value'), this.#timers);
    await awaitFile(pin, join(folder, 'direction'), this.#timers);
    return told(pin, () => {
      const direction = use === 'floating' ? 'in' : use;
      const edge = use === 'in' ? 'both' : 'none';
      const gpio = new this.#onoff.Gpio(number, direction, edge);
      // onoff says nothing when it could not set the direction of a pin that was exported before.
      if (gpio.direction() === (direction === 'in' ? 'in' : 'out')) return gpio;
      gpio.unexport();
      const message = `${pin.name} cannot be set to ${direction}: another driver has it.`;
      throw new BoardError('BOARD_FAILED', message);
    });
  }
}

async function loadOnoff(): Promise<Onoff> {
  try {
    return await import('onoff');
  } catch (cause) {
    const mend = 'sudo apt-get install build-essential python3, then: npm install onoff.';
    const message = `The package onoff is missing or was not compiled here. ${mend}`;
    throw new BoardError('BOARD_PACKAGE_MISSING', message, { cause });
  }
}

function told<Result>(pin: Pin, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    throw sysfsError(pin.name, cause);
  }
}

function close(pin: Pin, gpio: Gpio): void {
  told(pin, () => gpio.unexport());
}
