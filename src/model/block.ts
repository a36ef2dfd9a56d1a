import {
  copyBytes,
  type HashFunction,
  type Hex32,
  ID_BYTES,
  isSortedSet,
  SIGNATURE_BYTES,
  toHex32,
} from './bytes.ts';
import { type ByteReader, ByteWriter, CodecError, decoding, domainOf } from './codec.ts';
import { invariant } from './invariant.ts';
import type { CausalSequence } from './numbers.ts';
import { type AvatarId, type GroupId, OWNERS_MAX } from './sync-group.ts';
import { accept, refuse, type Verdict } from './verdict.ts';

export type BlockId = Hex32;

/** What is signed of a Block: everything but the Entries, which the Merkle root stands for. */
export interface BlockHeader {
  /** Stands for Pact and owners: the Sync Group's id is their hash. */
  readonly group: GroupId;
  readonly issuer: AvatarId;
  /** 1 for the first of its Causal Group. */
  readonly sequence: CausalSequence;
  /** The Block before it in its Causal Group; null exactly when `sequence` is 1. */
  readonly previous: BlockId | null;
  /** Last Blocks of other owners that the issuer held, at most one an owner; a sorted set. */
  readonly dependencies: readonly BlockId[];
  /** 0 for a hand-over Block, whose payload is no Entries but a `HandOver`. */
  readonly entryCount: number;
  /** Bytes of the payload (see ports/packer). */
  readonly byteLength: number;
  /** 32 bytes. */
  readonly merkleRoot: Uint8Array;
  /** The issuer's clock, in milliseconds since 1970; decides nothing. */
  readonly atMs: number;
}

/** A signed Block Header («Block Header», features A11). */
export interface Block extends BlockHeader {
  readonly id: BlockId;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  /** The canonical bytes, signature included: what is stored and sent. */
  readonly bytes: Uint8Array;
}

const DOMAIN = domainOf('vb1/block');

/** Longest a hand-over can be (see hand-over.ts): all owners approve of as many. */
export const HAND_OVER_BYTES_MAX = 16 + (16 + 32 + 2 + 2 + 32 * OWNERS_MAX) + 2 + 96 * OWNERS_MAX;

/** Does the Block end its Sync Group and name the next one, instead of carrying Entries? */
export function isHandOver(header: Pick<BlockHeader, 'entryCount'>): boolean {
  return header.entryCount === 0;
}

/** Longest a header can be: its fixed part and a dependency for each other owner. */
export const BLOCK_HEADER_BYTES_MAX = 16 + 32 * 4 + 8 * 2 + 4 * 2 + 2 + ID_BYTES * OWNERS_MAX + 64;

/**
 * The bytes that the issuer signs.
 *
 * ```
 * offset  bytes  field         meaning
 *      0     16  domain        'vb1/block'
 *     16     32  group         Sync Group id
 *     48     32  issuer        Avatar id
 *     80      8  sequence      causal sequence, from 1
 *     88     32  previous      Block id, zeros for none
 *    120      4  entryCount    Entries; 0 in a hand-over Block
 *    124      4  byteLength    bytes of the payload
 *    128     32  merkleRoot    RFC 6962 root over the Entries, or over the one hand-over
 *    160      8  at            milliseconds since 1970
 *    168      2  count         dependencies
 *    170  32 * n dependencies  Block ids, ascending
 * ```
 * Then 64 bytes of signature: 234 + 32 n in all.
 */
export function encodeBlockHeader(header: BlockHeader): Uint8Array {
  invariant(isSortedSet(header.dependencies), 'dependencies are a sorted set');
  const writer = new ByteWriter(256 + ID_BYTES * header.dependencies.length)
    .raw(DOMAIN)
    .id(header.group)
    .id(header.issuer)
    .u64(header.sequence)
    .idOrNone(header.previous)
    .u32(header.entryCount)
    .u32(header.byteLength)
    .raw(header.merkleRoot)
    .u64(header.atMs)
    .u16(header.dependencies.length);
  for (const dependency of header.dependencies) writer.id(dependency);
  return writer.finish();
}

/** Puts header and signature together and derives the id: the hash of both. */
export function sealBlock(hash: HashFunction, header: BlockHeader, signature: Uint8Array): Block {
  invariant(signature.length === SIGNATURE_BYTES, 'a signature has 64 bytes');
  const bytes = new ByteWriter().raw(encodeBlockHeader(header)).raw(signature).finish();
  return { ...header, id: toHex32(hash(bytes)), signature: copyBytes(signature), bytes };
}

function readHeader(reader: ByteReader): BlockHeader & { signature: Uint8Array } {
  reader.domain(DOMAIN);
  const group = reader.id();
  const issuer = reader.id();
  const sequence = reader.u64() as CausalSequence;
  const previous = reader.idOrNone();
  const entryCount = reader.u32();
  const byteLength = reader.u32();
  const merkleRoot = reader.raw(ID_BYTES);
  const atMs = reader.u64();
  const dependencies = Array.from({ length: reader.count(OWNERS_MAX) }, () => reader.id());
  if (!isSortedSet(dependencies)) throw new CodecError('dependencies out of order');
  if (sequence < 1) throw new CodecError('causal sequence 0');
  if ((sequence === 1) !== (previous === null)) throw new CodecError('previous against sequence');
  if (byteLength < 4 + 4 * entryCount) throw new CodecError('payload shorter than its lengths');
  if (entryCount === 0 && byteLength > HAND_OVER_BYTES_MAX) throw new CodecError('long hand-over');
  const signature = reader.raw(SIGNATURE_BYTES);
  return {
    group,
    issuer,
    sequence,
    previous,
    dependencies,
    entryCount,
    byteLength,
    merkleRoot,
    atMs,
    signature,
  };
}

/** Reads a Block Header from a peer. The signature is not judged here. */
export function decodeBlock(
  hash: HashFunction,
  bytes: Uint8Array,
): Verdict<Block, 'block-malformed'> {
  if (bytes.length > BLOCK_HEADER_BYTES_MAX) return refuse('block-malformed', 'too long');
  const read = decoding(bytes, readHeader);
  if (!read.ok) return refuse('block-malformed', read.detail);
  return accept({ ...read.value, id: toHex32(hash(bytes)), bytes: copyBytes(bytes) });
}

/** The part of `block.bytes` that its signature covers. */
export function signedBytesOf(sealed: { readonly bytes: Uint8Array }): Uint8Array {
  return sealed.bytes.subarray(0, sealed.bytes.length - SIGNATURE_BYTES);
}
