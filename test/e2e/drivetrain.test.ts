import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DifferentialDrive } from '../../src/hardware/differential-drive.ts';
import { roboclaw } from '../../src/hardware/roboclaw.ts';
import { openSerialStream } from '../../src/hardware/serial-stream.ts';
import { SystemClock } from '../../src/participant/system-clock.ts';
import type { ByteStream } from '../../src/ports/byte-stream.ts';
import { SimulatedController } from '../unit/simulated-controller.ts';

/** Long enough for the busiest machine; nobody waits for it where all is well. */
const PATIENCE_MS = 60_000;

let folder: string;
let cable: ChildProcess;
let ends: [string, string];
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-drivetrain-'));
  ends = [join(folder, 'driver'), join(folder, 'controller')];
  const ptys = ends.map((path) => `pty,raw,echo=0,link=${path}`);
  cable = spawn('socat', ['-d', '-d', ...ptys], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  for await (const text of cable.stderr!.iterator({ destroyOnReturn: false })) {
    said += text;
    if (said.includes('starting data transfer loop')) break;
  }
  cable.stderr!.resume();
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  if (cable.exitCode === null && cable.signalCode === null) {
    const ended = once(cable, 'exit');
    cable.kill();
    await ended;
  }
  rmSync(folder, { recursive: true });
});

/** Looks again after each thing that happens at the controller's end. */
function watch(stream: ByteStream, controller: SimulatedController) {
  const looks = new Set<() => void>();
  const look = () => {
    for (const each of [...looks]) each();
  };
  stream.handle({
    onBytes: (bytes) => {
      controller.receive(bytes);
      look();
    },
    onClose: () => undefined,
  });
  const until = (isSo: () => boolean) =>
    new Promise<void>((done) => {
      const check = () => {
        if (!isSo()) return;
        looks.delete(check);
        done();
      };
      looks.add(check);
      check();
    });
  return until;
}

test(
  'a drivetrain on a serial port stops when nobody renews, and hears that its cable is gone',
  async () => {
    const timers = new SystemClock();
    const far = await openSerialStream(ends[1], 115_200);
    open.push(far);
    const controller = new SimulatedController('roboclaw', timers);
    controller.onAnswer = (bytes) => far.write(bytes);
    const until = watch(far, controller);
    const near = await openSerialStream(ends[0], 115_200);
    let lose: () => void = () => undefined;
    const lost = new Promise<void>((done) => {
      lose = done;
    });
    const drive = new DifferentialDrive({
      stream: near,
      protocol: roboclaw(0x80),
      timers,
      limits: { speedMax: 1, accelerationMax: 1000, deadManMs: 2000 },
      onLost: () => lose(),
    });
    open.push(drive);
    await until(() => controller.timeoutMs === 2200);
    // Renewed, for a busy machine may take longer than the command holds.
    const renewing = setInterval(() => drive.drive(0.5, -0.5), 100);
    await until(() => controller.left > 0.49 && controller.right < -0.49);
    clearInterval(renewing);
    // Nobody renews it.
    await until(() => controller.left === 0 && controller.right === 0);
    expect(drive.state()).toMatchObject({ isMoving: false, isLost: false });
    expect(drive.state().deadManStops).toBeGreaterThan(0);
    cable.kill();
    await lost;
    expect(() => drive.drive(1, 1)).toThrow(expect.objectContaining({ code: 'DRIVETRAIN_LOST' }));
    controller.end();
  },
  PATIENCE_MS,
);

test('a serial port that is held, or is none, is refused with what to do', async () => {
  open.push(await openSerialStream(ends[0], 9600));
  await expect(openSerialStream(ends[0], 9600)).rejects.toMatchObject({
    code: 'BOARD_PIN_HELD',
    message: expect.stringContaining(`fuser ${ends[0]}`),
  });
  const none = join(folder, 'none');
  await expect(openSerialStream(none, 9600)).rejects.toMatchObject({
    code: 'BOARD_INTERFACE_MISSING',
    message: expect.stringContaining(`There is no ${none}`),
  });
});
