import { invariant } from '../model/invariant.ts';
import { type MotorProtocol, tenthsOf } from './motor-protocol.ts';

/** Commands of packetized serial. @source Sabertooth 2x12 user's guide, packetized serial mode. */
export const SABERTOOTH = {
  motor1Forward: 0,
  motor1Backward: 1,
  motor2Forward: 4,
  motor2Backward: 5,
  motor1SevenBit: 6,
  motor2SevenBit: 7,
  mixedForward: 8,
  mixedSevenBitDrive: 12,
  mixedSevenBitTurn: 13,
  serialTimeout: 14,
  baudRate: 15,
} as const;

/** Older models find the baud rate by this one byte. */
const BAUDING = 0xaa;

/**
 * One packet.
 *
 * | offset | bytes | field | meaning |
 * | --- | --- | --- | --- |
 * | 0 | 1 | address | 128 to 135 |
 * | 1 | 1 | command | 0 to 127 |
 * | 2 | 1 | data | 0 to 127 |
 * | 3 | 1 | checksum | (address + command + data) & 0x7f |
 *
 * 4 bytes. Only an address has its highest bit set: after a lost byte the next packet is whole.
 */
export function sabertoothPacket(address: number, command: number, data: number): Uint8Array {
  invariant(address >= 128 && address <= 135, 'a Sabertooth has an address from 128 to 135');
  invariant(command >= 0 && command <= 127, 'a Sabertooth command has seven bits');
  invariant(data >= 0 && data <= 127, 'the data of a Sabertooth command have seven bits');
  return Uint8Array.of(address, command, data, (address + command + data) & 0x7f);
}

/** Motor 1 is the left one, motor 2 the right one. It never answers. */
export function sabertooth(address: number): MotorProtocol {
  const speed = (forward: number, backward: number, value: number): Uint8Array => {
    const command = value < 0 ? backward : forward;
    return sabertoothPacket(address, command, Math.round(Math.abs(value) * 127));
  };
  const drive = (left: number, right: number): Uint8Array => {
    const { motor1Forward, motor1Backward, motor2Forward, motor2Backward } = SABERTOOTH;
    const packet = new Uint8Array(8);
    packet.set(speed(motor1Forward, motor1Backward, left), 0);
    packet.set(speed(motor2Forward, motor2Backward, right), 4);
    return packet;
  };
  return {
    name: 'sabertooth',
    greeting: Uint8Array.of(BAUDING),
    timeout: (timeoutMs) =>
      sabertoothPacket(address, SABERTOOTH.serialTimeout, tenthsOf(timeoutMs)),
    drive,
    answer: null,
  };
}
