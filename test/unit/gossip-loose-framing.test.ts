import { describe, expect, it } from 'vitest';
import { AssemblyRoom } from '../../src/gossip/fragment.ts';
import { HandshakeRepeats } from '../../src/gossip/handshake-repeats.ts';
import { LooseFraming } from '../../src/gossip/loose-framing.ts';
import {
  ACK_BITS_BYTES,
  PART_BYTES,
  type Part,
  partsMax,
  readPieces,
  writeAck,
  writePart,
} from '../../src/gossip/loose-part.ts';
import { MESSAGE_CODES } from '../../src/gossip/messages.ts';
import { Repeating, TRIES_MAX } from '../../src/gossip/repeating.ts';
import { toHex } from '../../src/model/bytes.ts';
import { Stage } from './gossip-stage.ts';

const PACE = {
  smallBytes: 0,
  smallWaitingBytes: 0,
  bulkQueueBytesMax: 1_000,
  urgentNewsBytesMax: 5_000,
};

function framed(roomBytes = 1_000_000) {
  const stage = new Stage();
  const room = new AssemblyRoom(roomBytes);
  const seen = { evictions: 0, losses: 0, wakes: 0 };
  const framing = new LooseFraming({
    timers: stage,
    room,
    pace: PACE,
    tenant: { owner: 'far', onEvicted: () => (seen.evictions += 1) },
    wake: () => {
      seen.wakes += 1;
    },
    onLoss: () => {
      seen.losses += 1;
    },
  });
  return { stage, room, framing, seen };
}

const partOf = (changes: Partial<Part>): Part => ({
  lane: 'urgent',
  number: 0,
  // As of a sender that still repeats its first part, which a stream has none of.
  behind: changes.lane === 'stream' ? 0 : (changes.number ?? 0),
  index: 0,
  count: 1,
  bytes: Uint8Array.of(200, 1),
  ...changes,
});

function frameOf(...parts: Part[]): Uint8Array {
  const frame = new Uint8Array(20_000);
  let offset = 0;
  for (const part of parts) offset = writePart(frame, offset, part);
  return frame.slice(0, offset);
}

const FULL = new Uint8Array(PART_BYTES);
const BEGIN = partOf({ bytes: Uint8Array.of(1) });

describe('a frame of a loose link', () => {
  it('holds parts and acknowledgements as it ever did', () => {
    const frame = new Uint8Array(60);
    const part = partOf({ lane: 'bulk', number: 0x01020304, behind: 5, index: 6, count: 7 });
    let used = writePart(frame, 0, part);
    used = writeAck(frame, used, { lane: 'urgent', next: 0x0a0b0c0d, bits: Uint8Array.of(5, 128) });
    expect(toHex(frame.subarray(0, used))).toBe('010102030405000600070002c801800a0b0c0d020580');
    const read = readPieces(frame.subarray(0, used));
    expect(read).toEqual({
      ok: true,
      value: {
        parts: [part],
        acks: [{ lane: 'urgent', next: 0x0a0b0c0d, bits: Uint8Array.of(5, 128) }],
      },
    });
  });

  it.each([
    ['a part cut short', frameOf(BEGIN).slice(0, -1)],
    ['an empty part', frameOf(partOf({ bytes: new Uint8Array(0) }))],
    ['a lane that there is none of', Uint8Array.of(3, ...frameOf(BEGIN).slice(1))],
    ['an index beyond the count', frameOf(partOf({ number: 1, index: 1, count: 1 }))],
    ['a short part in the middle', frameOf(partOf({ count: 2 }))],
    ['a number below its index', frameOf(partOf({ index: 1, count: 2 }))],
    ['a number below what is repeated', frameOf(partOf({ number: 3, behind: 4 }))],
    ['an acknowledgement of the stream', Uint8Array.of(130, 0, 0, 0, 0, 0)],
    ['an acknowledgement cut short', Uint8Array.of(128, 0, 0, 0, 0, 2, 1)],
    ['too long an acknowledgement', Uint8Array.of(128, 0, 0, 0, 0, 33, ...new Uint8Array(33))],
  ])('is refused for %s', (_name, frame) => {
    expect(readPieces(frame)).toEqual({ ok: false, reason: 'fragment-malformed' });
  });

  it('is refused for more parts than the longest message has', () => {
    const count = partsMax('urgent') + 1;
    const frame = frameOf(partOf({ count, bytes: FULL }));
    expect(readPieces(frame)).toMatchObject({ ok: false, reason: 'message-too-long' });
    expect(partsMax('bulk')).toBeLessThan(65_536);
    const fits = frameOf(partOf({ count: partsMax('urgent'), bytes: FULL }));
    expect(readPieces(fits).ok).toBe(true);
  });
});

