import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chooseProfile } from '../../src/hardware/board-profiles.ts';
import { CdevDriver } from '../../src/hardware/cdev-driver.ts';
import type { GpioControl, Poller } from '../../src/hardware/gpio-control.ts';
import {
  GPIO_GET_CHIPINFO,
  GPIO_V2_GET_LINE,
  GPIO_V2_GET_LINEINFO,
} from '../../src/hardware/gpio-uapi.ts';
import { resolvePin } from '../../src/hardware/pin-names.ts';
import { VirtualTime } from './virtual-time.ts';

const profile = chooseProfile('rpi-4b');
const timers = new VirtualTime();
const pin = resolvePin(profile, 'GPIO17');
const { EBUSY, EINVAL, ENODEV, ENOTTY, EPERM } = constants.errno;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vertebra-cdev-'));
  mkdirSync(join(root, 'dev'));
});
afterEach(() => rmSync(root, { recursive: true }));

class SilentPoller implements Poller {
  static readonly EPOLLIN = 1;
  readonly fds: number[] = [];

  add(fd: number): this {
    this.fds.push(fd);
    return this;
  }

  remove(): this {
    return this;
  }

  close(): void {
    this.fds.length = 0;
  }
}

interface Kernel {
  /** Labels of `/dev/gpiochip0` and those after it. */
  readonly labels: readonly string[];
  /** What each request comes to; 0 where none is given. */
  readonly answers?: Readonly<Record<number, number>>;
  readonly consumer?: string;
}

/** A kernel as far as a driver asks it. */
function control({ labels, answers = {}, consumer = '' }: Kernel): GpioControl {
  let chips = 0;
  for (const [index] of labels.entries()) writeFileSync(join(root, `dev/gpiochip${index}`), '');
  return {
    ioctl: (_fd, request, buffer) => {
      if (request === GPIO_GET_CHIPINFO) {
        buffer.set(new TextEncoder().encode(labels[chips % labels.length]), 32);
        chips += 1;
      }
      if (request === GPIO_V2_GET_LINEINFO) buffer.set(new TextEncoder().encode(consumer), 32);
      return answers[request] ?? 0;
    },
    Epoll: SilentPoller,
  };
}

const open = (kernel: Kernel) =>
  CdevDriver.open(profile, timers, { control: control(kernel), root });

describe('the character device', () => {
  test('is found by the label of its chip, whatever its number', () => {
    const labels = ['raspberrypi-exp-gpio', profile.gpio.chip];
    expect(open({ labels }).capabilities).toMatchObject({ coalescesEdges: false, bias: true });
  });

  test.each([
    ['there is none', [], {}, 'BOARD_INTERFACE_MISSING', /no \/dev\/gpiochip\*.*CONFIG_GPIO_CDEV/],
    ['its chip is another one', ['a', 'b'], {}, 'BOARD_INTERFACE_MISSING', /there are: a, b\. Is/],
    [
      'this user may not ask it',
      [profile.gpio.chip],
      { [GPIO_GET_CHIPINFO]: -EPERM },
      'BOARD_PERMISSION',
      /usermod -aG gpio/,
    ],
    [
      'its kernel is old',
      [profile.gpio.chip],
      { [GPIO_V2_GET_LINEINFO]: -EINVAL },
      'BOARD_INTERFACE_MISSING',
      /older than version 2 \(Linux 5\.10\)/,
    ],
    [
      'it is no chip at all',
      [profile.gpio.chip],
      { [GPIO_GET_CHIPINFO]: -ENOTTY },
      'BOARD_FAILED',
      /ENOTTY/,
    ],
  ] as const)('is refused where %s', (_what, labels, answers, code, words) => {
    const refused = expect.objectContaining({ code, message: expect.stringMatching(words) });
    expect(() => open({ labels, answers })).toThrow(refused);
  });
});

describe('a line of the character device', () => {
  const labels = [profile.gpio.chip];

  test.each([
    ['a driver of the kernel', 'led0', /GPIO17 is held by "led0", says the kernel\. .*fuser/],
    ['somebody without a name', '', /GPIO17 is held by another program/],
  ])('that %s holds is refused, with who it is', async (_what, consumer, words) => {
    const answers = { [GPIO_V2_GET_LINE]: -EBUSY };
    await expect(open({ labels, answers, consumer }).openOutput(pin, true)).rejects.toMatchObject({
      code: 'BOARD_PIN_HELD',
      message: expect.stringMatching(words),
    });
  });

  test.each([
    ['is not for this user', EPERM, 'BOARD_PERMISSION', /usermod -aG gpio/],
    ['is gone', ENODEV, 'BOARD_INTERFACE_MISSING', /GPIO17 is not there.*vertebra doctor/],
  ])('that %s is refused, with what to do', async (_what, errno, code, words) => {
    const driver = open({ labels, answers: { [GPIO_V2_GET_LINE]: -errno } });
    const refused = { code, message: expect.stringMatching(words) };
    await expect(driver.openOutput(pin, true)).rejects.toMatchObject(refused);
    await expect(driver.openInput(pin, 'up', () => undefined)).rejects.toMatchObject(refused);
  });

  test('leaves no descriptor behind', async () => {
    const file = join(root, 'line');
    writeFileSync(file, '');
    const granted: number[] = [];
    const { ioctl, Epoll } = control({ labels });
    const granting: GpioControl = {
      Epoll,
      ioctl: (fd, request, buffer) => {
        if (request === GPIO_V2_GET_LINE) {
          granted.push(openSync(file, 'r+'));
          new DataView(buffer.buffer).setInt32(588, granted.at(-1)!, true);
        }
        return ioctl(fd, request, buffer);
      },
    };
    const driver = CdevDriver.open(profile, timers, { control: granting, root });
    (await driver.openOutput(pin, true)).close();
    (await driver.openInput(pin, 'none', () => undefined)).close();
    for (const fd of granted) expect(() => closeSync(fd)).toThrow(/EBADF/);
    expect(granted).toHaveLength(2);
  });
});
