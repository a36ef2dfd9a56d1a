import { existsSync, realpathSync } from 'node:fs';
import { DifferentialDrive } from '../hardware/differential-drive.ts';
import { HostReservations } from '../hardware/host-reservations.ts';
import { roboclaw } from '../hardware/roboclaw.ts';
import { sabertooth } from '../hardware/sabertooth.ts';
import { openSerialStream } from '../hardware/serial-stream.ts';
import type { Board } from '../ports/board.ts';
import type { ByteStream } from '../ports/byte-stream.ts';
import type { Timers } from '../ports/clock.ts';
import type {
  Device,
  DrivetrainDevice,
  GpioDevice,
  PwmDevice,
  SerialDevice,
} from './device-settings.ts';
import {
  type HeldDevice,
  holdDrivetrain,
  holdInput,
  holdOutput,
  holdPwm,
  holdSerial,
} from './held-device.ts';

/** An abstract socket's name has at most 107 bytes, some of which are not the path's. */
const PATH_CHARACTERS_MAX = 60;

export type OpenStream = (path: string, baud: number) => Promise<ByteStream>;

/** What a serial device is reserved as, whatever link leads to it. */
export function keyOfSerial(path: string): string {
  const real = existsSync(path) ? realpathSync(path) : path;
  return `serial ${real.slice(-PATH_CHARACTERS_MAX)}`;
}

/**
 * Opens a serial device that nobody else has, and keeps it from every other vertebra.
 *
 * @throws BoardError BOARD_PIN_HELD, which names the holder; and as `openSerialStream`.
 */
export async function openHeldStream(
  { path, baud }: Pick<SerialDevice, 'path' | 'baud'>,
  owner: string,
  open: OpenStream = openSerialStream,
): Promise<ByteStream> {
  const giveBack = await new HostReservations().reserve(keyOfSerial(path), owner);
  try {
    return new HeldStream(await open(path, baud), giveBack);
  } catch (cause) {
    await giveBack();
    throw cause;
  }
}

/** A stream whose reservation ends with it. */
class HeldStream implements ByteStream {
  readonly name: string;
  readonly #stream: ByteStream;
  readonly #giveBack: () => Promise<void>;

  constructor(stream: ByteStream, giveBack: () => Promise<void>) {
    this.name = stream.name;
    this.#stream = stream;
    this.#giveBack = giveBack;
  }

  get queuedBytes(): number {
    return this.#stream.queuedBytes;
  }

  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  handle(handler: Parameters<ByteStream['handle']>[0]): void {
    this.#stream.handle({
      onBytes: (bytes) => handler.onBytes(bytes),
      onClose: (error) => {
        void this.#giveBack();
        handler.onClose(error);
      },
    });
  }

  async close(): Promise<void> {
    await this.#stream.close();
    await this.#giveBack();
  }
}

/** A drivetrain as `vertebra.toml` declares it, standing still. @throws BoardError */
export async function openDrivetrain(
  device: DrivetrainDevice,
  around: {
    readonly timers: Timers;
    readonly owner: string;
    readonly open?: OpenStream | undefined;
    readonly onLost?: (error: Error | null) => void;
  },
): Promise<DifferentialDrive> {
  const { controller, address, deadManMs } = device;
  const { timers, owner, open = openSerialStream, onLost = () => undefined } = around;
  const stream = await openHeldStream(device, owner, open);
  const protocol = controller === 'roboclaw' ? roboclaw(address) : sabertooth(address);
  const limits = {
    speedMax: device.speedMaxPercent / 100,
    accelerationMax: device.accelerationMaxPercent / 100,
    deadManMs,
  };
  return new DifferentialDrive({ stream, protocol, timers, limits, onLost });
}

/** Opens what is no pin. @param onLost The cable is gone. @throws BoardError */
export async function openCable(
  device: SerialDevice | DrivetrainDevice,
  around: {
    readonly timers: Timers;
    readonly open?: OpenStream | undefined;
    readonly onLost: (error: Error | null) => void;
  },
): Promise<HeldDevice> {
  const owner = ownerOf(device);
  if (device.kind === 'drivetrain') {
    return holdDrivetrain(await openDrivetrain(device, { ...around, owner }));
  }
  return holdSerial(await openHeldStream(device, owner, around.open), around.onLost);
}

/** Opens a pin; an output in its safe state, with no other level before it. @throws BoardError */
export async function openPin(
  device: GpioDevice | PwmDevice,
  board: Board,
  timers: Timers,
): Promise<HeldDevice> {
  const owner = ownerOf(device);
  const { pin, safe } = device;
  if (device.kind === 'pwm') {
    const safeDuty = safe === 'high' ? 1 : 0;
    const { frequencyHz } = device;
    return holdPwm(await board.openPwm(pin, { owner, frequencyHz, duty: safeDuty, safeDuty }));
  }
  if (device.direction === 'in') {
    const { bias, debounceMs } = device;
    return holdInput(await board.openInput(pin, { owner, bias, edges: 'both', debounceMs }));
  }
  const isHigh = safe === 'input' ? null : safe === 'high';
  const line = await board.openOutput(pin, { owner, isHigh, safe });
  return holdOutput(line, timers);
}

export function ownerOf(device: Device): string {
  return `device ${device.name}`;
}
