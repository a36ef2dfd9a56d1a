/**
 * What hangs on one machine, by the names that its operator gave: what Behaviors, programs and
 * people may do with it. One owner holds each device; whoever acts says its name and a verb.
 *
 * | kind | verbs |
 * | --- | --- |
 * | `gpio`, in | `get`, `onEdge` |
 * | `gpio`, out | `get`, `set`, `pulse`, `stop` |
 * | `pwm` | `get`, `pwm`, `stop` |
 * | `serial` | `get`, `write`, `onBytes` |
 * | `drivetrain` | `get`, `drive`, `stop` |
 *
 * `stop` is the safe state. Every verb throws DeviceError; what is refused changed nothing.
 *
 * @source features A27, F20 to F24.
 */
export interface DeviceSet {
  /** All that are declared, in that order, whether they are there or not. */
  list(): DeviceStatus[];
  /** What criteria may ask for: of those devices alone that can be used now. */
  capabilities(): DeviceCapabilities[];
  /** Told after `list` or `capabilities` changed, but for values. @returns how to stop it. */
  onChange(listener: () => void): () => void;

  /**
   * Any verb but those that listen, with arguments as they come from elsewhere: they are checked.
   * Bytes are a `Uint8Array`. Resolves when it is done, a pulse when it is over.
   */
  act(name: string, verb: string, args: readonly unknown[]): Promise<DeviceValue>;

  /** Level of a pin, duty of a PWM pin, bytes heard of a serial device, speeds of a drivetrain. */
  get(name: string): DeviceValue;
  set(name: string, isHigh: boolean): void;
  /**
   * To a level, and after `ms` (1 to 60000) to the other one.
   * @returns false where another command came before its end.
   */
  pulse(name: string, isHigh: boolean, ms: number): Promise<boolean>;
  /** @param duty Share of the time that the pin is high, 0 to 1. */
  pwm(name: string, duty: number): void;
  /**
   * Holds for the declared dead-man time and no longer: to be renewed.
   * @param left Share of the full speed, -1 (back) to 1.
   */
  drive(name: string, left: number, right: number): void;
  stop(name: string): void;
  /** At most 4096 bytes. */
  write(name: string, bytes: Uint8Array): void;
  onEdge(name: string, listener: (edge: DeviceEdge) => void): () => void;
  onBytes(name: string, listener: (bytes: Uint8Array) => void): () => void;
}

export type DeviceKind = 'gpio' | 'pwm' | 'serial' | 'drivetrain';

/** JSON-ready. */
export type DeviceValue =
  | boolean
  | number
  | null
  | { readonly left: number; readonly right: number; readonly isMoving: boolean };

export interface DeviceEdge {
  /** The level after it. */
  readonly isHigh: boolean;
  /** By the monotonic clock. */
  readonly atMs: number;
  /** 1, 2, 3..., of each device since it was opened. */
  readonly sequence: number;
}

export interface DeviceCapabilities {
  readonly device: string;
  /** `gpio` and `gpio:out`, `pwm`, `serial:rs232`, `drivetrain:diff`. */
  readonly kinds: readonly string[];
  /** `site=greenhouse-3` */
  readonly labels: readonly string[];
}

export interface DeviceStatus {
  readonly name: string;
  readonly kind: DeviceKind;
  /** `GPIO17 (J8:11)` or `/dev/ttyAMA0`. */
  readonly where: string;
  /**
   * `ready`: held by this agent. `withheld`: held, in its safe state, and refused to everybody
   * until its Sync Group reaches a Quorum again. `failed`: not held; `detail` says why.
   */
  readonly state: 'ready' | 'withheld' | 'failed';
  /** Who has it: `this agent`, another process by name, or nobody that is known. */
  readonly holder: string | null;
  readonly safe: string | null;
  readonly labels: readonly string[];
  readonly value: DeviceValue;
  readonly detail: string | null;
}

export type DeviceErrorCode =
  | 'DEVICE_UNKNOWN'
  | 'DEVICE_VERB'
  | 'DEVICE_VALUE'
  | 'DEVICE_FAILED'
  | 'DEVICE_WITHHELD';

/** The asker, or the device; the message says what to do. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  readonly code: DeviceErrorCode;

  constructor(code: DeviceErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
