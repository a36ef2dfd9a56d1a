import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { accept, refuse, type Verdict } from '../model/verdict.ts';

/** DEFLATE looks back so far: what was said before is of no use to it. */
const HISTORY_BYTES = 32_768;

/** What a compressed frame holds at most: part of the wire format. */
export const EXPANDED_BYTES_MAX = 32_768;

/** Shorter frames are sent as they are: a ping becomes no shorter. */
const WORTHWHILE_BYTES = 24;

/** Why no honest end sends these bytes. */
export type CompressionRefusal =
  /** They would become more than a frame may hold. */
  | 'compressed-bomb'
  /** No DEFLATE stream, or none that ends. */
  | 'compressed-malformed';

/** The last bytes that one direction of a link carried, in the form they had before and after. */
class History {
  private bytes = new Uint8Array(0);
  private used = 0;

  add(plain: Uint8Array): void {
    if (this.bytes.length === 0) this.bytes = new Uint8Array(2 * HISTORY_BYTES);
    const kept = plain.subarray(Math.max(0, plain.length - HISTORY_BYTES));
    if (this.used + kept.length > this.bytes.length) {
      this.bytes.copyWithin(0, this.used - HISTORY_BYTES, this.used);
      this.used = HISTORY_BYTES;
    }
    this.bytes.set(kept, this.used);
    this.used += kept.length;
  }

  get recent(): Uint8Array {
    return this.bytes.subarray(Math.max(0, this.used - HISTORY_BYTES), this.used);
  }
}

/**
 * Makes frames shorter by what was said before them: each is a raw DEFLATE stream of its own (RFC
 * 1951), with the last 32 KiB of this direction for a dictionary. Nothing is kept between frames
 * but those bytes, so that a frame may as well be sent as it is.
 */
export class Compressor {
  private readonly history = new History();

  /** @returns what is shorter than `plain`, or null where nothing is. */
  compress(plain: Uint8Array): Uint8Array | null {
    if (plain.length < WORTHWHILE_BYTES || plain.length > EXPANDED_BYTES_MAX) return null;
    const compressed = deflateRawSync(plain, { dictionary: this.history.recent, level: 9 });
    return compressed.length < plain.length ? compressed : null;
  }

  /** This was sent, in whatever form. */
  sent(plain: Uint8Array): void {
    this.history.add(plain);
  }
}

/** The other end of a `Compressor`. Makes at most `EXPANDED_BYTES_MAX` of whatever comes. */
export class Expander {
  private readonly history = new History();

  expand(compressed: Uint8Array): Verdict<Uint8Array, CompressionRefusal> {
    try {
      const options = { dictionary: this.history.recent, maxOutputLength: EXPANDED_BYTES_MAX };
      // A copy: the buffer of zlib is a part of one many times as long.
      return accept(new Uint8Array(inflateRawSync(compressed, options)));
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : null;
      if (code === 'ERR_BUFFER_TOO_LARGE') return refuse('compressed-bomb');
      if (code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR') return refuse('compressed-malformed');
      throw cause;
    }
  }

  /** This was received, in whatever form. */
  received(plain: Uint8Array): void {
    this.history.add(plain);
  }
}
