import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFLATE } from '../../src/gossip/compressed-framing.ts';
import { EXPANDED_BYTES_MAX } from '../../src/gossip/compression.ts';
import { AssemblyRoom } from '../../src/gossip/fragment.ts';
import type { Framing } from '../../src/gossip/make-framing.ts';
import { makeFraming } from '../../src/gossip/make-framing.ts';
import { paceOf } from '../../src/gossip/pace.ts';
import { GOSSIP_SETTINGS } from '../../src/gossip/settings.ts';
import { SeededRandom, Stage } from '../unit/gossip-stage.ts';

const SESSION = { maxPlainBytes: 65_519, sealOverheadBytes: 16 };
const RATES = [30, 960, 11_520, 400_000, null] as const;

/** One end of a link that is compressed, of so many bytes a second. */
function endOf(bytesPerSecond: number | null): Framing {
  const link = { isOrdered: true, compresses: true, bytesPerSecond, frameBytesMax: 65_535 };
  const parts = {
    timers: new Stage(),
    room: new AssemblyRoom(100_000_000),
    pace: paceOf(GOSSIP_SETTINGS, { ...link, kind: 'serial' }),
    tenant: { owner: 'x', onEvicted: () => undefined },
    wake: () => undefined,
    onLoss: () => undefined,
  };
  return makeFraming({ link, session: SESSION }, parts);
}

interface Said {
  readonly lane: 'urgent' | 'bulk';
  readonly length: number;
  /** Of 256 byte values so many are used: 1 is a run, 256 is noise. */
  readonly variety: number;
  readonly frames: number;
}

const said = fc.record({
  lane: fc.constantFrom('urgent' as const, 'bulk' as const),
  length: fc.oneof(fc.integer({ min: 6, max: 300 }), fc.integer({ min: 6, max: 25_000 })),
  variety: fc.constantFrom(1, 4, 40, 256),
  frames: fc.nat(6),
});

function messageOf({ length, variety }: Said, number: number): Uint8Array {
  const random = new SeededRandom(number);
  const message = Uint8Array.from({ length }, () => Math.floor(random.fraction() * variety));
  // An item of no other meaning here, then its number.
  message.set([3, 0, 0, 0, number >>> 8, number & 0xff]);
  return message;
}

const numberOf = (message: Uint8Array) => (message[4]! << 8) | message[5]!;

/** What the far end hears of what the near one says, and all frames between them. */
function carry([near, far]: readonly [Framing, Framing], list: readonly Said[], permitAt: number) {
  const messages = list.map(messageOf);
  const heard: Uint8Array[] = [];
  const frames: Uint8Array[] = [];
  const scratch = new Uint8Array(near.frameBytes);
  const flush = (count: number) => {
    for (let left = count; left > 0; left--) {
      const used = near.outgoing.fill(scratch);
      if (used === 0) return;
      frames.push(scratch.slice(0, used));
      const read = far.incoming.read(scratch.slice(0, used));
      if (!read.ok) throw new Error(read.reason);
      heard.push(...read.value.map((each) => each.slice()));
    }
  };
  list.forEach((each, number) => {
    if (number === permitAt) near.compression?.permit(DEFLATE);
    near.outgoing.push(each.lane, messages[number]!);
    flush(each.frames);
  });
  flush(Number.POSITIVE_INFINITY);
  return { messages, heard, frames };
}

describe('messages in compressed frames', () => {
  it('come whole, once, and in the order of their lane, whatever the frames hold', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...RATES),
        fc.array(said, { maxLength: 12 }),
        fc.nat(3),
        (rate, list, permitAt) => {
          const near = endOf(rate);
          const { messages, heard, frames } = carry([near, endOf(rate)], list, permitAt);
          const numbers = heard.map(numberOf);
          for (const lane of ['urgent', 'bulk'] as const) {
            const sent = list.flatMap((each, number) => (each.lane === lane ? [number] : []));
            expect(numbers.filter((each) => list[each]!.lane === lane)).toEqual(sent);
          }
          for (const message of heard) {
            expect(Buffer.compare(message, messages[numberOf(message)]!)).toBe(0);
          }
          for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(near.frameBytes);
        },
      ),
      { numRuns: 30 },
    );
  }, 120_000);

  it('are refused where a compressed frame was cut anywhere', () => {
    const text = Buffer.from('reading 17 of the door, reading 18 of the door, '.repeat(3));
    const frame = Uint8Array.of(4, ...deflateRawSync(text));
    for (let length = 1; length < frame.length; length++) {
      const read = endOf(960).incoming.read(frame.slice(0, length));
      expect(read).toMatchObject({ ok: false, reason: 'compressed-malformed' });
    }
  });

  it('end in a verdict and never in an error or in more than a frame holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const { incoming, compression } = endOf(960);
        expect(typeof incoming.read(Uint8Array.of(4, ...bytes)).ok).toBe('boolean');
        const { receivedPlainBytes } = compression!.measured;
        expect(receivedPlainBytes).toBeLessThanOrEqual(EXPANDED_BYTES_MAX);
      }),
      { numRuns: 500 },
    );
  });

  it('end in a verdict wherever one bit of a compressed frame was wrong', () => {
    const text = Buffer.from('reading 17 of the door, reading 18 of the door, '.repeat(3));
    const frame = Uint8Array.of(4, ...deflateRawSync(text));
    for (let bit = 8; bit < frame.length * 8; bit++) {
      const broken = Uint8Array.from(frame);
      broken[bit >> 3]! ^= 1 << (bit & 7);
      expect(typeof endOf(960).incoming.read(broken).ok).toBe('boolean');
    }
  });
});
