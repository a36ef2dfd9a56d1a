import { closeSync, existsSync, readFileSync, readSync } from 'node:fs';
import { type Bias, type BoardCapabilities, BoardError, type Pin } from '../ports/board.ts';
import type { BoardProfile } from '../ports/board-profile.ts';
import type { Timers } from '../ports/clock.ts';
import { findChipDevice, kernelError, withChip } from './cdev-chips.ts';
import { codeOf, sysfsError } from './gpio-chips.ts';
import { type GpioControl, loadGpioControl, type Poller } from './gpio-control.ts';
import {
  FIONBIO,
  GPIO_V2_GET_LINE,
  GPIO_V2_GET_LINEINFO,
  GPIO_V2_LINE_GET_VALUES,
  GPIO_V2_LINE_SET_CONFIG,
  GPIO_V2_LINE_SET_VALUES,
  LINE_EVENT_BYTES,
  LINE_VALUES_BYTES,
  type LineConfig,
  packLineConfig,
  packLineInfo,
  packLineRequest,
  packLineValue,
  readLineConsumer,
  readLineDescriptor,
  readLineEvents,
  readLineValue,
} from './gpio-uapi.ts';
import type { DriverInput, DriverOutput, DriverPwm, LineDriver } from './line-driver.ts';
import { pwmChannelOf, pwmLinesOf } from './pin-names.ts';
import { openSysfsPwm } from './sysfs-pwm.ts';
import { awaitFile } from './sysfs-ready.ts';

const CONSUMER = 'vertebra';
/** Edges that the kernel keeps while we are busy; beyond, the oldest are lost, the level never. */
const EVENTS_MAX = 1024;
const FLOATING: LineConfig = { direction: 'in', bias: 'none', hasEdges: false };
/** What sets a level; the kernel only reads it. */
const HIGH = packLineValue(true);
const LOW = packLineValue(false);
/** Read at once. */
const EVENTS_READ = 64;

/**
 * Pins by way of the kernel's character device: every edge, pull resistors, and lines that the
 * kernel takes back when their holder dies, unless it was told to let them be.
 */
export class CdevDriver implements LineDriver {
  readonly backend = 'cdev';
  readonly capabilities: BoardCapabilities;
  readonly #profile: BoardProfile;
  readonly #control: GpioControl;
  readonly #device: string;
  readonly #timers: Timers;

  /** @throws BoardError BOARD_INTERFACE_MISSING, BOARD_PERMISSION, BOARD_PACKAGE_MISSING */
  static open(
    profile: BoardProfile,
    timers: Timers,
    around: { readonly control?: GpioControl; readonly root?: string } = {},
  ): CdevDriver {
    const { control = loadGpioControl(), root = '/' } = around;
    const device = findChipDevice(profile.gpio.chip, control.ioctl, root);
    const driver = new CdevDriver({ profile, timers, control, device });
    driver.#probe();
    return driver;
  }

  private constructor(parts: {
    profile: BoardProfile;
    timers: Timers;
    control: GpioControl;
    device: string;
  }) {
    this.#profile = parts.profile;
    this.#timers = parts.timers;
    this.#control = parts.control;
    this.#device = parts.device;
    this.capabilities = {
      coalescesEdges: false,
      releaseReverts: releaseReverts(parts.profile),
      bias: true,
      pwmLines: pwmLinesOf(parts.profile),
    };
  }

  /** Kernels before 5.10 know version 1 alone. */
  #probe(): void {
    const outcome = withChip(this.#device, (fd) =>
      this.#control.ioctl(fd, GPIO_V2_GET_LINEINFO, packLineInfo(0)),
    );
    if (outcome >= 0) return;
    const cause = kernelError(outcome, this.#device);
    const message = `This kernel's ${this.#device} is older than version 2 (Linux 5.10).`;
    throw new BoardError('BOARD_INTERFACE_MISSING', message, { cause });
  }

  async openInput(pin: Pin, bias: Bias, onChange: (isHigh: boolean) => void): Promise<DriverInput> {
    const fd = this.#request(pin, { direction: 'in', bias, hasEdges: true });
    let poller: Poller;
    try {
      // Without it a read that comes too late would stop the whole process.
      this.#ask(pin, { fd, request: FIONBIO, bytes: new Uint8Array([1, 0, 0, 0]) });
      poller = this.#listen(fd, onChange);
    } catch (cause) {
      closeSync(fd);
      throw cause;
    }
    return {
      read: () => {
        const values = new Uint8Array(LINE_VALUES_BYTES);
        values[8] = 1;
        this.#ask(pin, { fd, request: GPIO_V2_LINE_GET_VALUES, bytes: values });
        return readLineValue(values);
      },
      close: () => {
        poller.remove(fd).close();
        closeSync(fd);
      },
    };
  }

