import { expect, test } from 'vitest';
import { loadKernel } from '../../src/kernel/kernel.ts';
import { RoutedHasher } from '../../src/kernel/routed-hasher.ts';
import { crossing, measureRouting } from '../../src/kernel/routing.ts';
import type { Hasher } from '../../src/ports/hasher.ts';

/** Time that passes only when a hasher works. */
class WorkClock {
  milliseconds = 0;
  readonly now = (): number => this.milliseconds;
}

interface Cost {
  readonly perMessage: number;
  readonly perByte: number;
  readonly calls?: string[];
}

/** Computes nothing, and takes its time. */
function hasherOf(clock: WorkClock, { perMessage, perByte, calls = [] }: Cost): Hasher {
  const work = (messageCount: number, byteCount: number) => {
    clock.milliseconds += perMessage * messageCount + perByte * byteCount;
  };
  return {
    hash(message) {
      calls.push('hash');
      work(1, message.length);
      return new Uint8Array(32);
    },
    hashBatch(bytes, lengths) {
      calls.push('hashBatch');
      work(lengths.length, bytes.length);
      return new Uint8Array(32 * lengths.length);
    },
    stream() {
      calls.push('stream');
      work(1, 0);
      return {
        update(chunk) {
          work(0, chunk.length);
          return this;
        },
        digest: () => new Uint8Array(32),
      };
    },
  };
}

function measured(wasm: Cost, native: Cost) {
  const clock = new WorkClock();
  return measureRouting({
    wasm: hasherOf(clock, wasm),
    native: hasherOf(clock, native),
    now: clock.now,
  });
}

test('the WASM gets the messages up to the size where both take equally long', () => {
  const routing = measured(
    { perMessage: 0.01, perByte: 0.0004 },
    { perMessage: 0.11, perByte: 0.0002 },
  );
  expect(routing.batchBytesMax).toBeGreaterThanOrEqual(499);
  expect(routing.batchBytesMax).toBeLessThanOrEqual(501);
  expect(routing.hashBytesMax).toBe(routing.batchBytesMax);
  expect(routing.isStreamInWasm).toBe(false);
});

test('a WASM that is always faster gets everything', () => {
  const routing = measured(
    { perMessage: 0.01, perByte: 0.0001 },
    { perMessage: 0.11, perByte: 0.0002 },
  );
  expect(routing).toEqual({
    batchBytesMax: Number.POSITIVE_INFINITY,
    hashBytesMax: Number.POSITIVE_INFINITY,
    isStreamInWasm: true,
  });
});

test('a WASM that is never faster gets nothing', () => {
  const routing = measured(
    { perMessage: 0.2, perByte: 0.0003 },
    { perMessage: 0.1, perByte: 0.0002 },
  );
  expect(routing).toEqual({ batchBytesMax: 0, hashBytesMax: 0, isStreamInWasm: false });
});

test('a WASM that is faster for long messages alone gets everything', () => {
  expect(crossing(1, -1)).toBe(Number.POSITIVE_INFINITY);
  expect(crossing(1, 0.5)).toBe(0);
  expect(crossing(0, 0)).toBe(Number.POSITIVE_INFINITY);
});

test('each size goes where the routing says, few messages as single ones', () => {
  const clock = new WorkClock();
  const [inWasm, inNative]: [string[], string[]] = [[], []];
  const free = { perMessage: 0, perByte: 0 };
  const hasher = new RoutedHasher(
    {
      wasm: hasherOf(clock, { ...free, calls: inWasm }),
      native: hasherOf(clock, { ...free, calls: inNative }),
      now: clock.now,
    },
    { batchBytesMax: 100, hashBytesMax: 10, isStreamInWasm: true },
  );
  const callsOf = (use: () => unknown) => {
    inWasm.length = 0;
    inNative.length = 0;
    use();
    return { wasm: [...inWasm], native: [...inNative] };
  };
  const batch = (count: number, size: number) => () =>
    hasher.hashBatch(new Uint8Array(count * size), new Uint32Array(count).fill(size));

  expect(callsOf(() => hasher.hash(new Uint8Array(10)))).toEqual({ wasm: ['hash'], native: [] });
  expect(callsOf(() => hasher.hash(new Uint8Array(11)))).toEqual({ wasm: [], native: ['hash'] });
  expect(callsOf(batch(4, 100))).toEqual({ wasm: ['hashBatch'], native: [] });
  expect(callsOf(batch(4, 101))).toEqual({ wasm: [], native: ['hashBatch'] });
  expect(callsOf(batch(3, 10))).toEqual({ wasm: ['hashBatch'], native: [] });
  expect(callsOf(batch(3, 11))).toEqual({ wasm: [], native: ['hashBatch'] });
  expect(callsOf(() => hasher.stream())).toEqual({ wasm: ['stream'], native: [] });
});

test('the routing is measured at the first use, and once', () => {
  let asked = 0;
  const now = () => asked++;
  const kernel = loadKernel({ now });
  expect(asked).toBe(0);
  kernel.hasher.hash(new Uint8Array(10));
  const first = asked;
  expect(first).toBeGreaterThan(0);
  const { routing } = kernel;
  kernel.hasher.hashBatch(new Uint8Array(10), Uint32Array.of(10));
  kernel.packer.pack(new Uint8Array(10), Uint32Array.of(10));
  expect(asked).toBe(first);
  expect(kernel.routing).toBe(routing);
});
