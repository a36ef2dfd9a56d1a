import type { BlockId } from './block.ts';
import {
  compareText,
  copyBytes,
  type HashFunction,
  type Hex32,
  isSortedSet,
  SIGNATURE_BYTES,
  toHex32,
} from './bytes.ts';
import { type ByteReader, ByteWriter, CodecError, decoding, domainOf } from './codec.ts';
import { invariant } from './invariant.ts';
import type { Generation } from './numbers.ts';
import type { AvatarId, GroupId } from './sync-group.ts';
import { accept, refuse, type Verdict } from './verdict.ts';

export type MetablockId = Hex32;

/** Most predecessors (L) and most Blocks that a Metablock of any configuration may carry. */
export const PREDECESSORS_MAX = 64;
export const METABLOCK_BLOCKS_MAX = 1024;

/** The place a Metablock takes in the chain of one Sync Group. */
export interface Predecessor {
  readonly group: GroupId;
  /** The Metablock before it in the group's chain, or null where the chain begins. */
  readonly metablock: MetablockId | null;
}

/** @source consensus.md 1, 2. */
export interface MetablockBody {
  readonly generation: Generation;
  /** Ascending by group, each group once, at least one. */
  readonly predecessors: readonly Predecessor[];
  /** In the order in which they become final; each once. */
  readonly blocks: readonly BlockId[];
  readonly issuer: AvatarId;
}

export interface Metablock extends MetablockBody {
  readonly id: MetablockId;
  /** Hash of the issuing signature; the lower one wins a tie. */
  readonly issuingHash: Hex32;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  /** The canonical bytes, signature included. */
  readonly bytes: Uint8Array;
}

const DOMAIN = domainOf('vb1/metablock');

export const METABLOCK_BYTES_MAX =
  16 + 8 + 32 + 2 + 64 * PREDECESSORS_MAX + 2 + 32 * METABLOCK_BLOCKS_MAX + 64;

/**
 * The bytes that the issuer signs.
 *
 * ```
 * offset  bytes  field         meaning
 *      0     16  domain        'vb1/metablock'
 *     16      8  generation
 *     24     32  issuer        Avatar id
 *     56      2  count         p predecessors
 *     58  64 * p predecessors  Sync Group id, Metablock id or zeros; ascending by group
 *      .      2  count         b Blocks
 *      .  32 * b blocks        Block ids in their final order
 * ```
 * Then 64 bytes of signature: 124 + 64 p + 32 b in all.
 */
export function encodeMetablock(body: MetablockBody): Uint8Array {
  invariant(
    isSortedSet(body.predecessors.map((each) => each.group)),
    'predecessors sorted by group',
  );
  const writer = new ByteWriter(512)
    .raw(DOMAIN)
    .u64(body.generation)
    .id(body.issuer)
    .u16(body.predecessors.length);
  for (const each of body.predecessors) writer.id(each.group).idOrNone(each.metablock);
  writer.u16(body.blocks.length);
  for (const block of body.blocks) writer.id(block);
  return writer.finish();
}

/** Puts body and signature together and derives id and Issuing Hash. */
export function sealMetablock(
  hash: HashFunction,
  body: MetablockBody,
  signature: Uint8Array,
): Metablock {
  invariant(signature.length === SIGNATURE_BYTES, 'a signature has 64 bytes');
  const bytes = new ByteWriter(512).raw(encodeMetablock(body)).raw(signature).finish();
  return {
    ...body,
    id: toHex32(hash(bytes)),
    issuingHash: toHex32(hash(signature)),
    signature: copyBytes(signature),
    bytes,
  };
}

function readMetablock(reader: ByteReader): MetablockBody & { signature: Uint8Array } {
  reader.domain(DOMAIN);
  const generation = reader.u64() as Generation;
  const issuer = reader.id();
  const predecessors = Array.from({ length: reader.count(PREDECESSORS_MAX) }, () => ({
    group: reader.id(),
    metablock: reader.idOrNone(),
  }));
  const blocks = Array.from({ length: reader.count(METABLOCK_BLOCKS_MAX) }, () => reader.id());
  if (predecessors.length === 0) throw new CodecError('no predecessors');
  if (!isSortedSet(predecessors.map((each) => each.group))) {
    throw new CodecError('predecessors out of order');
  }
  if (!isSortedSet([...blocks].sort(compareText))) throw new CodecError('a Block stands twice');
  return { generation, issuer, predecessors, blocks, signature: reader.raw(SIGNATURE_BYTES) };
}

/** Reads a Metablock from a peer. The signature is not judged here. */
export function decodeMetablock(
  hash: HashFunction,
  bytes: Uint8Array,
): Verdict<Metablock, 'metablock-malformed'> {
  if (bytes.length > METABLOCK_BYTES_MAX) return refuse('metablock-malformed', 'too long');
  const read = decoding(bytes, readMetablock);
  if (!read.ok) return refuse('metablock-malformed', read.detail);
  return accept({
    ...read.value,
    id: toHex32(hash(bytes)),
    issuingHash: toHex32(hash(read.value.signature)),
    bytes: copyBytes(bytes),
  });
}
