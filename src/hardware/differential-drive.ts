import type { ByteStream } from '../ports/byte-stream.ts';
import type { Timers } from '../ports/clock.ts';
import {
  type Drivetrain,
  DrivetrainError,
  type DrivetrainLimits,
  type DrivetrainState,
} from '../ports/drivetrain.ts';
import type { MotorProtocol } from './motor-protocol.ts';

/** How often what holds is said again: a lost byte is mended, the controller's own time-out fed. */
const REPEAT_MS = 100;
/** Between two packets: after a pause of 10 ms a RoboClaw forgets half a packet. */
const GAP_MS = 20;
/** A controller that has not answered by then missed something. */
const ANSWER_MS = 100;
/** A stop is said so often; then the cable is silent, and the controller's own time-out holds. */
const STOPS = 10;
/** More waiting than this means that the cable does not take it: nothing is added to it. */
const QUEUED_BYTES_MAX = 64;
const DEAD_MAN_MS = { least: 100, most: 10_000 };
const STOPPED = { left: 0, right: 0 };

export interface DifferentialDriveParts {
  readonly stream: ByteStream;
  readonly protocol: MotorProtocol;
  readonly timers: Timers;
  readonly limits: DrivetrainLimits;
  /** Called once, when the cable is gone. */
  readonly onLost?: (error: Error | null) => void;
}

/**
 * Two motors behind a controller on a serial line. What is to hold is said again and again, newest
 * only, each time with the controller's own time-out, which so survives lost bytes and a controller
 * that restarts. An answer says that the controller lives, not which packet it took: every packet
 * sets both motors, so the last one that arrives is the truth.
 */
export class DifferentialDrive implements Drivetrain {
  readonly #parts: DifferentialDriveParts;
  #target = STOPPED;
  #said = STOPPED;
  #saidAtMs: number;
  /** When the command runs out; null: stopped. */
  #untilMs: number | null = null;
  #stopsLeft = STOPS;
  #cancel: (() => void) | null = null;
  /** Since when an answer is due; null: none is. */
  #awaitedAtMs: number | null = null;
  #isAnswering: boolean | null;
  #deadManStops = 0;
  #unanswered = 0;
  #isLost = false;
  #isClosing = false;
  #closing: Promise<void> | null = null;

  /** Begins with a stop. @throws DrivetrainError DRIVETRAIN_LIMITS */
  constructor(parts: DifferentialDriveParts) {
    checkLimits(parts.limits);
    this.#parts = parts;
    const { protocol, stream, timers } = parts;
    this.#saidAtMs = timers.monotonicMs();
    this.#isAnswering = protocol.answer === null ? null : false;
    stream.handle({
      onBytes: (bytes) => this.#hear(bytes),
      onClose: (error) => this.#lose(error),
    });
    stream.write(protocol.greeting);
    this.#say();
  }

