import { LinkError } from '../../ports/link.ts';

/**
 * How frames lie in a TCP stream, one after the other:
 *
 * ```
 * offset  bytes  field   meaning
 *      0      4  length  n, big-endian, at most `FRAME_BYTES_MAX`
 *      4      n  frame
 * ```
 * 4 + n in all.
 */
export const LENGTH_BYTES = 4;

/** The longest Noise message, and so the longest frame that any session makes. */
export const FRAME_BYTES_MAX = 65_535;

/** @returns length and frame in one piece, so that they leave in one system call. */
export function frameToStream(frame: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + frame.length);
  bytes.writeUInt32BE(frame.length, 0);
  bytes.set(frame, LENGTH_BYTES);
  return bytes;
}

/**
 * Cuts a TCP stream into frames, however it comes in pieces. Holds at most one chunk and one frame,
 * and takes time linear in the bytes even when they come one by one.
 */
export class FrameCutter {
  private chunk: Uint8Array = new Uint8Array(0);
  private offset = 0;
  private readonly length = new Uint8Array(LENGTH_BYTES);
  private lengthFilled = 0;
  private frame: Uint8Array | null = null;
  private frameFilled = 0;

  /** Takes the next chunk; only when `next` answered null. */
  push(chunk: Uint8Array): void {
    // A plain array over the same memory: `slice` of a Buffer would be a view, not a copy.
    this.chunk = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.offset = 0;
  }

  /** Did the stream stop inside a frame? */
  get broken(): boolean {
    return this.lengthFilled > 0;
  }

  /**
   * @returns the next whole frame, or null when the chunk is used up.
   * @throws LinkError LINK_FRAME_TOO_LONG; the stream cannot be read any further then.
   */
  next(): Uint8Array | null {
    if (this.frame === null) {
      const length = this.readLength();
      if (length === null) return null;
      if (this.chunk.length - this.offset >= length) return this.cut(length);
      this.frame = new Uint8Array(length);
      this.frameFilled = 0;
    }
    const part = this.take(this.frame.length - this.frameFilled);
    this.frame.set(part, this.frameFilled);
    this.frameFilled += part.length;
    if (this.frameFilled < this.frame.length) return null;
    const whole = this.frame;
    this.frame = null;
    this.lengthFilled = 0;
    return whole;
  }

  private readLength(): number | null {
    const part = this.take(LENGTH_BYTES - this.lengthFilled);
    this.length.set(part, this.lengthFilled);
    this.lengthFilled += part.length;
    if (this.lengthFilled < LENGTH_BYTES) return null;
    const length = new DataView(this.length.buffer).getUint32(0);
    if (length <= FRAME_BYTES_MAX) return length;
    throw new LinkError(
      'LINK_FRAME_TOO_LONG',
      `frame of ${length} bytes, limit ${FRAME_BYTES_MAX}`,
    );
  }

  private cut(length: number): Uint8Array {
    this.lengthFilled = 0;
    return this.take(length);
  }

  private take(atMost: number): Uint8Array {
    const part = this.chunk.subarray(this.offset, this.offset + atMost);
    this.offset += part.length;
    return part;
  }
}
