import { describe, expect, it } from 'vitest';
import { SerialCall } from '../../src/gossip/links/serial-call.ts';
import {
  encodeSerialFrame,
  type SerialFrame,
  SerialFrameCutter,
} from '../../src/gossip/links/serial-frame.ts';
import { TwinChecksum } from '../../src/kernel/twin-checksum.ts';
import { fromHex, toHex } from '../../src/model/bytes.ts';

const checksum = new TwinChecksum();

const HELLO: SerialFrame = {
  kind: 'hello',
  isPoll: false,
  isLast: false,
  tag: 0,
  sequence: 0,
  awaited: 0,
  room: 64,
  payload: new SerialCall(0x01020304).hello,
};

const DATA: SerialFrame = {
  kind: 'data',
  isPoll: true,
  isLast: true,
  tag: 0xabcd,
  sequence: 255,
  awaited: 7,
  room: 0,
  payload: Uint8Array.of(0, 1, 2, 0),
};

const GOLDEN: readonly (readonly [SerialFrame, string])[] = [
  [HELLO, '000201010101024006090102030401010106010a1fdde700'],
  [DATA, '000632abcdff070102040301020559247dce00'],
];

describe('the format of a serial line', () => {
  it.each(GOLDEN)('today’s bytes of a $kind frame are the golden ones', (frame, golden) => {
    expect(toHex(encodeSerialFrame(frame, checksum))).toBe(golden);
  });

  it.each(GOLDEN)(
    'the golden bytes of a $kind frame read as what they were made of',
    (frame, golden) => {
      const [read] = new SerialFrameCutter(checksum).push(fromHex(golden));
      expect({ ...read, payload: Uint8Array.from(read?.payload ?? []) }).toEqual(frame);
    },
  );
});
