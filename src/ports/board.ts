import type { BoardProfile } from './board-profile.ts';

/**
 * The pins of one machine. Pins are called `GPIO17` (the number that the board's maker prints) or
 * `J8:11` (the place on the header). A pin has one owner at a time.
 *
 * May not be assumed: that an output falls to its safe state when this process is killed; that
 * depends on the kernel (`releaseReverts`). May be assumed: `release` and `close` set it.
 *
 * @source features F20 to F24; hardware.md 1.
 */
export interface Board {
  readonly profile: BoardProfile;
  /** Which way the pins are reached. */
  readonly backend: 'virtual' | 'onoff' | 'cdev';
  readonly capabilities: BoardCapabilities;

  /** @throws BoardError BOARD_PIN_UNKNOWN, BOARD_PIN_NOT_GPIO, BOARD_PIN_RESERVED */
  resolve(pin: string): Pin;

  /** @throws BoardError; BOARD_PIN_HELD names who has the pin. Nothing is held then. */
  openInput(pin: string, options: InputOptions): Promise<InputLine>;
  openOutput(pin: string, options: OutputOptions): Promise<OutputLine>;
  openPwm(pin: string, options: PwmOptions): Promise<PwmLine>;

  /** Sets every output to its safe state at once; they stay open. */
  secure(): void;
  /** Pins in use, in the order in which they were opened. */
  claims(): readonly Claim[];
  /** Every output to its safe state, every pin released. Twice is once. */
  close(): Promise<void>;
}

export interface BoardCapabilities {
  /** Edges that follow each other fast may be reported as one. */
  readonly coalescesEdges: boolean;
  /**
   * What the kernel does with an output whose process dies: true: back to an input; false: it
   * keeps its level. Null: nobody knows.
   */
  readonly releaseReverts: boolean | null;
  /** Can pull resistors inside the processor be set? Where not, only `none` may be asked for. */
  readonly bias: boolean;
  /** Lines that can do PWM. */
  readonly pwmLines: readonly number[];
}

export interface Pin {
  /** `GPIO17`: the one name of it that errors, claims and logs have. */
  readonly name: string;
  readonly line: number;
  /** `J8:11` */
  readonly place: string;
}

export interface Claim {
  readonly pin: string;
  readonly owner: string;
  readonly use: 'input' | 'output' | 'pwm';
}

interface ClaimOptions {
  /** Who wants it, for the one who is refused: `device fan`. */
  readonly owner: string;
}

export type Bias = 'none' | 'up' | 'down';
export type Edges = 'both' | 'rising' | 'falling' | 'none';

export interface InputOptions extends ClaimOptions {
  readonly bias: Bias;
  readonly edges: Edges;
  /** A level counts once it has lasted so long; 0: at once. */
  readonly debounceMs: number;
}

/** What an output does when nobody is there to say: a level, or nothing driven at all. */
export type SafeState = 'low' | 'high' | 'input';

export interface OutputOptions extends ClaimOptions {
  /** The level that it begins with, never another one in between; null: it drives nothing yet. */
  readonly isHigh: boolean | null;
  readonly safe: SafeState;
}

export interface PwmOptions extends ClaimOptions {
  readonly frequencyHz: number;
  /** Share of the time that the pin is high, 0 to 1, to begin with. */
  readonly duty: number;
  /** As `duty`, when released or secured. */
  readonly safeDuty: number;
}

interface Line {
  readonly pin: Pin;
  /** Outputs go to their safe state; the pin is free for others. Twice is once. */
  release(): Promise<void>;
}

export interface InputLine extends Line {
  /** The level now, whatever debouncing has yet to decide. @throws BoardError */
  read(): boolean;
  /** @returns how to stop listening. */
  onEdge(listener: (edge: Edge) => void): () => void;
}

export interface Edge {
  /** The level after it. */
  readonly isHigh: boolean;
  /** By the monotonic clock, when it was heard of. */
  readonly atMs: number;
  /** 1, 2, 3..., on each line. */
  readonly sequence: number;
}

export interface OutputLine extends Line {
  readonly safe: SafeState;
  /** @throws BoardError BOARD_RELEASED, BOARD_FAILED */
  write(isHigh: boolean): void;
  /** The level that it drives. */
  read(): boolean;
  /** To its safe state; it stays open. */
  secure(): void;
}

export interface PwmLine extends Line {
  readonly safeDuty: number;
  /** @param duty 0 to 1. @throws BoardError BOARD_RELEASED, BOARD_FAILED, BOARD_VALUE */
  write(duty: number): void;
  /** To its safe duty; it stays open. */
  secure(): void;
}

export type BoardErrorCode =
  | 'BOARD_UNKNOWN'
  | 'BOARD_PIN_UNKNOWN'
  | 'BOARD_PIN_NOT_GPIO'
  | 'BOARD_PIN_RESERVED'
  | 'BOARD_PIN_HELD'
  | 'BOARD_PERMISSION'
  | 'BOARD_INTERFACE_MISSING'
  | 'BOARD_PACKAGE_MISSING'
  | 'BOARD_UNSUPPORTED'
  | 'BOARD_VALUE'
  | 'BOARD_RELEASED'
  | 'BOARD_FAILED';

/** The board, its kernel, or who asks; the message ends with what to do about it. */
export class BoardError extends Error {
  override readonly name = 'BoardError';
  readonly code: BoardErrorCode;

  constructor(code: BoardErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
