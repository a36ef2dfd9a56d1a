import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryBuffer, type EntryBufferLimits } from '../../src/dataflow/entry-buffer.ts';

const LIMITS: EntryBufferLimits = {
  bytesMax: 100,
  entriesMax: 10,
  drainRatio: 0.9,
  blockBytesMax: 60,
  blockEntriesMax: 8,
};

const entry = (length: number, fill = 1) => new Uint8Array(length).fill(fill);

describe('Entry Buffer', () => {
  it('takes Entries up to its bytes, and refuses one byte more without taking it', () => {
    const buffer = new EntryBuffer(LIMITS);
    expect(buffer.offer(entry(99), 0)).toBe(true);
    expect(buffer.offer(entry(2), 0)).toBe(false);
    expect(buffer.entryCount).toBe(1);
    expect(buffer.offer(entry(1), 0)).toBe(true);
    expect(buffer.usedBytes).toBe(100);
  });

  it('takes Entries up to its count, and refuses one more', () => {
    const buffer = new EntryBuffer(LIMITS);
    for (let index = 0; index < 10; index++) expect(buffer.offer(entry(1), 0)).toBe(true);
    expect(buffer.offer(entry(1), 0)).toBe(false);
  });

  it('is due at the Block size, the Block count, and the fill ratio, not before', () => {
    const bySize = new EntryBuffer(LIMITS);
    bySize.offer(entry(59), 0);
    expect(bySize.isDrainDue).toBe(false);
    bySize.offer(entry(1), 0);
    expect(bySize.isDrainDue).toBe(true);
    const byCount = new EntryBuffer(LIMITS);
    for (let index = 0; index < 7; index++) byCount.offer(entry(1), 0);
    expect(byCount.isDrainDue).toBe(false);
    byCount.offer(entry(1), 0);
    expect(byCount.isDrainDue).toBe(true);
    const byRatio = new EntryBuffer({ ...LIMITS, blockBytesMax: 1000 });
    byRatio.offer(entry(89), 0);
    expect(byRatio.isDrainDue).toBe(false);
    byRatio.offer(entry(1), 0);
    expect(byRatio.isDrainDue).toBe(true);
  });

  it('a drain that is not taken gives nothing up', () => {
    const buffer = new EntryBuffer(LIMITS);
    buffer.offer(entry(5, 7), 3);
    expect(buffer.peek()?.bytes).toEqual(entry(5, 7));
    expect(buffer.peek()?.oldestAtMs).toBe(3);
    expect(buffer.entryCount).toBe(1);
  });

  it('an Entry longer than a Block still gets a Block of its own', () => {
    const buffer = new EntryBuffer(LIMITS);
    buffer.offer(entry(80), 0);
    buffer.offer(entry(1), 0);
    expect(buffer.peek()?.lengths).toEqual(Uint32Array.of(80));
  });

  it('whatever the order of offers and drains, Entries come out once each, in order', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ offer: fc.integer({ min: 0, max: 40 }) }),
        fc.constant('drain' as const),
      ),
      { maxLength: 400 },
    );
    fc.assert(
      fc.property(steps, (plan) => {
        const buffer = new EntryBuffer({ ...LIMITS, bytesMax: 4000, entriesMax: 3000 });
        const put: number[] = [];
        const got: number[] = [];
        let fill = 0;
        const drain = () => {
          const next = buffer.peek();
          if (next === null) return false;
          let at = 0;
          for (const length of next.lengths) {
            const one = next.bytes.subarray(at, at + length);
            expect(new Set(one).size).toBeLessThanOrEqual(1);
            got.push(length * 256 + (one[0] ?? 0));
            at += length;
          }
          buffer.take(next);
          return true;
        };
        for (const step of plan) {
          if (step === 'drain') drain();
          else {
            fill = (fill + 1) % 256;
            if (buffer.offer(entry(step.offer, fill), 0)) {
              put.push(step.offer * 256 + (step.offer > 0 ? fill : 0));
            }
          }
        }
        while (drain());
        expect(got).toEqual(put);
        expect(buffer.usedBytes).toBe(0);
      }),
    );
  });
});
