import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CipherState } from '../../src/identity/cipher-state.ts';
import {
  COUNTER_BYTES,
  LooseSession,
  REPLAY_WINDOW_FRAMES,
} from '../../src/identity/loose-session.ts';
import { OnceWindow } from '../../src/model/once-window.ts';
import type { SessionPeer } from '../../src/ports/session.ts';

const PEER: SessionPeer = {
  avatar: new Uint8Array(32),
  sessionStatic: new Uint8Array(32),
  hello: new Uint8Array(0),
};

/** The two ends after a handshake, at some counter, with a new key every `rekeyFrames`. */
function pairOf(nonce = 0, rekeyFrames = REPLAY_WINDOW_FRAMES) {
  const [there, back] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const end = (sending: Uint8Array, receiving: Uint8Array) =>
    new LooseSession({
      peer: PEER,
      handshakeHash: new Uint8Array(32),
      sending: new CipherState(sending, nonce),
      receiving: new CipherState(receiving, nonce),
      rekeyFrames,
    });
  return { near: end(there, back), far: end(back, there) };
}

const plainOf = (number: number) => Uint8Array.of(number >>> 16, number >>> 8, number);

/** What arrives: positions of sent frames, in any order, some never, some often. */
const arrivals = (count: number) =>
  fc.array(fc.nat(count - 1), { minLength: 1, maxLength: 4 * count });

describe('a session over a loose link', () => {
  it('accepts each frame once and unaltered, in whatever order, lost or repeated', () => {
    fc.assert(
      fc.property(arrivals(64), fc.boolean(), (order, isBack) => {
        const { near, far } = pairOf();
        const [from, to] = isBack ? [far, near] : [near, far];
        const frames = Array.from({ length: 64 }, (_, n) => from.seal(plainOf(n)));
        const seen = new Set<number>();
        for (const n of order) {
          const opened = to.open(frames[n]!);
          expect(opened).toEqual(
            seen.has(n) ? { ok: false, reason: 'frame-forged' } : { ok: true, plain: plainOf(n) },
          );
          seen.add(n);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('takes no forged frame for true, and true ones after it all the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(1_000), flip: fc.integer({ min: 1, max: 255 }) }), {
          minLength: 1,
          maxLength: 20,
        }),
        (forgeries) => {
          const { near, far } = pairOf();
          const frame = near.seal(new Uint8Array(100).fill(7));
          for (const { at, flip } of forgeries) {
            const forged = frame.slice();
            forged[at % forged.length]! ^= flip;
            expect(far.open(forged)).toEqual({ ok: false, reason: 'frame-forged' });
          }
          expect(far.open(frame)).toEqual({ ok: true, plain: new Uint8Array(100).fill(7) });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('changes keys on both ends alike, whichever frames around the change come first', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(Array.from({ length: 40 }, (_, n) => n)), (order) => {
        const { near, far } = pairOf(3 * REPLAY_WINDOW_FRAMES - 20);
        const frames = Array.from({ length: 40 }, (_, n) => near.seal(plainOf(n)));
        for (const n of order)
          expect(far.open(frames[n]!)).toEqual({ ok: true, plain: plainOf(n) });
        for (const n of order) expect(far.open(frames[n]!).ok).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('goes on over thousands of frames of which most are lost', () => {
    const { near, far } = pairOf();
    let heard = 0;
    for (let n = 0; n < 6_000; n++) {
      const frame = near.seal(plainOf(n));
      if (n % 7 !== 0) continue;
      expect(far.open(frame)).toEqual({ ok: true, plain: plainOf(n) });
      heard += 1;
    }
    expect(heard).toBe(858);
  });

  it('accepts a frame as far back as its window and none further', () => {
    const { near, far } = pairOf();
    const frames = Array.from({ length: REPLAY_WINDOW_FRAMES + 1 }, () => near.seal(plainOf(1)));
    expect(far.open(frames.at(-1)!).ok).toBe(true);
    expect(far.open(frames[0]!)).toEqual({ ok: false, reason: 'frame-forged' });
    expect(far.open(frames[1]!).ok).toBe(true);
  });

  it('does not take what it sent itself, nor what is cut short or too long', () => {
    const { near, far } = pairOf();
    const frame = near.seal(new Uint8Array(0));
    expect(near.open(frame)).toEqual({ ok: false, reason: 'frame-forged' });
    expect(far.open(frame.subarray(0, COUNTER_BYTES + 15))).toEqual({
      ok: false,
      reason: 'frame-truncated',
    });
    expect(far.open(new Uint8Array(65_536))).toEqual({ ok: false, reason: 'frame-too-long' });
    expect(far.open(frame).ok).toBe(true);
  });

  it('takes no counter above what it can count to', () => {
    const { near, far } = pairOf();
    const frame = near.seal(plainOf(1)).fill(0xff, 0, COUNTER_BYTES);
    expect(far.open(frame)).toEqual({ ok: false, reason: 'frame-forged' });
  });
});

describe('a window of numbers', () => {
  it('knows each number within its reach for what a set would', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 200 }), fc.nat(50), (numbers, first) => {
        const window = new OnceWindow(64, first);
        const seen = new Set<number>();
        let newest = first - 1;
        for (const number of numbers) {
          const isDue = number >= first && number > newest - 64 && !seen.has(number);
          expect(window.isFresh(number)).toBe(isDue);
          if (!isDue) continue;
          window.add(number);
          seen.add(number);
          newest = Math.max(newest, number);
          expect(window.next).toBe(newest + 1);
        }
      }),
    );
  });
});
