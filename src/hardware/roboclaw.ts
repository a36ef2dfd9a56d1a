import { invariant } from '../model/invariant.ts';
import { crc16 } from './crc16.ts';
import { type MotorProtocol, tenthsOf } from './motor-protocol.ts';

/** Commands of packet serial. @source RoboClaw user manual, packet serial. */
export const ROBOCLAW = {
  motor1Forward: 0,
  motor2Forward: 4,
  motor2Backward: 5,
  serialTimeout: 14,
  readFirmware: 21,
  readBattery: 24,
  duty: 34,
  speed: 37,
} as const;

/** What it says when it took a command. */
export const ROBOCLAW_TAKEN = 0xff;

const DUTY_MAX = 32_767;

/**
 * One packet that sets something.
 *
 * | offset | bytes | field | meaning |
 * | --- | --- | --- | --- |
 * | 0 | 1 | address | 0x80 to 0x87 |
 * | 1 | 1 | command | 0 to 255 |
 * | 2 | n | data | as the command says, big-endian |
 * | 2 + n | 2 | crc | CRC-16/XMODEM of all before, big-endian |
 *
 * 4 + n bytes. A packet with a pause of more than 10 ms in it is dropped by the controller.
 */
export function roboclawPacket(
  address: number,
  command: number,
  data: readonly number[],
): Uint8Array {
  invariant(address >= 0x80 && address <= 0x87, 'a RoboClaw has an address from 0x80 to 0x87');
  const packet = new Uint8Array(data.length + 4);
  packet.set([address, command, ...data]);
  const crc = crc16(packet.subarray(0, data.length + 2));
  packet.set([crc >> 8, crc & 0xff], data.length + 2);
  return packet;
}

/** A request for data carries no crc; the answer does, over request and data. */
export function roboclawRequest(address: number, command: number): Uint8Array {
  return Uint8Array.of(address, command);
}

/** @returns the data of an answer to a request; null where its crc is wrong or it is too short. */
export function readRoboclawAnswer(request: Uint8Array, answer: Uint8Array): Uint8Array | null {
  if (answer.length < 2) return null;
  const data = answer.subarray(0, answer.length - 2);
  const whole = new Uint8Array(request.length + data.length);
  whole.set(request);
  whole.set(data, request.length);
  const crc = crc16(whole);
  const [high, low] = answer.subarray(data.length);
  return high === crc >> 8 && low === (crc & 0xff) ? Uint8Array.from(data) : null;
}

/** Motor 1 is the left one, motor 2 the right one. */
export function roboclaw(address: number): MotorProtocol {
  const drive = (left: number, right: number): Uint8Array => {
    const duties = [left, right].map((speed) => Math.round(speed * DUTY_MAX) & 0xffff);
    const data = duties.flatMap((duty) => [duty >> 8, duty & 0xff]);
    return roboclawPacket(address, ROBOCLAW.duty, data);
  };
  return {
    name: 'roboclaw',
    greeting: new Uint8Array(),
    timeout: (timeoutMs) => roboclawPacket(address, ROBOCLAW.serialTimeout, [tenthsOf(timeoutMs)]),
    drive,
    answer: ROBOCLAW_TAKEN,
  };
}
