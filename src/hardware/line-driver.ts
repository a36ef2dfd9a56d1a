import type { Bias, Board, BoardCapabilities, Pin } from '../ports/board.ts';

/**
 * One way to reach the lines of a chip. Claims, debouncing and safe states are the board's, over
 * every driver alike; a driver is asked for a line that nobody has.
 */
export interface LineDriver {
  readonly backend: Board['backend'];
  readonly capabilities: BoardCapabilities;
  /** @param onChange The level after an edge; may come late, may stand for several edges. */
  openInput(pin: Pin, bias: Bias, onChange: (isHigh: boolean) => void): Promise<DriverInput>;
  /** @param isHigh Null: it drives nothing until it is written to. */
  openOutput(pin: Pin, isHigh: boolean | null): Promise<DriverOutput>;
  openPwm(pin: Pin, frequencyHz: number, duty: number): Promise<DriverPwm>;
}

export interface DriverInput {
  read(): boolean;
  close(): void;
}

export interface DriverOutput {
  /** Also after `float`. */
  write(isHigh: boolean): void;
  /** Drives nothing any more. */
  float(): void;
  /** Gives the line back; what becomes of its level is for the kernel to say. */
  close(): void;
}

export interface DriverPwm {
  write(duty: number): void;
  close(): void;
}

/** Keeps a pin for this process alone, among all processes of the machine. */
export interface Reservations {
  /** @throws BoardError BOARD_PIN_HELD. @returns how to give it back. */
  reserve(key: string, owner: string): Promise<() => Promise<void>>;
}