describe('what comes over a loose link', () => {
  it('is heard from the first message on', () => {
    const { framing } = framed();
    const early = frameOf(partOf({ number: 1 }));
    expect(framing.read(early)).toEqual({ ok: true, value: [] });
    const begin = framing.read(frameOf(BEGIN));
    expect(begin.ok && begin.value).toEqual([BEGIN.bytes]);
    const again = framing.read(early);
    expect(again.ok && again.value).toEqual([Uint8Array.of(200, 1)]);
  });

  it('does not go back to an older word on neighbours', () => {
    const { framing } = framed();
    framing.read(frameOf(BEGIN));
    const word = (number: number) =>
      frameOf(partOf({ number, bytes: Uint8Array.of(MESSAGE_CODES.neighbours, 0, 0) }));
    expect(framing.read(word(2))).toMatchObject({ value: [{ length: 3 }] });
    expect(framing.read(word(1))).toEqual({ ok: true, value: [] });
    expect(framing.read(word(3))).toMatchObject({ value: [{ length: 3 }] });
  });

  it('is acknowledged a moment later, alone or with what is sent anyway', async () => {
    const { framing, stage } = framed();
    const frame = new Uint8Array(1_160);
    framing.read(frameOf(BEGIN));
    expect(framing.fill(frame)).toBe(0);
    await stage.advance(10);
    const used = framing.fill(frame);
    expect(toHex(frame.subarray(0, used))).toBe('800000000100');
    framing.read(frameOf(partOf({ number: 2 })));
    framing.push('urgent', Uint8Array.of(9));
    const both = readPieces(frame.subarray(0, framing.fill(frame)));
    expect(both.ok && both.value.acks).toEqual([
      { lane: 'urgent', next: 1, bits: Uint8Array.of(2) },
    ]);
    expect(both.ok && both.value.parts.length).toBe(1);
  });

  it('makes its absence known where it is not sent again', () => {
    const { framing, seen } = framed();
    framing.read(frameOf(BEGIN, partOf({ lane: 'stream' })));
    expect(seen.losses).toBe(0);
    framing.read(frameOf(partOf({ lane: 'stream', number: 2 })));
    expect(seen.losses).toBe(1);
  });

  it('holds no more unfinished messages of a stream than a few', () => {
    const { framing, room } = framed();
    framing.read(frameOf(BEGIN));
    for (let number = 0; number < 100; number += 2) {
      framing.read(frameOf(partOf({ lane: 'stream', number, count: 2, bytes: FULL })));
    }
    expect(room.usedBytes).toBe(4 * PART_BYTES);
    framing.drop();
    expect(room.usedBytes).toBe(0);
  });

  it('gives up a message whose sender repeats it no more, and takes what follows', () => {
    const { framing, room } = framed();
    framing.read(frameOf(BEGIN));
    framing.read(frameOf(partOf({ lane: 'bulk', number: 0, count: 2, bytes: FULL })));
    const held = framing.read(frameOf(partOf({ lane: 'bulk', number: 2 })));
    expect(held).toEqual({ ok: true, value: [] });
    expect(room.usedBytes).toBe(2 * PART_BYTES);
    const next = framing.read(frameOf(partOf({ lane: 'bulk', number: 3, behind: 1 })));
    expect(next.ok && next.value.length).toBe(2);
    expect(room.usedBytes).toBe(0);
  });

  it('ends the link where there is no room, or others need it', () => {
    const { framing, room, seen } = framed(3 * PART_BYTES);
    framing.read(frameOf(BEGIN));
    const part = (number: number) =>
      partOf({ lane: 'bulk', number, index: number, count: 9, bytes: FULL });
    expect(framing.read(frameOf(part(0), part(1), part(2))).ok).toBe(true);
    expect(framing.read(frameOf(part(3)))).toMatchObject({ reason: 'assembly-full' });
    const other = { owner: 'other', heldBytes: 0, evict: () => undefined };
    expect(room.claim(other, PART_BYTES)).toBe(true);
    expect(seen.evictions).toBe(1);
    expect(framing.heldBytes).toBe(0);
  });
});

describe('what nobody asked for', () => {
  it('goes once if it is a Block, else until it is acknowledged, and not where much waits', () => {
    const { framing } = framed();
    const item = (name: keyof typeof MESSAGE_CODES, length: number) =>
      Uint8Array.from({ length }, (_, n) => (n === 0 ? MESSAGE_CODES[name] : 0));
    expect(framing.laneFor(item('item-block', 9_000))).toBe('offered');
    expect(framing.laneFor(item('item-certificate', 4_000))).toBe('urgent');
    expect(framing.laneFor(item('item-certificate', 6_000))).toBe(null);
    framing.push('offered', item('item-block', 600));
    expect(framing.laneFor(item('item-block', 400))).toBe('offered');
    expect(framing.laneFor(item('item-block', 401))).toBe(null);
  });
});

