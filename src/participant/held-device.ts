import type { InputLine, OutputLine, PwmLine } from '../ports/board.ts';
import type { ByteStream } from '../ports/byte-stream.ts';
import type { Timers } from '../ports/clock.ts';
import type { DeviceEdge, DeviceValue } from '../ports/devices.ts';
import type { Drivetrain } from '../ports/drivetrain.ts';

/** A device that this process holds. A verb that it has not is none of its methods. */
export interface HeldDevice {
  get(): DeviceValue;
  /** To its safe state; it stays held. */
  secure(): void;
  /** To its safe state, and free for others. */
  close(): Promise<void>;
  readonly set?: (isHigh: boolean) => void;
  readonly pulse?: (isHigh: boolean, ms: number) => Promise<boolean>;
  readonly pwm?: (duty: number) => void;
  readonly drive?: (left: number, right: number) => void;
  readonly stop?: () => void;
  readonly write?: (bytes: Uint8Array) => void;
  readonly onEdge?: (listener: (edge: DeviceEdge) => void) => () => void;
  readonly onBytes?: (listener: (bytes: Uint8Array) => void) => () => void;
}

export function holdInput(line: InputLine): HeldDevice {
  return {
    get: () => line.read(),
    secure: () => undefined,
    close: () => line.release(),
    onEdge: (listener) => line.onEdge(listener),
  };
}

/** An output; the last command holds, whatever pulse was amid. */
export function holdOutput(line: OutputLine, timers: Timers): HeldDevice {
  let end: (isOver: boolean) => void = () => undefined;
  const replace = (): void => {
    end(false);
    end = () => undefined;
  };
  const write = (isHigh: boolean): void => {
    replace();
    line.write(isHigh);
  };
  const pulse = (isHigh: boolean, ms: number): Promise<boolean> => {
    write(isHigh);
    return new Promise((done, fail) => {
      const cancel = timers.after(ms, () => {
        end = () => undefined;
        try {
          line.write(!isHigh);
          done(true);
        } catch (cause) {
          fail(cause);
        }
      });
      end = (isOver) => {
        cancel();
        done(isOver);
      };
    });
  };
  const secure = (): void => {
    replace();
    line.secure();
  };
  const close = async (): Promise<void> => {
    replace();
    await line.release();
  };
  return { get: () => line.read(), set: write, pulse, stop: secure, secure, close };
}

export function holdPwm(line: PwmLine): HeldDevice {
  let duty = line.safeDuty;
  const secure = (): void => {
    line.secure();
    duty = line.safeDuty;
  };
  const pwm = (share: number): void => {
    line.write(share);
    duty = share;
  };
  return { get: () => duty, pwm, stop: secure, secure, close: () => line.release() };
}

export function holdSerial(stream: ByteStream, onLost: (error: Error | null) => void): HeldDevice {
  const listeners = new Set<(bytes: Uint8Array) => void>();
  let heardBytes = 0;
  let isClosing = false;
  stream.handle({
    onBytes: (bytes) => {
      heardBytes += bytes.length;
      for (const listener of [...listeners]) listener(bytes);
    },
    onClose: (error) => {
      if (!isClosing) onLost(error);
    },
  });
  return {
    get: () => heardBytes,
    secure: () => undefined,
    write: (bytes) => stream.write(bytes),
    onBytes: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => {
      isClosing = true;
      return stream.close();
    },
  };
}

export function holdDrivetrain(drivetrain: Drivetrain): HeldDevice {
  const stop = (): void => drivetrain.stop();
  return {
    get: () => {
      const { left, right, isMoving } = drivetrain.state();
      return { left, right, isMoving };
    },
    drive: (left, right) => drivetrain.drive(left, right),
    stop,
    secure: stop,
    close: () => drivetrain.close(),
  };
}
