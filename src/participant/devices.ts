import { type Board, BoardError } from '../ports/board.ts';
import type { Timers } from '../ports/clock.ts';
import {
  type DeviceCapabilities,
  type DeviceEdge,
  DeviceError,
  type DeviceSet,
  type DeviceStatus,
  type DeviceValue,
} from '../ports/devices.ts';
import { actOn, checkBytes, checkMs, checkShare } from './device-acting.ts';
import { type DeviceEntry, kindsOf, safeOf, statusOf, told } from './device-entry.ts';
import type { Device } from './device-settings.ts';
import type { HeldDevice } from './held-device.ts';
import type { Logger } from './log.ts';
import type { OpenStream } from './open-device.ts';

/** A cable that was pulled, or never there, is looked for so often. */
const REOPEN_MS = 5000;

export interface DevicesOptions {
  readonly devices: readonly Device[];
  /** The setting `board`. */
  readonly board: string;
  readonly timers: Timers;
  readonly log: Logger;
  /** `openBoard` and `openSerialStream`, unless a test brings its own. */
  readonly open?: OpenBoard;
  readonly openStream?: OpenStream;
}

/** @param note Told where not the best way to reach the pins could be had, and why. */
type OpenBoard = (choice: string, timers: Timers, note: (text: string) => void) => Promise<Board>;

/**
 * The devices of this machine while an agent runs: each is opened at start, outputs in their safe
 * state, held against everybody else, and set to its safe state again at the end, also where the
 * process ends by a fault of its own. A device that cannot be had is said, and keeps nothing else
 * from running; one on a cable is tried again.
 *
 * A process that is killed (SIGKILL, no memory) leaves its outputs as they are: docs/hardware.md.
 */
export class Devices implements DeviceSet {
  readonly #options: DevicesOptions;
  readonly #entries = new Map<string, DeviceEntry>();
  readonly #listeners = new Set<() => void>();
  #board: Board | null = null;
  #closing: Promise<void> | null = null;
  readonly #onExit = (): void => this.#board?.secure();

  private constructor(options: DevicesOptions) {
    this.#options = options;
    for (const device of options.devices) {
      const where = 'pin' in device ? device.pin : device.path;
      const blank = { held: null, fault: null, withheld: null, reopen: null };
      this.#entries.set(device.name, { device, where, ...blank });
    }
  }

  /** Of a machine on which nothing hangs. */
  static none({ timers, log }: Pick<DevicesOptions, 'timers' | 'log'>): Devices {
    return new Devices({ devices: [], board: 'auto', timers, log });
  }

  static async open(options: DevicesOptions): Promise<Devices> {
    const devices = new Devices(options);
    if (options.devices.length > 0) await devices.#openAll();
    return devices;
  }

  async #openAll(): Promise<void> {
    process.on('exit', this.#onExit);
    const entries = [...this.#entries.values()];
    const pins = entries.filter(({ device }) => 'pin' in device);
    if (pins.length > 0) await this.#openBoard(pins);
    // Pins first: they are safe before a slow cable is waited for.
    for (const entry of entries) if (!('pin' in entry.device)) await this.#openEntry(entry);
  }

  async #openBoard(pins: readonly DeviceEntry[]): Promise<void> {
    const { board: choice, timers, log } = this.#options;
    const { openBoard } = await import('../hardware/open-board.ts');
    try {
      const note = (text: string): void => log.warn('board-second-choice', { reason: text });
      this.#board = await (this.#options.open ?? openBoard)(choice, timers, note);
    } catch (cause) {
      if (!(cause instanceof BoardError)) throw cause;
      const { code, message } = cause;
      log.error('board-failed', { code, reason: message });
      for (const entry of pins) entry.fault = { code, message };
      return;
    }
    const { profile, backend } = this.#board;
    log.info('board', { board: profile.id, backend, devices: pins.length });
    for (const entry of pins) await this.#openEntry(entry);
  }

