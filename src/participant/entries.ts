import type { Block } from '../model/block.ts';
import { equalBytes } from '../model/bytes.ts';
import type { Pact } from '../model/pact.ts';
import { type PayloadLimits, readPayload } from '../model/payload.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { Packer } from '../ports/packer.ts';
import type { PactReader } from '../ports/pacts.ts';
import type { DecodedEntries } from '../ports/store.ts';

export type PayloadRefusal =
  | 'payload-malformed'
  | 'payload-not-the-headers'
  | 'payload-root-wrong'
  | 'entry-breaks-pact';

/** Decodes the Entries of a payload whose root is known to be right. */
export function decodeEntries(
  reader: PactReader,
  pact: Pact,
  payload: Uint8Array,
  limits: PayloadLimits,
): Verdict<DecodedEntries, PayloadRefusal> {
  const read = readPayload(payload, limits);
  if (!read.ok) return read;
  const entries = reader.codecOf(pact).decodeAll(read.value.bytes, read.value.lengths);
  if (!entries.ok) {
    const { index, field, message } = entries;
    return refuse('entry-breaks-pact', `Entry ${index}, field ${field}: ${message}`);
  }
  return accept({ pact: pact.id, rows: entries.value });
}

/**
 * Judges the payload of a Block against its header and its Pact.
 *
 * @source consensus.md 3, V4.
 */
export function checkPayload(
  tools: { readonly packer: Packer; readonly reader: PactReader; readonly limits: PayloadLimits },
  pact: Pact,
  block: Block,
  payload: Uint8Array,
): Verdict<DecodedEntries, PayloadRefusal> {
  const read = readPayload(payload, tools.limits);
  if (!read.ok) return read;
  const { bytes, lengths } = read.value;
  if (payload.length !== block.byteLength || lengths.length !== block.entryCount) {
    return refuse('payload-not-the-headers', `${lengths.length} Entries, ${payload.length} bytes`);
  }
  if (!equalBytes(tools.packer.merkleRoot(bytes, lengths), block.merkleRoot)) {
    return refuse('payload-root-wrong');
  }
  return decodeEntries(tools.reader, pact, payload, tools.limits);
}
