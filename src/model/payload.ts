import { refuse, type Verdict } from './verdict.ts';

/** The Entries of a Block as they lie in its payload; `bytes` is a view of the payload. */
export interface Payload {
  /** All Entries, one after the other. */
  readonly bytes: Uint8Array;
  /** Byte length of each. */
  readonly lengths: Uint32Array;
}

export interface PayloadLimits {
  readonly payloadBytesMax: number;
  readonly entriesMax: number;
  readonly entryBytesMax: number;
}

/**
 * Reads `count u32 | length u32 * count | Entries`, every size checked before it is believed.
 *
 * @source ports/packer, which writes it.
 */
export function readPayload(
  payload: Uint8Array,
  limits: PayloadLimits,
): Verdict<Payload, 'payload-malformed'> {
  if (payload.length > limits.payloadBytesMax) return refuse('payload-malformed', 'too long');
  if (payload.length < 4) return refuse('payload-malformed', 'no count');
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const count = view.getUint32(0);
  if (count < 1 || count > limits.entriesMax) return refuse('payload-malformed', `count ${count}`);
  const start = 4 + 4 * count;
  if (start > payload.length) return refuse('payload-malformed', 'ends within the lengths');
  const lengths = new Uint32Array(count);
  let sum = 0;
  for (let index = 0; index < count; index++) {
    const length = view.getUint32(4 + 4 * index);
    if (length > limits.entryBytesMax)
      return refuse('payload-malformed', `Entry of ${length} bytes`);
    lengths[index] = length;
    sum += length;
  }
  if (start + sum !== payload.length) return refuse('payload-malformed', 'lengths do not add up');
  return { ok: true, value: { bytes: payload.subarray(start), lengths } };
}
