import { describe, expect, it } from 'vitest';
import { frameBytesFor } from '../../src/gossip/frame-size.ts';
import { SERIAL_KEEP_ALIVE_MS } from '../../src/gossip/links/serial-line.ts';
import { SERIAL_WINDOW } from '../../src/gossip/links/serial-sender.ts';
import { type Damage, SerialWire, type WireEnd, type WireOptions } from './serial-wire.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

function frameOf(length: number, seed: number): Uint8Array {
  const frame = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    frame[index] = index * 31 + seed * 7 + (seed >> 8);
  }
  return frame;
}

/** Compares long lists of frames without looking at every byte one by one. */
function expectFrames(frames: readonly Uint8Array[], sent: readonly Uint8Array[]): void {
  expect(frames.length).toBe(sent.length);
  expect(frames.findIndex((frame, index) => !Buffer.from(frame).equals(sent[index]!))).toBe(-1);
}

/** A wire whose two ends have met. */
function met(options: WireOptions): SerialWire {
  const wire = new SerialWire(options);
  expect(wire.run(MINUTE, () => wire.near.ups === 1 && wire.far.ups === 1)).toBe(true);
  return wire;
}

/** Sends as much as the line takes until it is called off. @returns what was sent. */
function pour(wire: SerialWire, end: WireEnd, bytes: number): { sent: Uint8Array[]; stop(): void } {
  const sent: Uint8Array[] = [];
  let isStopped = false;
  const more = () => {
    for (let wants = true; wants && !isStopped; ) {
      const frame = frameOf(bytes, sent.length);
      sent.push(frame);
      wants = wire.send(end, frame);
    }
  };
  end.onDrain = more;
  more();
  return {
    sent,
    stop: () => {
      isStopped = true;
    },
  };
}

const chance = (wire: SerialWire, share: number) => wire.random.fraction() < share;

/** Spoils one write in so many: flips, drops or doubles a byte, cuts it short, loses it. */
function spoil(wire: SerialWire, share: number): Damage {
  return (bytes) => {
    if (!chance(wire, share)) return bytes;
    const at = Math.floor(wire.random.fraction() * bytes.length);
    const list = [...bytes];
    const kind = Math.floor(wire.random.fraction() * 5);
    if (kind === 0) list[at]! ^= 1 << Math.floor(wire.random.fraction() * 8);
    else if (kind === 1) list.splice(at, 1);
    else if (kind === 2) list.splice(at, 0, list[at]!);
    else if (kind === 3) list.length = at;
    else list.length = 0;
    return Uint8Array.from(list);
  };
}

/** Ends the pouring and lets everything arrive. */
function drained(wire: SerialWire, pouring: { sent: Uint8Array[]; stop(): void }, to: WireEnd) {
  pouring.stop();
  expect(wire.run(10 * MINUTE, () => to.frames.length === pouring.sent.length)).toBe(true);
  expectFrames(to.frames, pouring.sent);
}

