import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cobsBytesMax, cobsDecode, cobsEncode } from '../../src/gossip/links/cobs.ts';
import {
  decodeSerialFrame,
  encodeSerialFrame,
  SERIAL_KINDS,
  SERIAL_PAYLOAD_BYTES_MAX,
  type SerialFrame,
  SerialFrameCutter,
  type SerialFrameKind,
} from '../../src/gossip/links/serial-frame.ts';
import { TwinChecksum } from '../../src/kernel/twin-checksum.ts';

const checksum = new TwinChecksum();

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

/** Bytes with many zeros, and with long runs without one. */
const zeroish = fc
  .array(
    fc.oneof(
      fc.constant(new Uint8Array(1)),
      fc.integer({ min: 1, max: 520 }).map((length) => new Uint8Array(length).fill(7)),
      bytes(20),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

const kinds = Object.keys(SERIAL_KINDS) as SerialFrameKind[];

const frames: fc.Arbitrary<SerialFrame> = fc.record({
  kind: fc.constantFrom(...kinds),
  isPoll: fc.boolean(),
  isLast: fc.boolean(),
  tag: fc.nat(0xffff),
  sequence: fc.nat(255),
  awaited: fc.nat(255),
  room: fc.nat(255),
  payload: fc.oneof(
    bytes(40),
    zeroish.map((each) => each.subarray(0, SERIAL_PAYLOAD_BYTES_MAX)),
  ),
});

const stuffed = (plain: Uint8Array): Uint8Array => {
  const out = new Uint8Array(cobsBytesMax(plain.length));
  return out.subarray(0, cobsEncode(plain, out, 0));
};

const plainly = (frame: SerialFrame): SerialFrame => ({
  ...frame,
  payload: Uint8Array.from(frame.payload),
});

/** All that a cutter finds in a stream that comes in these pieces. */
function cut(stream: Uint8Array, pieces: readonly number[]): SerialFrame[] {
  const cutter = new SerialFrameCutter(checksum);
  const found: SerialFrame[] = [];
  let at = 0;
  for (let turn = 0; at < stream.length; turn++) {
    const size = pieces.length === 0 ? stream.length : (pieces[turn % pieces.length] ?? 1);
    found.push(...cutter.push(stream.subarray(at, at + size)));
    at += size;
  }
  return found.map(plainly);
}

describe('stuffed bytes', () => {
  it('hold no zero, are hardly longer, and stand for what was stuffed', () => {
    fc.assert(
      fc.property(zeroish, (plain) => {
        const out = stuffed(plain);
        expect(out.indexOf(0)).toBe(-1);
        expect(out.length).toBeLessThanOrEqual(cobsBytesMax(plain.length));
        expect(cobsDecode(out)).toEqual(plain);
      }),
    );
  });

  it.each([
    ['', '01'],
    ['00', '0101'],
    ['0000', '010101'],
    ['11220033', '0311220233'],
    ['11000000', '0211010101'],
  ])('%s becomes %s, as published', (plain, out) => {
    expect(Buffer.from(stuffed(Buffer.from(plain, 'hex'))).toString('hex')).toBe(out);
  });

  it.each([253, 254, 255, 508, 509])('a run of %i bytes without a zero comes back', (length) => {
    const run = new Uint8Array(length).fill(1);
    for (const plain of [run, Uint8Array.from([...run, 0]), Uint8Array.from([0, ...run])]) {
      expect(cobsDecode(stuffed(plain))).toEqual(plain);
    }
  });

  it('stand for nothing where a code byte points beyond their end', () => {
    expect(cobsDecode(Uint8Array.of(3, 1))).toBe(null);
    expect(cobsDecode(new Uint8Array(0))).toBe(null);
    expect(cobsDecode(Uint8Array.of(2, 0))).toBe(null);
  });
});

describe('frames of a serial line', () => {
  it('come back as they were, whatever pieces they come in and whatever noise lies between', () => {
    const noise = bytes(60);
    const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(noise, frames), { maxLength: 5 }), pieces, (said, sizes) => {
        const stream = said.flatMap(([before, frame]) => [
          ...before,
          ...encodeSerialFrame(frame, checksum),
        ]);
        const found = cut(Uint8Array.from(stream), sizes);
        expect(found).toEqual(said.map(([, frame]) => plainly(frame)));
      }),
    );
  });

  it('are refused with any one byte changed', () => {
    const change = fc.tuple(frames, fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(change, ([frame, place, flip]) => {
        const line = encodeSerialFrame(frame, checksum);
        const damaged = line.slice();
        damaged[1 + (place % (line.length - 2))]! ^= flip;
        expect(cut(damaged, [])).toEqual([]);
      }),
      { numRuns: 800 },
    );
  });

  it('are refused cut short or with a byte lost or doubled', () => {
    fc.assert(
      fc.property(frames, fc.nat(), (frame, place) => {
        const line = encodeSerialFrame(frame, checksum);
        const at = 1 + (place % (line.length - 2));
        expect(decodeSerialFrame(line.subarray(1, at), checksum)).toBe(null);
        const lost = Uint8Array.from([...line.subarray(1, at), ...line.subarray(at + 1, -1)]);
        const twice = Uint8Array.from([...line.subarray(1, at + 1), ...line.subarray(at, -1)]);
        expect(decodeSerialFrame(twice, checksum)).toBe(null);
        expect(decodeSerialFrame(lost, checksum)).toBe(null);
      }),
    );
  });

  it('are found again after any damage: only what was damaged is lost', () => {
    const three = fc.tuple(frames, frames, frames);
    fc.assert(
      fc.property(three, bytes(3_000), ([first, second, third], boot) => {
        const lines = [first, second, third].map((each) => encodeSerialFrame(each, checksum));
        const half = lines[1]!.subarray(0, lines[1]!.length >> 1);
        const stream = Uint8Array.from([...boot, ...lines[0]!, ...half, ...lines[2]!]);
        expect(cut(stream, [])).toEqual([plainly(first), plainly(third)]);
      }),
    );
  });

  it('of the greatest length come through, and noise without a zero is counted', () => {
    const cutter = new SerialFrameCutter(checksum);
    const noise = new Uint8Array(1_000).fill(0x55);
    for (let turn = 0; turn < 20; turn++) expect(cutter.push(noise)).toEqual([]);
    expect(cutter.broken).toBe(1);
    const frame: SerialFrame = {
      kind: 'data',
      isPoll: false,
      isLast: true,
      tag: 1,
      sequence: 2,
      awaited: 3,
      room: 4,
      payload: new Uint8Array(SERIAL_PAYLOAD_BYTES_MAX).fill(9),
    };
    expect(cutter.push(encodeSerialFrame(frame, checksum)).map(plainly)).toEqual([frame]);
    expect(cutter.broken).toBe(1);
  });
});
