import {
  BoardError,
  type Edge,
  type InputLine,
  type InputOptions,
  type OutputLine,
  type Pin,
  type PwmLine,
  type SafeState,
} from '../ports/board.ts';
import type { Timers } from '../ports/clock.ts';
import type { DriverInput, DriverOutput, DriverPwm } from './line-driver.ts';

/** What a line's owner has of it, until it is released. */
export abstract class HeldLine {
  readonly pin: Pin;
  readonly #free: () => Promise<void>;
  #released: Promise<void> | null = null;

  /** @param free Gives the claims back. */
  constructor(pin: Pin, free: () => Promise<void>) {
    this.pin = pin;
    this.#free = free;
  }

  release(): Promise<void> {
    this.#released ??= this.#end();
    return this.#released;
  }

  async #end(): Promise<void> {
    try {
      this.letGo();
    } finally {
      await this.#free();
    }
  }

  /** To the safe state, and no further. */
  abstract secure(): void;
  protected abstract letGo(): void;

  protected check(): void {
    if (this.#released === null) return;
    const message = `${this.pin.name} was released. Open it again.`;
    throw new BoardError('BOARD_RELEASED', message);
  }
}

/** Levels that lasted, from a driver that reports changes. */
export class HeldInput extends HeldLine implements InputLine {
  readonly #options: InputOptions;
  readonly #timers: Timers;
  readonly #listeners = new Set<(edge: Edge) => void>();
  #driver: DriverInput | null = null;
  /** The level after the last edge that counted. */
  #isHigh = false;
  #sequence = 0;
  #cancel: (() => void) | null = null;

  constructor(pin: Pin, options: InputOptions & { free: () => Promise<void>; timers: Timers }) {
    super(pin, options.free);
    this.#options = options;
    this.#timers = options.timers;
  }

  /** Called once: the driver that `changed` is told by. */
  begin(driver: DriverInput): void {
    this.#driver = driver;
    this.#isHigh = driver.read();
  }

  changed(isHigh: boolean): void {
    const driver = this.#driver;
    // An edge amid opening: `begin` reads the level that it led to.
    if (driver === null) return;
    const { debounceMs } = this.#options;
    if (debounceMs === 0) {
      this.#settle(isHigh);
      return;
    }
    this.#cancel?.();
    this.#cancel = this.#timers.after(debounceMs, () => {
      this.#cancel = null;
      if (this.#driver !== null) this.#settle(driver.read());
    });
  }

  #settle(isHigh: boolean): void {
    // Two edges that were reported as one lead back to where it was.
    if (isHigh === this.#isHigh) return;
    this.#isHigh = isHigh;
    const { edges } = this.#options;
    if (edges === 'none' || (edges !== 'both' && (edges === 'rising') !== isHigh)) return;
    this.#sequence += 1;
    const edge = { isHigh, atMs: this.#timers.monotonicMs(), sequence: this.#sequence };
    for (const listener of [...this.#listeners]) listener(edge);
  }

  read(): boolean {
    this.check();
    return this.#driver?.read() ?? this.#isHigh;
  }

  onEdge(listener: (edge: Edge) => void): () => void {
    this.check();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  override secure(): void {
    // It drives nothing.
  }

  protected override letGo(): void {
    this.#cancel?.();
    this.#listeners.clear();
    const driver = this.#driver;
    this.#driver = null;
    driver?.close();
  }
}

export class HeldOutput extends HeldLine implements OutputLine {
  readonly safe: SafeState;
  readonly #driver: DriverOutput;
  #isHigh: boolean;

  constructor(
    pin: Pin,
    driver: DriverOutput,
    options: { isHigh: boolean | null; safe: SafeState; free: () => Promise<void> },
  ) {
    super(pin, options.free);
    this.safe = options.safe;
    this.#driver = driver;
    this.#isHigh = options.isHigh ?? false;
  }

  write(isHigh: boolean): void {
    this.check();
    this.#driver.write(isHigh);
    this.#isHigh = isHigh;
  }

  read(): boolean {
    this.check();
    return this.#isHigh;
  }

  override secure(): void {
    this.#isHigh = this.safe === 'high';
    if (this.safe === 'input') this.#driver.float();
    else this.#driver.write(this.#isHigh);
  }

  protected override letGo(): void {
    try {
      this.secure();
    } finally {
      this.#driver.close();
    }
  }
}

export class HeldPwm extends HeldLine implements PwmLine {
  readonly safeDuty: number;
  readonly #driver: DriverPwm;

  constructor(
    pin: Pin,
    driver: DriverPwm,
    options: { safeDuty: number; free: () => Promise<void> },
  ) {
    super(pin, options.free);
    this.safeDuty = options.safeDuty;
    this.#driver = driver;
  }

  write(duty: number): void {
    this.check();
    checkDuty(this.pin, duty);
    this.#driver.write(duty);
  }

  override secure(): void {
    this.#driver.write(this.safeDuty);
  }

  protected override letGo(): void {
    try {
      this.secure();
    } finally {
      this.#driver.close();
    }
  }
}

export function checkDuty(pin: Pin, duty: number): void {
  if (duty >= 0 && duty <= 1) return;
  const message = `${duty} is no duty for ${pin.name}: it is the share of the time, 0 to 1.`;
  throw new BoardError('BOARD_VALUE', message);
}
