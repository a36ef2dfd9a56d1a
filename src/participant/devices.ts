import { openBoard } from '../hardware/open-board.ts';
import { type Board, BoardError, type OutputLine, type PwmLine } from '../ports/board.ts';
import type { Timers } from '../ports/clock.ts';
import type { Device } from './device-settings.ts';
import type { Logger } from './log.ts';

export interface DevicesOptions {
  readonly devices: readonly Device[];
  /** The setting `board`. */
  readonly board: string;
  readonly timers: Timers;
  readonly log: Logger;
  /** `openBoard`, unless a test brings its own. */
  readonly open?: (choice: string, timers: Timers) => Promise<Board>;
}

/**
 * The outputs of this machine while an agent runs: each is set to its safe state at start, held
 * against everybody else, and set to it again at the end, also where the process ends by a fault
 * of its own. A device that cannot be had is said, and keeps nothing else from running.
 *
 * A process that is killed (SIGKILL, no memory) leaves its outputs as they are: docs/hardware.md.
 */
export class Devices {
  readonly board: Board | null;
  readonly #log: Logger;
  readonly #held = new Map<string, OutputLine | PwmLine>();
  readonly #onExit = (): void => this.board?.secure();

  private constructor(board: Board | null, log: Logger) {
    this.board = board;
    this.#log = log;
    process.on('exit', this.#onExit);
  }

  static async open(options: DevicesOptions): Promise<Devices> {
    const { timers, log, open = openBoard } = options;
    const wanted = options.devices.filter(hasPin);
    let board: Board | null = null;
    try {
      if (wanted.length > 0) board = await open(options.board, timers);
    } catch (cause) {
      if (!(cause instanceof BoardError)) throw cause;
      log.error('board-failed', { code: cause.code, reason: cause.message });
    }
    const devices = new Devices(board, log);
    if (board !== null) {
      const { id } = board.profile;
      log.info('board', { board: id, backend: board.backend, devices: wanted.length });
      for (const device of wanted) await devices.#secure(board, device);
    }
    return devices;
  }

  /** The line of an output that this agent holds; null: it has none of that name. */
  output(name: string): OutputLine | PwmLine | null {
    return this.#held.get(name) ?? null;
  }

  async #secure(board: Board, device: Device): Promise<void> {
    const owner = `device ${device.name}`;
    try {
      if (device.kind === 'gpio' && device.direction === 'out') {
        const { pin, safe } = device;
        const line = await board.openOutput(pin, { owner, isHigh: safe === 'high', safe });
        this.#held.set(device.name, line);
        if (safe === 'input') line.secure();
      } else if (device.kind === 'pwm') {
        const { pin, frequencyHz } = device;
        const safeDuty = device.safe === 'high' ? 1 : 0;
        const options = { owner, frequencyHz, duty: safeDuty, safeDuty };
        this.#held.set(device.name, await board.openPwm(pin, options));
      } else {
        return;
      }
      this.#log.info('device-safe', { device: device.name, pin: device.pin, state: device.safe });
    } catch (cause) {
      if (!(cause instanceof BoardError)) throw cause;
      const { code, message: reason } = cause;
      this.#log.error('device-failed', { device: device.name, code, reason });
    }
  }

  /** Everything to its safe state, and free. */
  async close(): Promise<void> {
    process.off('exit', this.#onExit);
    try {
      await this.board?.close();
      if (this.#held.size > 0) this.#log.info('devices-safe', { devices: this.#held.size });
    } catch (cause) {
      if (!(cause instanceof BoardError)) throw cause;
      this.#log.error('device-failed', { code: cause.code, reason: cause.message });
    }
    this.#held.clear();
  }
}

function hasPin(device: Device): boolean {
  return device.kind === 'gpio' || device.kind === 'pwm';
}
