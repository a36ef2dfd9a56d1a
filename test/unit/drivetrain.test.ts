import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc16 } from '../../src/hardware/crc16.ts';
import { DifferentialDrive } from '../../src/hardware/differential-drive.ts';
import {
  ROBOCLAW,
  readRoboclawAnswer,
  roboclaw,
  roboclawPacket,
  roboclawRequest,
} from '../../src/hardware/roboclaw.ts';
import { SABERTOOTH, sabertooth, sabertoothPacket } from '../../src/hardware/sabertooth.ts';
import type { DrivetrainLimits } from '../../src/ports/drivetrain.ts';
import { SimulatedCable, SimulatedController } from './simulated-controller.ts';
import { VirtualTime } from './virtual-time.ts';

interface Vectors {
  readonly vectors: Readonly<Record<string, string>>;
}
const file = JSON.parse(readFileSync('test/vectors/motor-controllers.json', 'utf8')) as {
  readonly sabertooth_packetized: Vectors;
  readonly roboclaw_packet: Vectors;
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The one vector whose name has these words, as hexadecimal digits. */
function vector({ vectors }: Vectors, words: string): string {
  const found = Object.entries(vectors).filter(([name]) => name.includes(words));
  expect(found).toHaveLength(1);
  return found[0]![1].replaceAll(' ', '').toLowerCase();
}

describe('a Sabertooth packet is the one of the manual', () => {
  const { motor1Forward, motor1Backward, motor2Forward, motor2Backward } = SABERTOOTH;
  test.each<[string, number, number, number]>([
    ['addr130 cmd0 (M1 forward) 64', 130, motor1Forward, 64],
    ['addr128 M1 forward 127', 128, motor1Forward, 127],
    ['addr128 M1 backward 64', 128, motor1Backward, 64],
    ['addr128 M2 forward 64', 128, motor2Forward, 64],
    ['addr128 M2 backward 64', 128, motor2Backward, 64],
    ['addr128 M1 7-bit stop', 128, SABERTOOTH.motor1SevenBit, 64],
    ['addr128 M2 7-bit stop', 128, SABERTOOTH.motor2SevenBit, 64],
    ['addr128 mixed forward 32', 128, SABERTOOTH.mixedForward, 32],
    ['addr128 mixed drive 7-bit stop', 128, SABERTOOTH.mixedSevenBitDrive, 64],
    ['addr128 mixed turn 7-bit none', 128, SABERTOOTH.mixedSevenBitTurn, 64],
    ['addr128 serial timeout 3 x100ms', 128, SABERTOOTH.serialTimeout, 3],
    ['addr128 baud 38400', 128, SABERTOOTH.baudRate, 4],
  ])('%s', (words, address, command, data) => {
    const packet = sabertoothPacket(address, command, data);
    expect(hex(packet)).toBe(vector(file.sabertooth_packetized, words));
  });

  test('of the protocol', () => {
    const { greeting, timeout, drive } = sabertooth(128);
    expect(hex(greeting)).toBe(vector(file.sabertooth_packetized, 'bauding'));
    expect(hex(timeout(300))).toBe('800e0311');
    expect(hex(timeout(201))).toBe('800e0311');
    expect(hex(drive(64 / 127, -64 / 127))).toBe('8000404080054045');
    expect(hex(drive(1, -1))).toBe('80007f7f80057f04');
    expect(hex(drive(0, 0))).toBe('8000000080040004');
  });

  test.each([
    [127, 0, 0],
    [136, 0, 0],
    [128, 128, 0],
    [128, 0, 128],
    [128, 0, -1],
  ])('and nothing else: address %i, command %i, data %i', (address, command, data) => {
    expect(() => sabertoothPacket(address, command, data)).toThrow(/Sabertooth/);
  });
});

describe('a RoboClaw packet is the one of the manual', () => {
  test.each<[string, number, number[]]>([
    ['set serial timeout 0.5 s', ROBOCLAW.serialTimeout, [5]],
    ['drive M1 forward 64', ROBOCLAW.motor1Forward, [64]],
    ['drive M2 backward 64', ROBOCLAW.motor2Backward, [64]],
    ['stop M1', ROBOCLAW.motor1Forward, [0]],
    ['stop M2', ROBOCLAW.motor2Forward, [0]],
    ['duty M1=+16384', ROBOCLAW.duty, [0x40, 0, 0xc0, 0]],
    ['speed M1=1000', ROBOCLAW.speed, [0, 0, 3, 0xe8, 0xff, 0xff, 0xfc, 0x18]],
  ])('%s', (words, command, data) => {
    expect(hex(roboclawPacket(0x80, command, data))).toBe(vector(file.roboclaw_packet, words));
  });

  test('of the protocol', () => {
    const { greeting, timeout, drive, answer } = roboclaw(0x80);
    expect(greeting).toHaveLength(0);
    expect(hex(timeout(500))).toBe('800e0548f0');
    expect(hex(drive(16384 / 32767, -16384 / 32767))).toBe('80224000c000e0df');
    expect(answer).toBe(0xff);
  });

  test('of a request, and its answer is believed with a right crc only', () => {
    const firmware = roboclawRequest(0x80, ROBOCLAW.readFirmware);
    expect(hex(firmware)).toBe(vector(file.roboclaw_packet, 'read firmware'));
    const request = roboclawRequest(0x80, ROBOCLAW.readBattery);
    const answer = Buffer.from(vector(file.roboclaw_packet, 'battery 12.4V'), 'hex');
    expect(readRoboclawAnswer(request, answer)).toEqual(Uint8Array.of(0, 124));
    for (let bit = 0; bit < answer.length * 8; bit++) {
      const broken = Uint8Array.from(answer);
      broken[bit >> 3]! ^= 1 << (bit & 7);
      expect(readRoboclawAnswer(request, broken)).toBeNull();
    }
    expect(readRoboclawAnswer(request, answer.subarray(0, 1))).toBeNull();
  });

  test('and its check is CRC-16/XMODEM', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0x31c3);
    expect(crc16(new Uint8Array())).toBe(0);
  });
});

