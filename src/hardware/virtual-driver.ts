import { type Bias, type BoardCapabilities, BoardError, type Pin } from '../ports/board.ts';
import type { BoardProfile } from '../ports/board-profile.ts';
import type { DriverInput, DriverOutput, DriverPwm, LineDriver } from './line-driver.ts';
import { pwmLinesOf } from './pin-names.ts';

/** What is remembered of what happened; older things are forgotten. */
const HISTORY_MAX = 4096;

export type VirtualState = 'low' | 'high' | 'floating' | `duty ${number}`;

interface VirtualInput {
  readonly bias: Bias;
  readonly onChange: (isHigh: boolean) => void;
}

/**
 * Lines in memory, for tests, demos and machines without pins: what is outside of the board is
 * moved by `drive` and `wire`, what the board does is seen by `stateOf` and `history`. Used only
 * where it was asked for.
 */
export class VirtualDriver implements LineDriver {
  readonly backend = 'virtual';
  readonly capabilities: BoardCapabilities;
  /** Every state that an output took, in order. */
  readonly history: { readonly line: number; readonly state: VirtualState }[] = [];
  readonly #outside = new Map<number, boolean>();
  readonly #states = new Map<number, VirtualState>();
  readonly #inputs = new Map<number, VirtualInput>();
  readonly #wires = new Map<number, number[]>();
  readonly #faults = new Map<number, Error>();

  constructor(profile: BoardProfile) {
    const pwmLines = pwmLinesOf(profile);
    this.capabilities = { coalescesEdges: false, releaseReverts: true, bias: true, pwmLines };
  }

  /** Somebody outside sets the level at a line; null: lets go of it. */
  drive(line: number, isHigh: boolean | null): void {
    const before = this.#levelAt(line);
    if (isHigh === null) this.#outside.delete(line);
    else this.#outside.set(line, isHigh);
    this.#tell(line, before);
  }

  /** From now on `to` has the level of the output `from`. */
  wire(from: number, to: number): void {
    this.#wires.set(from, [...(this.#wires.get(from) ?? []), to]);
    this.#follow(from);
  }

  /** What the board drives at a line. */
  stateOf(line: number): VirtualState {
    return this.#states.get(line) ?? 'floating';
  }

  /** Whatever is done with a line from now on fails; null: no more. */
  fail(line: number, fault: Error | null): void {
    if (fault === null) this.#faults.delete(line);
    else this.#faults.set(line, fault);
  }

  async openInput(pin: Pin, bias: Bias, onChange: (isHigh: boolean) => void): Promise<DriverInput> {
    this.#check(pin);
    this.#inputs.set(pin.line, { bias, onChange });
    return {
      read: () => {
        this.#check(pin);
        return this.#levelAt(pin.line);
      },
      close: () => void this.#inputs.delete(pin.line),
    };
  }

  async openOutput(pin: Pin, isHigh: boolean | null): Promise<DriverOutput> {
    const write = (level: boolean): void => {
      this.#check(pin);
      this.#put(pin.line, level ? 'high' : 'low');
    };
    if (isHigh === null) this.#check(pin);
    else write(isHigh);
    return {
      write,
      float: () => this.#put(pin.line, 'floating'),
      close: () => this.#put(pin.line, 'floating'),
    };
  }

  async openPwm(pin: Pin, _frequencyHz: number, duty: number): Promise<DriverPwm> {
    const write = (share: number): void => {
      this.#check(pin);
      this.#put(pin.line, `duty ${share}`);
    };
    write(duty);
    return { write, close: () => this.#put(pin.line, 'floating') };
  }

  #check(pin: Pin): void {
    const cause = this.#faults.get(pin.line);
    if (cause === undefined) return;
    throw new BoardError('BOARD_FAILED', `${pin.name}: ${cause.message}`, { cause });
  }

  #put(line: number, state: VirtualState): void {
    if (this.stateOf(line) === state) return;
    this.#states.set(line, state);
    this.history.push({ line, state });
    if (this.history.length > HISTORY_MAX) this.history.shift();
    this.#follow(line);
  }

  #follow(from: number): void {
    const state = this.stateOf(from);
    const level = state === 'high' ? true : state === 'low' ? false : null;
    for (const to of this.#wires.get(from) ?? []) this.drive(to, level);
  }

  #levelAt(line: number): boolean {
    return this.#outside.get(line) ?? this.#inputs.get(line)?.bias === 'up';
  }

  /** Edges are heard of later, as from a kernel, and never inside of what caused them. */
  #tell(line: number, before: boolean): void {
    const input = this.#inputs.get(line);
    const isHigh = this.#levelAt(line);
    if (input === undefined || isHigh === before) return;
    queueMicrotask(() => {
      if (this.#inputs.get(line) === input) input.onChange(isHigh);
    });
  }
}