  async #openEntry(entry: DeviceEntry): Promise<void> {
    const { device } = entry;
    const { log } = this.#options;
    entry.reopen = null;
    try {
      entry.held = await this.#hold(entry);
      entry.fault = null;
    } catch (cause) {
      if (!(cause instanceof BoardError)) throw cause;
      const { code, message } = cause;
      // What is tried again and again is said once.
      if (entry.fault?.message !== message) {
        log.error('device-failed', { device: device.name, code, reason: message });
      }
      entry.fault = { code, message };
      this.#openLater(entry);
      return;
    }
    const { where } = entry;
    const state = safeOf(device) ?? 'listening';
    log.info('device-safe', { device: device.name, where, state });
    this.#changed();
  }

  async #hold(entry: DeviceEntry): Promise<HeldDevice> {
    const { device } = entry;
    const { timers, openStream: open } = this.#options;
    const { openCable, openPin } = await import('./open-device.ts');
    if (!('pin' in device)) {
      return openCable(device, { timers, open, onLost: (error) => this.#lose(entry, error) });
    }
    const board = this.#board;
    if (board === null) throw new BoardError('BOARD_FAILED', 'The board is not open.');
    const held = await openPin(device, board, timers);
    const { name, place } = board.resolve(device.pin);
    entry.where = `${name} (${place})`;
    return held;
  }

  #lose(entry: DeviceEntry, error: Error | null): void {
    const reason = error?.message ?? 'it was closed at the other end';
    const message = `${entry.where} is gone: ${reason}. Plug it in again.`;
    entry.held = null;
    entry.fault = { code: 'BOARD_INTERFACE_MISSING', message };
    this.#options.log.error('device-lost', { device: entry.device.name, reason: message });
    this.#openLater(entry);
    this.#changed();
  }

  #openLater(entry: DeviceEntry): void {
    if ('pin' in entry.device || this.#closing !== null) return;
    const { timers } = this.#options;
    entry.reopen = timers.after(REOPEN_MS, () => void this.#reopen(entry));
  }

  async #reopen(entry: DeviceEntry): Promise<void> {
    await this.#openEntry(entry);
    // The agent may have ended meanwhile.
    if (this.#closing !== null) await entry.held?.close();
  }

  list(): DeviceStatus[] {
    return [...this.#entries.values()].map(statusOf);
  }

  capabilities(): DeviceCapabilities[] {
    const held = [...this.#entries.values()].filter((entry) => entry.held !== null);
    return held.map(({ device: { name, labels }, device }) => {
      return { device: name, kinds: kindsOf(device), labels };
    });
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * Sets a device to its safe state and refuses it to everybody, for a reason; null: no longer.
   * @returns whether that is news.
   */
  withhold(name: string, reason: string | null): boolean {
    const entry = this.#entries.get(name);
    if (entry === undefined || (entry.withheld === null) === (reason === null)) return false;
    entry.withheld = reason;
    try {
      if (reason !== null) entry.held?.secure();
    } catch (cause) {
      this.#options.log.error('device-failed', { device: name, reason: String(cause) });
    }
    this.#changed();
    return true;
  }

  act(name: string, verb: string, args: readonly unknown[]): Promise<DeviceValue> {
    return actOn(this, { name, verb, args });
  }

  get(name: string): DeviceValue {
    const { held } = this.#find(name);
    return told(name, () => held.get());
  }

  set(name: string, isHigh: boolean): void {
    const act = this.#verb(name, 'set');
    told(name, () => act(isHigh));
  }

  async pulse(name: string, isHigh: boolean, ms: number): Promise<boolean> {
    const act = this.#verb(name, 'pulse');
    checkMs(name, ms);
    return told(name, () => act(isHigh, ms));
  }

  pwm(name: string, duty: number): void {
    const act = this.#verb(name, 'pwm');
    checkShare(name, duty, 0);
    told(name, () => act(duty));
  }

  drive(name: string, left: number, right: number): void {
    const act = this.#verb(name, 'drive');
    for (const speed of [left, right]) checkShare(name, speed, -1);
    told(name, () => act(left, right));
  }

  /** Also while it is withheld. */
  stop(name: string): void {
    const act = this.#verb(name, 'stop');
    told(name, () => act());
  }

  write(name: string, bytes: Uint8Array): void {
    const act = this.#verb(name, 'write');
    checkBytes(name, bytes);
    told(name, () => act(bytes));
  }

  onEdge(name: string, listener: (edge: DeviceEdge) => void): () => void {
    return this.#verb(name, 'onEdge')(listener);
  }

  onBytes(name: string, listener: (bytes: Uint8Array) => void): () => void {
    return this.#verb(name, 'onBytes')(listener);
  }

  #find(name: string): { entry: DeviceEntry; held: HeldDevice } {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      const names = [...this.#entries.keys()].join(', ') || 'none';
      const message = `There is no device ${JSON.stringify(name.slice(0, 40))} here; there are: `;
      throw new DeviceError('DEVICE_UNKNOWN', `${message}${names}. Declare it in vertebra.toml.`);
    }
    if (entry.held !== null) return { entry, held: entry.held };
    const reason = entry.fault?.message ?? 'this agent has let go of it.';
    throw new DeviceError('DEVICE_FAILED', `${name} cannot be used: ${reason}`);
  }

  #verb<Verb extends Exclude<keyof HeldDevice, 'get' | 'secure' | 'close'>>(
    name: string,
    verb: Verb,
  ): NonNullable<HeldDevice[Verb]> {
    const { entry, held } = this.#find(name);
    const act = held[verb];
    if (act === undefined) {
      const { kind } = entry.device;
      const message = `${name} is ${kind} at ${entry.where}: it cannot ${verb}.`;
      throw new DeviceError('DEVICE_VERB', `${message} docs/hardware.md says what each kind can.`);
    }
    const isHarmless = verb === 'stop' || verb === 'onEdge' || verb === 'onBytes';
    if (entry.withheld !== null && !isHarmless) {
      throw new DeviceError('DEVICE_WITHHELD', `${name} is in its safe state: ${entry.withheld}`);
    }
    return act;
  }

  /** Everything to its safe state, and free. Twice is once. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const { log } = this.#options;
    const entries = [...this.#entries.values()];
    const held = entries.flatMap((entry) => (entry.held === null ? [] : [entry.held]));
    for (const entry of entries) {
      entry.reopen?.();
      entry.held = null;
    }
    const ends = [...held.map((each) => each.close()), this.#board?.close()];
    for (const result of await Promise.allSettled(ends)) {
      if (result.status === 'fulfilled') continue;
      log.error('device-failed', { reason: String(result.reason) });
    }
    process.off('exit', this.#onExit);
    if (held.length > 0) log.info('devices-safe', { devices: held.length });
  }
}