const LIMITS: DrivetrainLimits = { speedMax: 1, accelerationMax: 1000, deadManMs: 500 };
/** When the controller stops by itself: what it is told, 200 ms more than the driver's. */
const CONTROLLER_MS = 700;

function stage(kind: 'sabertooth' | 'roboclaw', limits = LIMITS) {
  const time = new VirtualTime();
  const controller = new SimulatedController(kind, time);
  const cable = new SimulatedCable(controller, time);
  const protocol = kind === 'sabertooth' ? sabertooth(128) : roboclaw(0x80);
  const losses: (Error | null)[] = [];
  const parts = { stream: cable, protocol, timers: time, limits };
  const drive = new DifferentialDrive({ ...parts, onLost: (error) => losses.push(error) });
  const speeds = () => [controller.left, controller.right].map((each) => Math.round(each * 100));
  return { time, controller, cable, drive, losses, speeds };
}

describe.each(['sabertooth', 'roboclaw'] as const)('a drivetrain with a %s', (kind) => {
  test('begins standing still, with a controller that knows when to stop by itself', () => {
    const { controller, speeds } = stage(kind);
    expect(controller.timeoutMs).toBe(CONTROLLER_MS);
    expect(speeds()).toEqual([0, 0]);
  });

  test('goes as it is told while it is told', () => {
    const { time, drive, speeds } = stage(kind);
    for (const [left, right] of [
      [0.5, -0.5],
      [1, 1],
      [-1, 0.25],
      [0, 0],
    ] as const) {
      for (let count = 0; count < 10; count++) {
        drive.drive(left, right);
        time.pass(100);
        expect(speeds()).toEqual([left * 100, right * 100]);
      }
    }
    expect(drive.state()).toMatchObject({ deadManStops: 0, isMoving: false, isLost: false });
  });

  test('stops when nobody renews the command, no later than its dead-man time', () => {
    const { time, drive, controller, speeds } = stage(kind);
    drive.drive(1, 1);
    time.pass(499);
    expect(speeds()).toEqual([100, 100]);
    time.pass(1);
    expect(speeds()).toEqual([0, 0]);
    expect(drive.state()).toMatchObject({ deadManStops: 1, isMoving: false });
    expect(controller.timeouts).toBe(0);
  });

  test('is silent in the end, for then the controller keeps the motors still', () => {
    const { time, drive, cable } = stage(kind);
    drive.drive(1, 1);
    time.pass(5000);
    const count = cable.written.length;
    time.pass(60_000);
    expect(cable.written).toHaveLength(count);
    expect(time.pending).toBeLessThanOrEqual(1);
    drive.drive(0.5, 0.5);
    time.pass(100);
    expect(drive.state().isMoving).toBe(true);
  });

  test('is stopped by its controller when the process is gone', () => {
    const { time, drive, controller, cable, speeds } = stage(kind);
    drive.drive(1, -1);
    time.pass(50);
    cable.isCut = true;
    time.pass(CONTROLLER_MS - 51);
    expect(speeds()).toEqual([100, -100]);
    time.pass(51);
    expect(speeds()).toEqual([0, 0]);
    expect(controller.timeouts).toBe(1);
  });

  test('stops at once when told, also amid half a packet', () => {
    const { time, drive, cable, controller, speeds } = stage(kind);
    drive.drive(1, 1);
    time.pass(100);
    controller.receive([0x80, 0]);
    drive.stop();
    time.pass(20);
    expect(speeds()).toEqual([0, 0]);
    expect(cable.isCut).toBe(false);
  });

  test('mends lost bytes by saying it again', () => {
    const { time, drive, cable, speeds } = stage(kind);
    cable.loses = () => true;
    drive.drive(0.5, 1);
    time.pass(150);
    expect(speeds()).toEqual([0, 0]);
    cable.loses = () => false;
    time.pass(200);
    expect(speeds()).toEqual([50, 100]);
  });

  test('whatever bytes are lost, the motors stand still once commands have ceased', () => {
    const lossy = fc.array(fc.boolean(), { minLength: 1, maxLength: 400 });
    const speed = fc.double({ min: -1, max: 1, noNaN: true });
    const command = fc.record({ left: speed, right: speed, pauseMs: fc.nat(300) });
    fc.assert(
      fc.property(lossy, fc.array(command, { maxLength: 12 }), (losses, commands) => {
        const { time, drive, controller, cable } = stage(kind);
        let index = 0;
        cable.loses = () => losses[index++ % losses.length]!;
        for (const { left, right, pauseMs } of commands) {
          drive.drive(left, right);
          time.pass(pauseMs);
        }
        time.pass(LIMITS.deadManMs + CONTROLLER_MS + 1000);
        expect([controller.left, controller.right].map(Math.abs)).toEqual([0, 0]);
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  test('gathers speed no faster than its limit, and brakes at once', () => {
    const { time, drive, speeds } = stage(kind, { ...LIMITS, accelerationMax: 0.5 });
    let fastest = 0;
    for (let count = 1; count <= 10; count++) {
      drive.drive(1, -1);
      time.pass(100);
      const [left = 0, right = 0] = speeds();
      expect(left).toBeLessThanOrEqual(5 * count + 2);
      expect(Math.abs(left + right)).toBeLessThanOrEqual(1);
      expect(left).toBeGreaterThanOrEqual(fastest);
      fastest = left;
    }
    expect(fastest).toBeGreaterThanOrEqual(45);
    drive.stop();
    expect(speeds()).toEqual([0, 0]);
  });

  test('never goes faster than its limit', () => {
    const { time, drive, speeds } = stage(kind, { ...LIMITS, speedMax: 0.25 });
    drive.drive(1, -1);
    time.pass(100);
    expect(speeds().map(Math.abs)).toEqual([25, 25]);
  });

  test.each([
    [Number.NaN, 0],
    [0, 1.01],
    [-1.01, 0],
    [Number.POSITIVE_INFINITY, 0],
  ])('refuses the speeds %f and %f, and goes on as before', (left, right) => {
    const { time, drive, speeds } = stage(kind);
    drive.drive(0.5, 0.5);
    expect(() => drive.drive(left, right)).toThrow(
      expect.objectContaining({ code: 'DRIVETRAIN_SPEED' }),
    );
    time.pass(100);
    expect(speeds()).toEqual([50, 50]);
  });

  test('says once that its cable is gone, and then takes no command', () => {
    const { time, drive, cable, losses } = stage(kind);
    drive.drive(1, 1);
    cable.unplug();
    cable.unplug();
    time.pass(1000);
    expect(losses.map((error) => error?.message)).toEqual(['unplugged']);
    expect(drive.state()).toMatchObject({ isLost: true, isMoving: false });
    expect(() => drive.drive(1, 1)).toThrow(expect.objectContaining({ code: 'DRIVETRAIN_LOST' }));
  });

  test('adds nothing to a cable that takes nothing', () => {
    const { time, drive, cable } = stage(kind);
    cable.queuedBytes = 65;
    const count = cable.written.length;
    for (let turn = 0; turn < 50; turn++) {
      drive.drive(1, 1);
      time.pass(10);
    }
    expect(cable.written).toHaveLength(count);
  });

  test('is told to stop once its cable takes something again', () => {
    const { time, drive, cable, speeds } = stage(kind);
    drive.drive(1, 1);
    time.pass(50);
    cable.queuedBytes = 65;
    drive.stop();
    cable.queuedBytes = 0;
    time.pass(100);
    expect(speeds()).toEqual([0, 0]);
    drive.drive(1, 1);
    time.pass(50);
    cable.queuedBytes = 65;
    drive.stop();
    time.pass(2000);
    const count = cable.written.length;
    cable.queuedBytes = 0;
    time.pass(2000);
    expect(cable.written.length - count).toBe(2 * 10);
  });

  test('is told to stop when it is closed, whatever is queued', async () => {
    const { time, drive, cable, speeds } = stage(kind);
    drive.drive(1, 1);
    time.pass(50);
    cable.queuedBytes = 65;
    await drive.close();
    expect(speeds()).toEqual([0, 0]);
  });

  test('says little, however often it is told', () => {
    const { time, drive, cable } = stage(kind);
    const count = cable.written.length;
    for (let turn = 0; turn < 1000; turn++) {
      drive.drive(turn % 2, 1);
      time.pass(1);
    }
    // Two packets each 20 ms at most.
    expect(cable.written.length - count).toBeLessThanOrEqual(2 * (1000 / 20 + 1));
  });

  test('stands still when it is closed, and nothing follows', async () => {
    const { time, drive, cable, losses, speeds } = stage(kind);
    drive.drive(1, 1);
    time.pass(50);
    await Promise.all([drive.close(), drive.close()]);
    expect(speeds()).toEqual([0, 0]);
    const count = cable.written.length;
    time.pass(5000);
    expect(cable.written).toHaveLength(count);
    expect(losses).toEqual([]);
  });
});

describe('a drivetrain knows whether its controller answers', () => {
  test('a Sabertooth cannot', () => {
    const { time, drive } = stage('sabertooth');
    time.pass(500);
    expect(drive.state()).toMatchObject({ isAnswering: null, unanswered: 0 });
  });

  test('a RoboClaw does, in time or late, and is missed when it does not', () => {
    const { time, drive, cable, speeds } = stage('roboclaw');
    const go = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 50) {
        drive.drive(0.5, 0.5);
        time.pass(50);
      }
    };
    go(500);
    expect(drive.state()).toMatchObject({ isAnswering: true, unanswered: 0 });
    cable.answerDelayMs = 150;
    go(500);
    expect(drive.state().unanswered).toBeGreaterThan(0);
    expect(speeds()).toEqual([50, 50]);
    cable.answerDelayMs = 0;
    go(500);
    expect(drive.state().isAnswering).toBe(true);
    const { unanswered } = drive.state();
    cable.isCut = true;
    go(500);
    expect(drive.state().isAnswering).toBe(false);
    expect(drive.state().unanswered).toBeGreaterThan(unanswered);
  });
});

test.each([
  { speedMax: 0 },
  { speedMax: 1.1 },
  { accelerationMax: 0 },
  { deadManMs: 99 },
  { deadManMs: 10_001 },
  { speedMax: Number.NaN },
])('a drivetrain with the limit %j is refused', (change) => {
  expect(() => stage('sabertooth', { ...LIMITS, ...change })).toThrow(
    expect.objectContaining({ code: 'DRIVETRAIN_LIMITS' }),
  );
});
