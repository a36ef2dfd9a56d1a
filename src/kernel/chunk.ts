/** What one chunk may hold. */
export interface ChunkLimits {
  readonly itemCountMax: number;
  readonly byteCountMax: number;
  /** A longer message is in no chunk. */
  readonly itemBytesMax: number;
}

/** Messages up to before `end`, which take `byteCount` bytes. */
export interface Chunk {
  readonly end: number;
  readonly byteCount: number;
}

/**
 * The longest run of messages from `from` on that fits into one chunk.
 * Empty (`end === from`) where the message at `from` is too long by itself.
 */
export function nextChunk(lengths: Uint32Array, from: number, limits: ChunkLimits): Chunk {
  const { byteCountMax, itemBytesMax } = limits;
  const last = Math.min(lengths.length, from + limits.itemCountMax);
  let end = from;
  let byteCount = 0;
  for (; end < last; end++) {
    const length = lengths[end]!;
    if (length > itemBytesMax || byteCount + length > byteCountMax) break;
    byteCount += length;
  }
  return { end, byteCount };
}
