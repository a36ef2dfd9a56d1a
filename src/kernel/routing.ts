import type { Hasher } from '../ports/hasher.ts';

/** Which hash goes to the WASM; the others go to node:crypto. */
export interface Routing {
  /** Bytes of a message up to which a batch of such messages goes to the WASM. */
  readonly batchBytesMax: number;
  /** Bytes of a single message up to which it goes to the WASM. */
  readonly hashBytesMax: number;
  /** Do messages in pieces go to the WASM? */
  readonly isStreamInWasm: boolean;
}

/** What is compared. */
export interface RoutingCandidates {
  readonly wasm: Hasher;
  readonly native: Hasher;
  /** Milliseconds with a fraction. */
  readonly now: () => number;
}

/** The two sizes that are measured; between and beyond them time is taken as linear. */
const SHORT_BYTES = 64;
const LONG_BYTES = 1024;
const MESSAGE_COUNT = 16;
const SAMPLE_COUNT = 5;
/**
 * V8 runs a new module slowly until its compiler, in another thread, is through: 4 ms on a desktop
 * processor. Counted in work, not in time, so that a slow or busy machine warms up as well.
 */
const WARM_UP_COUNT = 50;

/** Measures both hashers: about 10 ms on a desktop processor. */
export function measureRouting({ wasm, native, now }: RoutingCandidates): Routing {
  const long = messages(LONG_BYTES);
  const piece = new Uint8Array(LONG_BYTES / 2);
  for (let count = 0; count < WARM_UP_COUNT; count++) {
    for (const hasher of [wasm, native]) {
      hasher.hashBatch(long.bytes, long.lengths);
      hasher.hash(piece);
      hasher.stream().update(piece).digest();
    }
  }

  const leastTime = (run: (hasher: Hasher) => void, hasher: Hasher) => {
    let least = Number.POSITIVE_INFINITY;
    for (let sample = 0; sample < SAMPLE_COUNT; sample++) {
      const start = now();
      run(hasher);
      least = Math.min(least, now() - start);
    }
    return least;
  };
  const lag = (run: (hasher: Hasher) => void) => leastTime(run, wasm) - leastTime(run, native);
  const batchLag = (size: number) => {
    const { bytes, lengths } = messages(size);
    return lag((hasher) => hasher.hashBatch(bytes, lengths));
  };
  const hashLag = (size: number) => {
    const message = new Uint8Array(size);
    return lag((hasher) => {
      for (let count = 0; count < MESSAGE_COUNT; count++) hasher.hash(message);
    });
  };
  return {
    batchBytesMax: crossing(batchLag(SHORT_BYTES), batchLag(LONG_BYTES)),
    hashBytesMax: crossing(hashLag(SHORT_BYTES), hashLag(LONG_BYTES)),
    isStreamInWasm: lag((hasher) => hasher.stream().update(piece).update(piece).digest()) <= 0,
  };
}

/**
 * The size up to which the WASM is the faster one.
 *
 * @param short How much longer the WASM takes for short messages; below 0 where it is faster.
 * @param long The same for long messages.
 * @returns bytes; 0 for never, Infinity for always.
 */
export function crossing(short: number, long: number): number {
  if (long > short) {
    const slope = (long - short) / (LONG_BYTES - SHORT_BYTES);
    return Math.max(0, Math.floor(SHORT_BYTES - short / slope));
  }
  return long <= 0 ? Number.POSITIVE_INFINITY : 0;
}

function messages(size: number): { bytes: Uint8Array; lengths: Uint32Array } {
  const lengths = new Uint32Array(MESSAGE_COUNT).fill(size);
  return { bytes: new Uint8Array(MESSAGE_COUNT * size), lengths };
}
