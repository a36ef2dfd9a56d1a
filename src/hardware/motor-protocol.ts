/** How one kind of motor controller is spoken to. Speeds are -1 to 1. */
export interface MotorProtocol {
  readonly name: string;
  /** Said once, before all else. */
  readonly greeting: Uint8Array;
  /** Tells the controller to stop its motors when it hears nothing for so long. */
  timeout(timeoutMs: number): Uint8Array;
  drive(left: number, right: number): Uint8Array;
  /** The byte that answers each packet; null where there is none. */
  readonly answer: number | null;
}

/** Controllers count their time-outs in tenths of a second, in 7 or 8 bits. */
export function tenthsOf(timeoutMs: number): number {
  return Math.min(127, Math.max(1, Math.ceil(timeoutMs / 100)));
}