  drive(left: number, right: number): void {
    for (const speed of [left, right]) {
      if (speed >= -1 && speed <= 1) continue;
      throw new DrivetrainError('DRIVETRAIN_SPEED', `${speed} is no speed: -1 to 1 are.`);
    }
    if (this.#isLost || this.#isClosing) {
      const message = `${this.#parts.stream.name} is closed. Connect it, and open it again.`;
      throw new DrivetrainError('DRIVETRAIN_LOST', message);
    }
    const { timers, limits } = this.#parts;
    const { speedMax, deadManMs } = limits;
    const bound = (speed: number) => Math.min(speedMax, Math.max(-speedMax, speed));
    const nowMs = timers.monotonicMs();
    // Standing still is no time to have gathered speed in.
    if (this.#untilMs === null) this.#saidAtMs = Math.max(this.#saidAtMs, nowMs - GAP_MS);
    this.#target = { left: bound(left), right: bound(right) };
    this.#untilMs = nowMs + deadManMs;
    this.#schedule();
  }

  /** Said at once, and again in a moment: the first may end in half a packet from before. */
  stop(): void {
    this.#halt();
    this.#say();
  }

  state(): DrivetrainState {
    const { left, right } = this.#said;
    return {
      left,
      right,
      isMoving: left !== 0 || right !== 0,
      isAnswering: this.#isAnswering,
      deadManStops: this.#deadManStops,
      unanswered: this.#unanswered,
      isLost: this.#isLost,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#halt();
    this.#isClosing = true;
    this.#cancel?.();
    // Whatever is queued before it: after this nothing is said any more.
    this.#say(true);
    await this.#parts.stream.close();
  }

  #halt(): void {
    this.#target = STOPPED;
    this.#said = STOPPED;
    this.#untilMs = null;
    this.#stopsLeft = STOPS;
  }

  #isChanging(): boolean {
    const { left, right } = this.#target;
    if (this.#untilMs === null) return this.#stopsLeft === STOPS - 1;
    return left !== this.#said.left || right !== this.#said.right;
  }

  #schedule(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#isLost || this.#isClosing) return;
    if (this.#untilMs === null && this.#stopsLeft === 0) return;
    const { timers } = this.#parts;
    const nextMs = this.#saidAtMs + (this.#isChanging() ? GAP_MS : REPEAT_MS);
    const dueMs = Math.min(nextMs, this.#untilMs ?? nextMs);
    const delayMs = dueMs - timers.monotonicMs();
    if (delayMs > 0) this.#cancel = timers.after(delayMs, () => this.#turn());
    else this.#turn();
  }

  #turn(): void {
    const nowMs = this.#parts.timers.monotonicMs();
    if (this.#untilMs !== null && nowMs >= this.#untilMs) {
      this.#deadManStops += 1;
      this.#halt();
    }
    this.#say();
  }

  /** Says what holds now, and sees to its being said again. */
  #say(isLast = false): void {
    if (this.#isLost) return;
    const { timers, stream, protocol, limits } = this.#parts;
    const nowMs = timers.monotonicMs();
    this.#awaitAnswer(nowMs);
    const isTaken = stream.queuedBytes <= QUEUED_BYTES_MAX;
    if (this.#untilMs !== null) this.#said = this.#next(nowMs);
    // A stop that the cable did not take was not said.
    else if (isTaken) this.#stopsLeft -= 1;
    this.#saidAtMs = nowMs;
    if (isTaken || isLast) {
      // Ours runs out first: the controller's is for when we are gone.
      stream.write(protocol.timeout(limits.deadManMs + 2 * REPEAT_MS));
      stream.write(protocol.drive(this.#said.left, this.#said.right));
    }
    this.#schedule();
  }

  #awaitAnswer(nowMs: number): void {
    if (this.#parts.protocol.answer === null) return;
    if (this.#awaitedAtMs !== null) {
      if (nowMs - this.#awaitedAtMs < ANSWER_MS) return;
      this.#unanswered += 1;
      this.#isAnswering = false;
    }
    this.#awaitedAtMs = nowMs;
  }

  /** From what was said to what is wanted, no faster than the limit. */
  #next(nowMs: number): { left: number; right: number } {
    const elapsedMs = Math.max(0, nowMs - this.#saidAtMs);
    const step = (this.#parts.limits.accelerationMax * elapsedMs) / 1000;
    const approach = (from: number, to: number): number =>
      Math.abs(to - from) <= step ? to : from + Math.sign(to - from) * step;
    const { left, right } = this.#said;
    return { left: approach(left, this.#target.left), right: approach(right, this.#target.right) };
  }

  #hear(bytes: Uint8Array): void {
    const { answer } = this.#parts.protocol;
    if (answer === null || !bytes.includes(answer)) return;
    this.#isAnswering = true;
    this.#awaitedAtMs = null;
  }

  #lose(error: Error | null): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#halt();
    this.#cancel?.();
    this.#cancel = null;
    if (!this.#isClosing) this.#parts.onLost?.(error);
  }
}

function checkLimits(limits: DrivetrainLimits): void {
  const { speedMax, accelerationMax, deadManMs } = limits;
  const { least, most } = DEAD_MAN_MS;
  if (speedMax > 0 && speedMax <= 1 && accelerationMax > 0 && accelerationMax <= 1000) {
    if (deadManMs >= least && deadManMs <= most) return;
  }
  const message =
    `A drivetrain takes a speedMax above 0, at most 1, an accelerationMax above 0, at most 1000, ` +
    `and a deadManMs from ${least} to ${most}.`;
  throw new DrivetrainError('DRIVETRAIN_LIMITS', message);
}