describe('two ends of a serial line', () => {
  it('meet, and agree which of them begins', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const wire = met({ baud: 9_600, seed });
      expect(wire.near.begins).toBe(!wire.far.begins);
    }
  });

  it('meet however much of what they call is lost', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const wire = new SerialWire({ baud: 115_200, seed });
      wire.near.damage = wire.far.damage = (bytes) =>
        chance(wire, 0.6) ? new Uint8Array(0) : bytes;
      expect(wire.run(MINUTE, () => wire.near.ups === 1 && wire.far.ups === 1)).toBe(true);
    }
  });

  it.each([300, 1_200, 9_600, 115_200, 921_600, 4_000_000])(
    'bring frames of every length at %i baud, in both directions',
    (baud) => {
      const wire = met({ baud });
      const sent = [0, 1, 2, 3, 100, 1_184, 4_096, 65_535, 7].map((length, seed) =>
        frameOf(baud < 9_600 ? length % 2_000 : length, seed),
      );
      for (const frame of sent) {
        wire.send(wire.near, frame);
        wire.send(wire.far, frame);
      }
      const isDone = () => [wire.near, wire.far].every((end) => end.frames.length === sent.length);
      expect(wire.run(20 * MINUTE, isDone)).toBe(true);
      expectFrames(wire.near.frames, sent);
      expectFrames(wire.far.frames, sent);
      expect(wire.near.line.repairs).toEqual({ broken: 0, repeated: 0 });
    },
  );

  it.each([
    [9_600, 0, 60],
    [9_600, 2_000, 60],
    [115_200, 0, 30],
    [115_200, 300, 30],
    [921_600, 20, 5],
    [4_000_000, 5, 2],
  ])('use nine tenths of a wire of %i baud that takes %i ms', (baud, latencyMs, seconds) => {
    const wire = met({ baud, latencyMs });
    const bytes = frameBytesFor(baud / 10);
    const pouring = pour(wire, wire.near, bytes);
    wire.run(8 * SECOND);
    const before = wire.far.frames.length;
    wire.run(seconds * SECOND);
    const perSecond = ((wire.far.frames.length - before) * bytes) / seconds;
    expect(perSecond).toBeGreaterThan(0.93 * (baud / 10));
    expect(wire.near.line.repairs.repeated).toBe(0);
    drained(wire, pouring, wire.far);
  });

  it('use most of it both ways at once', () => {
    const wire = met({ baud: 115_200, latencyMs: 10 });
    const bytes = frameBytesFor(11_520);
    const there = pour(wire, wire.near, bytes);
    const back = pour(wire, wire.far, bytes);
    wire.run(20 * SECOND);
    for (const end of [wire.near, wire.far]) {
      expect((end.frames.length * bytes) / 20).toBeGreaterThan(0.9 * 11_520);
    }
    there.stop();
    drained(wire, back, wire.near);
    drained(wire, there, wire.far);
  });

  it.each([115_200, 921_600])('keep little ahead of the wire at %i baud', (baud) => {
    const wire = met({ baud });
    const bytes = frameBytesFor(baud / 10);
    let aheadMs = 0;
    wire.near.onDrain = () => undefined;
    const pouring = pour(wire, wire.near, bytes);
    const { damage } = wire.near;
    wire.near.damage = (each) => {
      aheadMs = Math.max(aheadMs, wire.near.freeMs - wire.nowMs);
      return damage(each);
    };
    wire.run(10 * SECOND);
    expect(aheadMs).toBeGreaterThan(20);
    expect(aheadMs).toBeLessThanOrEqual(25 + (bytes + 24) * (10_000 / baud));
    drained(wire, pouring, wire.far);
  });

  it('keep little on the way even where the wire is slower than it is said to be', () => {
    const wire = met({ baud: 115_200, realBaud: 105_000 });
    const pouring = pour(wire, wire.near, frameBytesFor(11_520));
    wire.run(MINUTE);
    expect(wire.near.freeMs - wire.nowMs).toBeLessThan(250);
    expect(wire.near.line.repairs.repeated).toBe(0);
    drained(wire, pouring, wire.far);
  });

  it.each([
    [115_200, 0.01, 10, 0.75],
    [9_600, 0.01, 10, 0.75],
    [300, 0.01, 60, 0.5],
    [4_000_000, 0.01, 0.1, 0.75],
    [115_200, 0.2, 1, 0.4],
  ])(
    'at %i baud with %f of the frames spoilt lose nothing in %f minutes',
    (baud, share, minutes, least) => {
      const wire = met({ baud, seed: 7 });
      wire.near.damage = wire.far.damage = spoil(wire, share);
      const bytes = frameBytesFor(baud / 10);
      const pouring = pour(wire, wire.near, bytes);
      const back: Uint8Array[] = [];
      let longestMs = 0;
      const turns = Math.max(1, minutes * 6);
      const turnMs = (minutes * MINUTE) / turns;
      for (let turn = 0; turn < turns; turn++) {
        const word = frameOf(20, turn);
        back.push(word);
        wire.send(wire.far, word);
        const had = wire.far.frames.length;
        const sinceMs = wire.nowMs;
        wire.run(turnMs);
        if (wire.far.frames.length > had) continue;
        longestMs = Math.max(longestMs, wire.nowMs - sinceMs);
      }
      expect(wire.near.downs).toEqual([]);
      const perSecond = (wire.far.frames.length * bytes) / (minutes * 60);
      expect(perSecond).toBeGreaterThan((least * baud) / 10);
      expect(longestMs).toBeLessThanOrEqual(baud < 9_600 ? 40 * SECOND : 0);
      drained(wire, pouring, wire.far);
      expect(wire.run(MINUTE, () => wire.near.frames.length === back.length)).toBe(true);
      expectFrames(wire.near.frames, back);
      expect(wire.near.line.repairs.repeated).toBeGreaterThan(0);
    },
  );

  it('carry on after a wire that was cut for a while', () => {
    const wire = met({ baud: 115_200 });
    const pouring = pour(wire, wire.near, 400);
    wire.run(5 * SECOND);
    wire.near.damage = wire.far.damage = () => new Uint8Array(0);
    wire.run(8 * SECOND);
    wire.near.damage = wire.far.damage = (bytes) => bytes;
    const before = wire.far.frames.length;
    expect(wire.run(10 * SECOND, () => wire.far.frames.length > before + 100)).toBe(true);
    drained(wire, pouring, wire.far);
  });

  it('notice an end that is gone while it owes an answer, and one gone from an idle line', () => {
    const owing = met({ baud: 115_200 });
    owing.near.damage = owing.far.damage = () => new Uint8Array(0);
    owing.send(owing.near, frameOf(10, 1));
    expect(owing.run(MINUTE, () => owing.near.downs.length > 0)).toBe(true);
    expect(owing.near.downs[0]?.code).toBe('LINK_TIMEOUT');
    const idle = met({ baud: 115_200 });
    idle.run(SECOND);
    idle.near.damage = idle.far.damage = () => new Uint8Array(0);
    expect(idle.run(30 * MINUTE, () => idle.near.downs.length > 0)).toBe(true);
    expect(idle.near.downs[0]?.code).toBe('LINK_TIMEOUT');
  });

  it('stay linked while nothing is said, for less than a bit a second', () => {
    const wire = met({ baud: 9_600 });
    wire.run(10 * SECOND);
    const before = wire.near.writtenBytes + wire.far.writtenBytes;
    const hours = 24;
    wire.run(hours * 60 * MINUTE);
    const bits = (wire.near.writtenBytes + wire.far.writtenBytes - before) * 10;
    expect(bits).toBeGreaterThan(hours * 10);
    expect(bits / (hours * 3_600)).toBeLessThan(1.05);
    expect(SERIAL_KEEP_ALIVE_MS).toBeGreaterThan(MINUTE);
    expect([...wire.near.downs, ...wire.far.downs]).toEqual([]);
  });

  it('hold the other end back while nobody fetches, and lose nothing', () => {
    const wire = met({ baud: 921_600 });
    wire.far.isPaused = true;
    const pouring = pour(wire, wire.near, 1_000);
    wire.run(10 * MINUTE);
    const held = pouring.sent.length;
    expect(held).toBeLessThan(2 * SERIAL_WINDOW);
    wire.run(MINUTE);
    expect(pouring.sent.length).toBe(held);
    expect(wire.near.downs).toEqual([]);
    wire.resume(wire.far);
    wire.run(SECOND);
    expect(pouring.sent.length).toBeGreaterThan(held + 40);
    drained(wire, pouring, wire.far);
  });

  it('go on when the word that there is room again was lost', () => {
    const wire = met({ baud: 921_600 });
    wire.far.isPaused = true;
    const pouring = pour(wire, wire.near, 1_000);
    wire.run(10 * SECOND);
    wire.far.damage = () => new Uint8Array(0);
    wire.resume(wire.far);
    wire.run(2 * SECOND);
    wire.far.damage = (bytes) => bytes;
    const held = pouring.sent.length;
    wire.run(10 * SECOND);
    expect(pouring.sent.length).toBeGreaterThan(held + 40);
    drained(wire, pouring, wire.far);
  });

  it('notice one that restarts in the middle of a frame, and meet again', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const wire = met({ baud: 115_200, seed });
      pour(wire, wire.near, 5_000);
      wire.run(SECOND + seed * 13);
      wire.near.onDrain = () => undefined;
      wire.restart(wire.far);
      const isReset = () => wire.near.downs.length > 0;
      expect(wire.run(10 * SECOND, isReset)).toBe(true);
      expect(wire.near.downs[0]?.code).toBe('LINK_RESET');
      wire.restart(wire.near);
      const had = wire.far.frames.length;
      expect(wire.run(10 * SECOND, () => wire.near.ups === 2 && wire.far.ups === 2)).toBe(true);
      wire.send(wire.near, frameOf(99, 3));
      expect(wire.run(10 * SECOND, () => wire.far.frames.length > had)).toBe(true);
      expect(wire.far.frames.slice(had)).toEqual([frameOf(99, 3)]);
    }
  });

  it('meet after any boot message, and do not mind noise between frames', () => {
    const wire = new SerialWire({ baud: 115_200, seed: 3 });
    const boot = new TextEncoder().encode('[    0.000000] Booting Linux on physical CPU 0x0\r\n');
    for (let line = 0; line < 200; line++) wire.step(wire.near, { kind: 'heard', bytes: boot });
    expect(wire.run(MINUTE, () => wire.near.ups === 1 && wire.far.ups === 1)).toBe(true);
    const pouring = pour(wire, wire.far, 300);
    for (let turn = 0; turn < 300; turn++) {
      wire.run(20);
      const noise = Uint8Array.from({ length: 30 }, () => wire.random.fraction() * 256);
      wire.step(wire.near, { kind: 'heard', bytes: noise });
    }
    drained(wire, pouring, wire.near);
    expect(wire.near.noises).toBe(0);
  });

  it('say so when bytes come and never a whole frame, once', () => {
    const wire = new SerialWire({ baud: 115_200 });
    wire.far.damage = (bytes) => bytes.map((byte) => byte ^ 0x81);
    wire.run(MINUTE);
    expect(wire.near.noises).toBe(1);
    expect(wire.near.ups).toBe(0);
  });

  it('do not say so of a line that hears nothing', () => {
    const wire = new SerialWire({ baud: 115_200 });
    wire.far.damage = () => new Uint8Array(0);
    wire.run(MINUTE);
    expect(wire.near.noises).toBe(0);
  });

  it('refuse a line that sends back what they send', () => {
    const wire = new SerialWire({ baud: 115_200 });
    const hello = wire.near.line.step({ kind: 'tick' }, 0).find((each) => each.kind === 'write');
    if (hello?.kind !== 'write') throw new Error('an end calls at once');
    wire.step(wire.near, { kind: 'heard', bytes: hello.bytes });
    expect(wire.near.downs.map((each) => each?.code)).toEqual(['LINK_REFUSED']);
  });

  it('close in peace after all that was sent has come, even over a bad wire', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const wire = met({ baud: 115_200, seed });
      wire.near.damage = wire.far.damage = spoil(wire, 0.1);
      for (let index = 0; index < 5; index++) wire.send(wire.near, frameOf(1_000, index));
      wire.step(wire.near, { kind: 'close' });
      wire.send(wire.near, frameOf(10, 9));
      expect(wire.run(MINUTE, () => wire.near.downs.length > 0)).toBe(true);
      expect(wire.near.downs).toEqual([null]);
      expect(wire.far.frames).toEqual([0, 1, 2, 3, 4].map((index) => frameOf(1_000, index)));
    }
  });

  it('keep what was not fetched when word of the end comes again, or a call after it', () => {
    const wire = met({ baud: 115_200 });
    wire.far.isPaused = true;
    for (let index = 0; index < 3; index++) wire.send(wire.near, frameOf(100, index));
    wire.run(SECOND);
    wire.step(wire.near, { kind: 'close' });
    // The other end's word gets lost, so that the end is told again.
    wire.far.damage = () => new Uint8Array(0);
    const { broken } = wire.far.line.repairs;
    expect(wire.run(MINUTE, () => wire.near.downs.length > 0)).toBe(true);
    wire.restart(wire.near);
    wire.run(MINUTE);
    expect(wire.far.line.repairs.broken).toBe(broken);
    expect(wire.far.downs).toEqual([]);
    wire.resume(wire.far);
    wire.run(SECOND);
    expectFrames(
      wire.far.frames,
      [0, 1, 2].map((index) => frameOf(100, index)),
    );
    expect(wire.far.downs).toEqual([null]);
  });

  it('close both when both close, and hand over nothing after that', () => {
    const wire = met({ baud: 115_200 });
    wire.send(wire.near, frameOf(3_000, 1));
    wire.step(wire.far, { kind: 'close' });
    wire.step(wire.near, { kind: 'close' });
    wire.run(MINUTE);
    expect(wire.near.downs).toEqual([null]);
    expect(wire.far.downs).toEqual([null]);
    expect(wire.far.frames).toEqual([]);
  });

  it('tell the other end when they give up', () => {
    const wire = met({ baud: 115_200 });
    wire.step(wire.near, { kind: 'abort' });
    wire.run(SECOND);
    expect(wire.near.downs).toEqual([null]);
    expect(wire.far.downs.map((each) => each?.code)).toEqual(['LINK_RESET']);
  });

  it('write nothing more to a port that takes nothing, and go on when it does', () => {
    const wire = met({ baud: 115_200 });
    wire.run(SECOND);
    const { line } = wire.near;
    let given = 0;
    let at = wire.nowMs;
    for (let turn = 0; turn < 200; turn++, at += 20) {
      for (const action of line.step({ kind: 'send', frame: frameOf(400, turn) }, at)) {
        if (action.kind === 'write') given += action.bytes.length;
      }
    }
    expect(given).toBeLessThan(1_500);
    const more = line.step({ kind: 'written', count: given }, at);
    expect(more.some((each) => each.kind === 'write')).toBe(true);
  });
});
