import type { Block } from '../model/block.ts';
import { equalBytes } from '../model/bytes.ts';
import { checkHandOver, decodeHandOver } from '../model/hand-over.ts';
import type { SyncGroup } from '../model/sync-group.ts';
import type { Packer } from '../ports/packer.ts';
import type { Verifier } from '../ports/signer.ts';
import type { BuiltInPacts } from '../schema/built-in.ts';

export type HandOverRefusal =
  | 'payload-not-the-headers'
  | 'payload-root-wrong'
  | 'hand-over-malformed'
  | 'hand-over-of-built-in'
  | Exclude<ReturnType<typeof checkHandOver>, null>;

/** The root that stands in the header of a hand-over Block. @returns 32 bytes. */
export function rootOfHandOver(packer: Packer, payload: Uint8Array): Uint8Array {
  return packer.merkleRoot(payload, Uint32Array.of(payload.length));
}

/**
 * Judges the payload of a hand-over Block against its header, its group, and the approvals in it.
 * Everybody comes to the same answer.
 *
 * @returns null where it holds.
 */
export function judgeHandOver(
  tools: {
    readonly packer: Packer;
    readonly verifier: Verifier;
    readonly builtIn: BuiltInPacts;
  },
  group: SyncGroup,
  block: Block,
  payload: Uint8Array,
): HandOverRefusal | null {
  if (payload.length !== block.byteLength) return 'payload-not-the-headers';
  if (!equalBytes(rootOfHandOver(tools.packer, payload), block.merkleRoot)) {
    return 'payload-root-wrong';
  }
  const isBuiltIn = Object.values(tools.builtIn).some(({ id }) => id === group.pact);
  if (isBuiltIn) return 'hand-over-of-built-in';
  const read = decodeHandOver(payload);
  if (!read.ok) return read.reason;
  const { verifier } = tools;
  return checkHandOver((...signed) => verifier.verify(...signed), group, read.value);
}
