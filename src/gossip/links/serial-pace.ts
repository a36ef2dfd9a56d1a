import { frameBytesFor } from '../frame-size.ts';
import { SERIAL_OVERHEAD_BYTES } from './serial-frame.ts';

/** Start bit, eight data bits, stop bit. */
const BITS_PER_BYTE = 10;

/** Written to the port before its turn, so that a busy process does not let the line go idle. */
const AHEAD_MS = 25;

/** All times and sizes of a line that follow from its rate. Milliseconds and bytes. */
export interface SerialPace {
  readonly bytesPerSecond: number;
  readonly msPerByte: number;
  /** Of a data frame. */
  readonly payloadBytes: number;
  /** How long the longest frame takes. */
  readonly frameMs: number;
  /** Another frame is written while what was written before takes at most so long. */
  readonly aheadMs: number;
  /** An answer that takes longer than this, beyond what the line itself takes, is overdue. */
  readonly patienceMs: number;
  /** Between two calls of an end that nobody has answered, at first and at most. */
  readonly callMs: number;
  readonly callMsMax: number;
  /** After so long without one whole frame the noise is no boot message any more. */
  readonly noiseMs: number;
  /** The other end is gone when it owes answers and was silent for so long. */
  readonly silenceMs: number;
  /** To send what is queued when the link is closed in peace. */
  readonly closeMs: number;
}

/** @param baud Symbols a second, 8N1. */
export function serialPaceOf(baud: number): SerialPace {
  const bytesPerSecond = baud / BITS_PER_BYTE;
  const msPerByte = 1_000 / bytesPerSecond;
  const payloadBytes = frameBytesFor(bytesPerSecond);
  const frameMs = (payloadBytes + SERIAL_OVERHEAD_BYTES) * msPerByte;
  const helloMs = 32 * msPerByte;
  return {
    bytesPerSecond,
    msPerByte,
    payloadBytes,
    frameMs,
    aheadMs: AHEAD_MS,
    patienceMs: 60 + 3 * frameMs,
    callMs: 100 + 4 * helloMs,
    callMsMax: 1_000 + 8 * helloMs,
    noiseMs: 4_000 + 16 * helloMs,
    silenceMs: 15_000 + 40 * frameMs,
    closeMs: 2_000 + 8 * frameMs,
  };
}