describe('what is repeated', () => {
  it('is given up after so many times, with the rest of its message', () => {
    const lane = new Repeating('bulk');
    lane.push(new Uint8Array(3 * PART_BYTES));
    lane.push(Uint8Array.of(1));
    let nowMs = 0;
    let sent = 0;
    for (; lane.abandoned === 0; nowMs += 5_000) {
      for (let part = lane.take(PART_BYTES, nowMs); part !== null; ) {
        sent += 1;
        part = lane.abandoned > 0 ? null : lane.take(PART_BYTES, nowMs);
      }
    }
    expect(sent).toBeGreaterThanOrEqual(4 * TRIES_MAX);
    expect(sent).toBeLessThanOrEqual(4 * TRIES_MAX + 1);
    expect(lane.repeated).toBeGreaterThan(0);
    expect(lane.waitingBytes).toBe(0);
  });

  it('is never more than a window at once', () => {
    const lane = new Repeating('bulk');
    lane.push(new Uint8Array(1_000 * PART_BYTES));
    let count = 0;
    while (lane.take(PART_BYTES, 0) !== null) count += 1;
    expect(count).toBe(8 * ACK_BITS_BYTES);
    lane.acknowledge({ lane: 'bulk', next: 10, bits: new Uint8Array(0) }, 5);
    while (lane.take(PART_BYTES, 5) !== null) count += 1;
    expect(count).toBe(8 * ACK_BITS_BYTES + 10);
  });

  it('goes again at once when three later parts were acknowledged', () => {
    const lane = new Repeating('urgent');
    for (let n = 0; n < 5; n++) lane.push(Uint8Array.of(n));
    while (lane.take(PART_BYTES, 0) !== null);
    lane.acknowledge({ lane: 'urgent', next: 0, bits: Uint8Array.of(0b110) }, 1);
    expect(lane.take(PART_BYTES, 1)).toBe(null);
    lane.acknowledge({ lane: 'urgent', next: 0, bits: Uint8Array.of(0b1110) }, 2);
    expect(lane.take(PART_BYTES, 2)?.bytes).toEqual(Uint8Array.of(0));
    expect(lane.take(PART_BYTES, 2)).toBe(null);
  });

  it('goes on over another link when this one ends: what is not acknowledged, whole', () => {
    const lane = new Repeating('urgent');
    const messages = [3_000, 10, 20].map((length, n) => new Uint8Array(length).fill(n));
    for (const message of messages) lane.push(message);
    for (let n = 0; n < 4; n++) lane.take(PART_BYTES, 0);
    lane.acknowledge({ lane: 'urgent', next: 1, bits: new Uint8Array(0) }, 5);
    expect(lane.giveUp(false)).toEqual([messages[2]]);
    expect(lane.giveUp(true)).toEqual([messages[0], messages[1]]);
    expect(lane.waitingBytes).toBe(0);
    expect(lane.flyingBytes).toBe(0);
  });
});

describe('a handshake over a loose link', () => {
  it('is repeated by who began it, ever more slowly, until something new comes', async () => {
    const stage = new Stage();
    const sent: number[] = [];
    const repeats = new HandshakeRepeats(stage, true, (frame) => sent.push(frame[0]!));
    repeats.moved(null, [Uint8Array.of(1)]);
    await stage.advance(10_000);
    expect(sent.length).toBe(7);
    repeats.moved(Uint8Array.of(9), []);
    await stage.advance(60_000);
    expect(sent.length).toBe(7);
  });

  it('is answered again one for one, a bounded number of times', () => {
    const stage = new Stage();
    const sent: number[] = [];
    const repeats = new HandshakeRepeats(stage, false, (frame) => sent.push(frame[0]!));
    repeats.moved(Uint8Array.of(1), [Uint8Array.of(2)]);
    expect(repeats.isRepeat(Uint8Array.of(7))).toBe(false);
    for (let n = 0; n < 100; n++) expect(repeats.isRepeat(Uint8Array.of(1))).toBe(true);
    expect(sent).toEqual(Array.from({ length: 32 }, () => 2));
    expect(stage.timersSet).toBe(0);
    repeats.stop();
    expect(repeats.isRepeat(Uint8Array.of(1))).toBe(false);
  });
});

describe('quiet hours of a loose link', () => {
  it('wake nobody for bulk that is overdue and may not be sent', async () => {
    const { stage, framing, seen } = framed();
    framing.push('bulk', new Uint8Array(10).fill(9));
    const frame = new Uint8Array(1_200);
    expect(framing.fill(frame)).toBeGreaterThan(0);
    await stage.advance(10_000);
    expect(framing.fill(frame, true)).toBe(0);
    const { wakes } = seen;
    await stage.advance(10_000);
    expect(seen.wakes).toBe(wakes);
    expect(framing.fill(frame)).toBeGreaterThan(0);
  });
});