  /** Never by `fs.read`: that waits in a thread, which keeps the process from ending. */
  #listen(fd: number, onChange: (isHigh: boolean) => void): Poller {
    const { Epoll } = this.#control;
    const buffer = new Uint8Array(EVENTS_READ * LINE_EVENT_BYTES);
    const poller = new Epoll((error) => {
      // A descriptor that can be polled no more has nothing to read either.
      if (error !== null) return;
      for (const isHigh of readLineEvents(buffer.subarray(0, readNow(fd, buffer)))) {
        onChange(isHigh);
      }
    });
    return poller.add(fd, Epoll.EPOLLIN);
  }

  async openOutput(pin: Pin, isHigh: boolean | null): Promise<DriverOutput> {
    const fd = this.#request(pin, isHigh === null ? FLOATING : { direction: 'out', isHigh });
    let isFloating = isHigh === null;
    const configure = (config: LineConfig): void =>
      this.#ask(pin, { fd, request: GPIO_V2_LINE_SET_CONFIG, bytes: packLineConfig(config) });
    return {
      write: (level) => {
        if (isFloating) configure({ direction: 'out', isHigh: level });
        else this.#ask(pin, { fd, request: GPIO_V2_LINE_SET_VALUES, bytes: level ? HIGH : LOW });
        isFloating = false;
      },
      float: () => {
        configure(FLOATING);
        isFloating = true;
      },
      close: () => closeSync(fd),
    };
  }

  async openPwm(pin: Pin, frequencyHz: number, duty: number): Promise<DriverPwm> {
    const wanted = pwmChannelOf(this.#profile, pin.line);
    if (wanted === null) throw new BoardError('BOARD_UNSUPPORTED', `${pin.name} has no PWM.`);
    const ready = (path: string) => awaitFile(pin, path, this.#timers);
    return openSysfsPwm(wanted, frequencyHz, duty, { root: '/', ready });
  }

  /** @returns the descriptor that holds the line. */
  #request(pin: Pin, config: LineConfig): number {
    const eventsMax = config.direction === 'in' ? EVENTS_MAX : 0;
    const { ioctl } = this.#control;
    const request = packLineRequest({ line: pin.line, consumer: CONSUMER, config, eventsMax });
    try {
      return withChip(this.#device, (chip) => {
        const outcome = ioctl(chip, GPIO_V2_GET_LINE, request);
        if (outcome >= 0) return readLineDescriptor(request);
        const cause = kernelError(outcome, pin.name);
        const info = packLineInfo(pin.line);
        if (codeOf(cause) !== 'EBUSY' || ioctl(chip, GPIO_V2_GET_LINEINFO, info) < 0) throw cause;
        throw heldError(pin, readLineConsumer(info), cause);
      });
    } catch (cause) {
      throw sysfsError(pin.name, cause);
    }
  }

  #ask(pin: Pin, { fd, request, bytes }: { fd: number; request: number; bytes: Uint8Array }): void {
    const outcome = this.#control.ioctl(fd, request, bytes);
    if (outcome < 0) throw sysfsError(pin.name, kernelError(outcome, pin.name));
  }
}

function heldError(pin: Pin, consumer: string, cause: Error): BoardError {
  const holder = consumer === '' ? 'another program' : `"${consumer}"`;
  const mend = 'A driver of the kernel, or a program (sudo fuser -v /dev/gpiochip*): end it there.';
  const message = `${pin.name} is held by ${holder}, says the kernel. ${mend}`;
  return new BoardError('BOARD_PIN_HELD', message, { cause });
}

/** @returns how many bytes there were; none is no error. */
function readNow(fd: number, buffer: Uint8Array): number {
  try {
    return readSync(fd, buffer);
  } catch (cause) {
    if (codeOf(cause) === 'EAGAIN') return 0;
    throw cause;
  }
}

function releaseReverts({ outputsPersist: { parameter } }: BoardProfile): boolean | null {
  if (parameter === null || !existsSync(parameter)) return null;
  return readFileSync(parameter, 'utf8').trim() === 'N';
}
