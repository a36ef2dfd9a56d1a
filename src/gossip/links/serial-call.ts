/**
 * How two ends of a line find each other, and how each notices that the other began anew: every end
 * draws a number for each connection, calls it out, and knows the other when it hears its own.
 *
 * ```
 * offset  bytes  field    meaning
 *      0      4  own      number of the sender
 *      4      4  other    number that the sender heard last; 0 for none
 *      8      1  version  1
 * ```
 * 9 bytes, the payload of a hello.
 */
const HELLO_BYTES = 9;

const VERSION = 1;

export type HelloVerdict =
  /** Our own words. */
  | 'echo'
  /** No hello of this version. */
  | 'strange'
  /** The other end, which has not heard us. */
  | 'unheard'
  /** The other end, which has heard us. */
  | 'heard'
  /** Another number than it had: it began anew. */
  | 'anew';

/** One end of one connection over a line. */
export class SerialCall {
  /** Not 0. */
  private readonly own: number;
  private other = 0;

  /** @param own Drawn for this connection alone, 1 to 2^32 - 1. */
  constructor(own: number) {
    this.own = own;
  }

  get isMet(): boolean {
    return this.other !== 0;
  }

  /** Which end begins the session: the one with the lower number. */
  get begins(): boolean {
    return this.own < this.other;
  }

  get hello(): Uint8Array {
    const payload = new Uint8Array(HELLO_BYTES);
    const view = new DataView(payload.buffer);
    view.setUint32(0, this.own);
    view.setUint32(4, this.other);
    view.setUint8(8, VERSION);
    return payload;
  }

  get sentTag(): number {
    return tagOf(this.own, this.other);
  }

  get heardTag(): number {
    return tagOf(this.other, this.own);
  }

  read(payload: Uint8Array): HelloVerdict {
    if (payload.length !== HELLO_BYTES) return 'strange';
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const own = view.getUint32(0);
    if (view.getUint8(8) !== VERSION || own === 0) return 'strange';
    if (own === this.own) return 'echo';
    const isAnew = this.other !== own && this.isMet;
    this.other = own;
    if (isAnew) return 'anew';
    return this.isHeardBy(payload) ? 'heard' : 'unheard';
  }

  /** Does the sender of a hello know our number? */
  isHeardBy(payload: Uint8Array): boolean {
    return (
      new DataView(payload.buffer, payload.byteOffset, payload.length).getUint32(4) === this.own
    );
  }
}

/** 16 bits of a connection, one for each direction. */
function tagOf(from: number, to: number): number {
  const fold = (number: number) => (number ^ (number >>> 16)) & 0xffff;
  return (fold(from) * 31 + fold(to)) & 0xffff;
}
