import { openBoard } from '../hardware/open-board.ts';
import type { Board } from '../ports/board.ts';
import type { Timers } from '../ports/clock.ts';
import type { Device, DrivetrainDevice, SerialDevice } from './device-settings.ts';
import { openDrivetrain, openHeldStream } from './open-device.ts';

/** Between two changes of an output that is tried. */
const STEP_MS = 500;
const OWNER = 'vertebra device test';

export interface DeviceTestOptions {
  /** A device of `vertebra.toml`, or a pin that is none of them. */
  readonly target: Device | string;
  readonly board: string;
  readonly seconds: number;
  /** Drive outputs too; else they are only read. */
  readonly mayDrive: boolean;
  readonly timers: Timers;
  readonly interrupted: AbortSignal;
  readonly say: (event: DeviceTestEvent) => void;
  /** `openBoard`, unless a test brings its own. */
  readonly open?: (choice: string, timers: Timers) => Promise<Board>;
}

export interface DeviceTestEvent {
  readonly event: 'open' | 'level' | 'edge' | 'driven' | 'safe' | 'bytes' | 'answers' | 'done';
  readonly what: string;
  readonly isHigh?: boolean;
  readonly count?: number;
}

/**
 * Tries a device for a while: reads an input and tells its edges; with `mayDrive` switches an
 * output to and fro. However it ends, an output is in its safe state then. A drivetrain is told to
 * stop, and nothing else.
 *
 * @throws BoardError
 */
export async function testDevice(options: DeviceTestOptions): Promise<void> {
  const { target } = options;
  if (typeof target !== 'string') {
    if (target.kind === 'serial') return testSerial(options, target);
    if (target.kind === 'drivetrain') return testDrivetrain(options, target);
  }
  const { open = openBoard, board: choice, timers } = options;
  const board = await open(choice, timers);
  const secure = (): void => board.secure();
  process.on('exit', secure);
  try {
    await testPin(options, board);
  } finally {
    process.off('exit', secure);
    await board.close();
  }
}

async function testPin(options: DeviceTestOptions, board: Board): Promise<void> {
  const { target, mayDrive, say } = options;
  const device = typeof target === 'string' ? null : target;
  const pin = typeof target === 'string' ? target : 'pin' in target ? target.pin : '';
  const isInput = device?.kind === 'gpio' && device.direction === 'in';
  if (mayDrive && !isInput) return driveOutput(options, board, pin);
  const bias = device?.kind === 'gpio' ? device.bias : 'none';
  const debounceMs = device?.kind === 'gpio' ? device.debounceMs : 0;
  const line = await board.openInput(pin, { owner: OWNER, bias, edges: 'both', debounceMs });
  const { name } = line.pin;
  say({ event: 'level', what: name, isHigh: line.read() });
  let count = 0;
  line.onEdge(({ isHigh, sequence }) => {
    count = sequence;
    say({ event: 'edge', what: name, isHigh, count });
  });
  await pause(options, options.seconds * 1000);
  say({ event: 'done', what: name, isHigh: line.read(), count });
}

async function driveOutput(options: DeviceTestOptions, board: Board, pin: string): Promise<void> {
  const { target, say, seconds, timers, interrupted } = options;
  const safe = typeof target !== 'string' && 'safe' in target ? target.safe : 'input';
  const isPwm = typeof target !== 'string' && target.kind === 'pwm';
  const safeDuty = safe === 'high' ? 1 : 0;
  const frequencyHz = isPwm ? target.frequencyHz : 1;
  const line = isPwm
    ? await board.openPwm(pin, { owner: OWNER, frequencyHz, duty: safeDuty, safeDuty })
    : await board.openOutput(pin, { owner: OWNER, isHigh: safe === 'high', safe });
  const what = line.pin.name;
  const untilMs = timers.monotonicMs() + seconds * 1000;
  let isHigh = safe === 'high';
  let count = 0;
  // Once at least, however short the time is.
  do {
    isHigh = !isHigh;
    count += 1;
    if ('safeDuty' in line) line.write(isHigh ? 1 : 0);
    else line.write(isHigh);
    say({ event: 'driven', what, isHigh, count });
    await pause(options, Math.min(STEP_MS, untilMs - timers.monotonicMs()));
  } while (!interrupted.aborted && timers.monotonicMs() < untilMs);
  await line.release();
  say({ event: 'safe', what: `${what}: ${safe}`, count });
}

async function testSerial(options: DeviceTestOptions, device: SerialDevice): Promise<void> {
  const { say } = options;
  const stream = await openHeldStream(device, OWNER);
  let count = 0;
  stream.handle({
    onBytes: (bytes) => {
      count += bytes.length;
      say({ event: 'bytes', what: device.path, count });
    },
    onClose: (error) => {
      if (error !== null) say({ event: 'done', what: `${device.path}: ${error.message}`, count });
    },
  });
  say({ event: 'open', what: device.path });
  await pause(options, options.seconds * 1000);
  await stream.close();
  say({ event: 'done', what: device.path, count });
}

async function testDrivetrain(options: DeviceTestOptions, device: DrivetrainDevice): Promise<void> {
  const { say, timers } = options;
  const drive = await openDrivetrain(device, { timers, owner: OWNER });
  say({ event: 'open', what: device.path });
  await pause(options, options.seconds * 1000);
  const { isAnswering } = drive.state();
  await drive.close();
  const answer = isAnswering === null ? 'cannot answer' : isAnswering ? 'answers' : 'is silent';
  say({ event: 'answers', what: `the ${device.controller} at ${device.path} ${answer}` });
}

/** Waits, or until somebody has enough of it. */
function pause({ timers, interrupted }: DeviceTestOptions, ms: number): Promise<void> {
  if (interrupted.aborted) return Promise.resolve();
  return new Promise((done) => {
    const end = (): void => {
      cancel();
      interrupted.removeEventListener('abort', end);
      done();
    };
    const cancel = timers.after(Math.max(0, ms), end);
    interrupted.addEventListener('abort', end);
  });
}
