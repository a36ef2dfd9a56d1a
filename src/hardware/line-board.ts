import {
  type Board,
  BoardError,
  type Claim,
  type InputLine,
  type InputOptions,
  type OutputLine,
  type OutputOptions,
  type Pin,
  type PwmLine,
  type PwmOptions,
} from '../ports/board.ts';
import type { BoardProfile } from '../ports/board-profile.ts';
import type { Timers } from '../ports/clock.ts';
import { checkDuty, HeldInput, type HeldLine, HeldOutput, HeldPwm } from './held-line.ts';
import type { LineDriver, Reservations } from './line-driver.ts';
import { PinClaims } from './pin-claims.ts';
import { pwmChannelOf, resolvePin } from './pin-names.ts';

const DEBOUNCE_MS_MAX = 60_000;
const FREQUENCY_HZ_MAX = 1_000_000;

export interface LineBoardParts {
  readonly profile: BoardProfile;
  readonly driver: LineDriver;
  readonly timers: Timers;
  /** Keeps other processes away; null where no other process can reach the lines. */
  readonly reservations: Reservations | null;
}

/** A board over whichever driver: names, claims, debouncing and safe states. */
export class LineBoard implements Board {
  readonly profile: BoardProfile;
  readonly backend: Board['backend'];
  readonly capabilities: Board['capabilities'];
  readonly #parts: LineBoardParts;
  readonly #claims = new PinClaims();
  readonly #lines = new Set<HeldLine>();
  #closed: Promise<void> | null = null;

  constructor(parts: LineBoardParts) {
    this.#parts = parts;
    this.profile = parts.profile;
    this.backend = parts.driver.backend;
    this.capabilities = parts.driver.capabilities;
  }

  resolve(pin: string): Pin {
    return resolvePin(this.profile, pin);
  }

  claims(): readonly Claim[] {
    return this.#claims.list();
  }

  async openInput(name: string, options: InputOptions): Promise<InputLine> {
    const pin = this.resolve(name);
    const { bias, debounceMs, owner } = options;
    checkRange(`debounceMs of ${pin.name}`, debounceMs, [0, DEBOUNCE_MS_MAX]);
    if (bias !== 'none' && !this.capabilities.bias) {
      const message = `${pin.name} cannot be pulled ${bias} by way of ${this.backend}.`;
      const mend = 'Put a resistor on the wire, or set the pull in config.txt (gpio=N=pu).';
      throw new BoardError('BOARD_UNSUPPORTED', `${message} ${mend}`);
    }
    return this.#hold({ pin: pin.name, owner, use: 'input' }, [pin.name], async (free) => {
      const { driver, timers } = this.#parts;
      const line = new HeldInput(pin, { ...options, free, timers });
      line.begin(await driver.openInput(pin, bias, (isHigh) => line.changed(isHigh)));
      return line;
    });
  }

  async openOutput(name: string, options: OutputOptions): Promise<OutputLine> {
    const pin = this.resolve(name);
    const { isHigh, safe, owner } = options;
    return this.#hold({ pin: pin.name, owner, use: 'output' }, [pin.name], async (free) => {
      const driver = await this.#parts.driver.openOutput(pin, isHigh);
      return new HeldOutput(pin, driver, { isHigh, safe, free });
    });
  }

  async openPwm(name: string, options: PwmOptions): Promise<PwmLine> {
    const pin = this.resolve(name);
    const { frequencyHz, duty, safeDuty, owner } = options;
    checkRange(`frequencyHz of ${pin.name}`, frequencyHz, [1, FREQUENCY_HZ_MAX]);
    checkDuty(pin, duty);
    checkDuty(pin, safeDuty);
    const found = pwmChannelOf(this.profile, pin.line);
    if (found === null) {
      const lines = this.capabilities.pwmLines.map((line) => `GPIO${line}`).join(', ');
      const message = `${pin.name} has no PWM on the ${this.profile.name}. Take one of: ${lines}.`;
      throw new BoardError('BOARD_UNSUPPORTED', message);
    }
    const keys = [pin.name, `pwm ${found.chip.device} ${found.channel}`];
    return this.#hold({ pin: pin.name, owner, use: 'pwm' }, keys, async (free) => {
      const driver = await this.#parts.driver.openPwm(pin, frequencyHz, duty);
      return new HeldPwm(pin, driver, { safeDuty, free });
    });
  }

  /** Claims, then opens; gives the claims back where opening fails. */
  async #hold<Held extends HeldLine>(
    claim: Claim,
    keys: readonly string[],
    open: (free: () => Promise<void>) => Promise<Held>,
  ): Promise<Held> {
    this.#refuseClosed();
    const endings: (() => Promise<void> | void)[] = [this.#claims.take(keys, claim)];
    const free = async (): Promise<void> => {
      for (const end of endings.splice(0).reverse()) await end();
    };
    try {
      for (const key of this.#parts.reservations === null ? [] : keys) {
        const scope = `${this.profile.gpio.chip} ${key}`;
        endings.push(await this.#parts.reservations!.reserve(scope, claim.owner));
      }
      let line: Held | null = null;
      line = await open(async () => {
        if (line !== null) this.#lines.delete(line);
        await free();
      });
      this.#lines.add(line);
      if (this.#closed !== null) await line.release();
      this.#refuseClosed();
      return line;
    } catch (cause) {
      await free();
      throw cause;
    }
  }

  #refuseClosed(): void {
    if (this.#closed === null) return;
    throw new BoardError('BOARD_RELEASED', 'The board was closed. Open it again.');
  }

  secure(): void {
    const failed: unknown[] = [];
    for (const line of this.#lines) {
      try {
        line.secure();
      } catch (cause) {
        failed.push(cause);
      }
    }
    refuseFailed(failed);
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    const results = await Promise.allSettled([...this.#lines].map((line) => line.release()));
    refuseFailed(results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : [])));
  }
}

/** One pin that fails keeps no other from its safe state; then it is said. */
function refuseFailed(failed: readonly unknown[]): void {
  if (failed.length === 0) return;
  const reasons = failed.map((each) => (each instanceof Error ? each.message : String(each)));
  const message = `Not every output is in its safe state: ${reasons.join('; ')}`;
  throw new BoardError('BOARD_FAILED', message, { cause: new AggregateError(failed) });
}

function checkRange(what: string, value: number, range: readonly [number, number]): void {
  const [least, most] = range;
  if (value >= least && value <= most) return;
  throw new BoardError('BOARD_VALUE', `${what} is ${value}; permitted: ${least} to ${most}.`);
}
