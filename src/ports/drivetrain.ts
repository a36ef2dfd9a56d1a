/**
 * Two wheels, or the tracks of two sides, each with a motor of its own.
 *
 * A command holds for `deadManMs` and no longer: whoever drives renews it, and where nobody does,
 * the motors stop. The controller on the cable is told to do the same by itself, so that they stop
 * also when this process dies or the cable breaks.
 *
 * @source features A27; hardware.md 4.
 */
export interface Drivetrain {
  /**
   * Sets the speeds until renewed, replaced or `deadManMs` have gone by.
   *
   * @param left Share of the full speed, -1 (back) to 1 (forward); limits are applied to it.
   * @throws DrivetrainError DRIVETRAIN_SPEED, DRIVETRAIN_LOST
   */
  drive(left: number, right: number): void;
  /** At once, whatever limits there are. */
  stop(): void;
  state(): DrivetrainState;
  /** Stops, and says no more. Twice is once. */
  close(): Promise<void>;
}

export interface DrivetrainState {
  /** What the motors were told last, after limits. */
  readonly left: number;
  readonly right: number;
  readonly isMoving: boolean;
  /** Does the controller answer? Null where it cannot (Sabertooth). */
  readonly isAnswering: boolean | null;
  /** Times that a command ran out because nobody renewed it. */
  readonly deadManStops: number;
  /** Commands that were not answered in time and so were said again. */
  readonly unanswered: number;
  /** The cable is gone. */
  readonly isLost: boolean;
}

export interface DrivetrainLimits {
  /** Share of the full speed that is never exceeded, above 0, at most 1. */
  readonly speedMax: number;
  /** Change of speed a second, in shares of the full speed; braking to a stop has no limit. */
  readonly accelerationMax: number;
  /** A command that is not renewed ends after so long. */
  readonly deadManMs: number;
}

export type DrivetrainErrorCode = 'DRIVETRAIN_SPEED' | 'DRIVETRAIN_LIMITS' | 'DRIVETRAIN_LOST';

/** Who drives, or the cable. */
export class DrivetrainError extends Error {
  override readonly name = 'DrivetrainError';
  readonly code: DrivetrainErrorCode;

  constructor(code: DrivetrainErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
