import type { BlockId } from './block.ts';
import {
  compareText,
  copyBytes,
  equalBytes,
  fromHex,
  isSortedSet,
  SIGNATURE_BYTES,
  toHex,
} from './bytes.ts';
import { type ByteReader, ByteWriter, CodecError, decoding, domainOf } from './codec.ts';
import { invariant } from './invariant.ts';
import type { MetablockId } from './metablock.ts';
import type { CausalSequence, EntrySequence, Level } from './numbers.ts';
import { type AvatarId, type GroupId, OWNERS_MAX } from './sync-group.ts';
import { accept, refuse, type Verdict } from './verdict.ts';

/**
 * Every so many Levels, and for a sole owner every so many Blocks, owners sign where the group
 * stands. A group can be cut there and nowhere else, so that all owners sign the same.
 */
export const CUT_INTERVAL = 32;

/** Where one Causal Group stands at a cut. */
export interface CutTip {
  readonly issuer: AvatarId;
  readonly sequence: CausalSequence;
  readonly block: BlockId;
}

/** Where a Sync Group stands: all that whoever throws away what is below needs to go on. */
export interface CutBody {
  readonly group: GroupId;
  /** Of the last Finalized Metablock; 0 for a sole owner's group, which has none. */
  readonly level: Level;
  readonly metablock: MetablockId | null;
  /** Of the last Finalized Entry. */
  readonly lastSequence: EntrySequence;
  /** Ascending by issuer, each with at least one final Block. */
  readonly tips: readonly CutTip[];
}

export interface CutSignature {
  readonly owner: AvatarId;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** A statement that owners signed; a Quorum of them certifies it. */
export interface Cut extends CutBody {
  /** Ascending by owner, at least one. */
  readonly signatures: readonly CutSignature[];
  readonly bytes: Uint8Array;
}

const DOMAIN = domainOf('vb1/cut');

export const CUT_BYTES_MAX = 16 + 32 + 8 + 32 + 8 + 2 + 72 * OWNERS_MAX + 2 + 96 * OWNERS_MAX;

/**
 * The bytes that each owner signs.
 *
 * ```
 * offset  bytes  field         meaning
 *      0     16  domain        'vb1/cut'
 *     16     32  group         Sync Group id
 *     48      8  level         of the Metablock; 0 where there is none
 *     56     32  metablock     the last Finalized one, zeros for a sole owner's group
 *     88      8  lastSequence  of the last Finalized Entry
 *     96      2  count         n issuers
 *     98  72 * n tips          Avatar id, causal sequence, Block id; ascending by issuer
 * ```
 * Then a count (2 bytes) of m signatures, each owner (32) and signature (64), ascending by owner:
 * 100 + 72 n + 96 m in all.
 */
export function encodeCut(body: CutBody): Uint8Array {
  invariant(isSortedSet(body.tips.map((each) => each.issuer)), 'tips sorted by issuer');
  const writer = new ByteWriter(98 + 72 * body.tips.length)
    .raw(DOMAIN)
    .id(body.group)
    .u64(body.level)
    .idOrNone(body.metablock)
    .u64(body.lastSequence)
    .u16(body.tips.length);
  for (const { issuer, sequence, block } of body.tips) writer.id(issuer).u64(sequence).id(block);
  return writer.finish();
}

/** Puts statement and signatures together, of each owner one. */
export function sealCut(body: CutBody, signatures: readonly CutSignature[]): Cut {
  const owners = new Map(signatures.map((each) => [each.owner, each] as const));
  const sorted = [...owners.values()].sort((a, b) => compareText(a.owner, b.owner));
  invariant(sorted.length >= 1 && sorted.length <= OWNERS_MAX, 'somebody signed it');
  const writer = new ByteWriter(1024).raw(encodeCut(body)).u16(sorted.length);
  for (const { owner, signature } of sorted) {
    invariant(signature.length === SIGNATURE_BYTES, 'a signature has 64 bytes');
    writer.id(owner).raw(signature);
  }
  const { group, level, metablock, lastSequence, tips } = body;
  const bytes = writer.finish();
  return { group, level, metablock, lastSequence, tips, signatures: sorted, bytes };
}

function readBody(reader: ByteReader): CutBody {
  reader.domain(DOMAIN);
  const group = reader.id();
  const level = reader.u64() as Level;
  const metablock = reader.idOrNone();
  const lastSequence = reader.u64() as EntrySequence;
  const tips = Array.from({ length: reader.count(OWNERS_MAX) }, () => ({
    issuer: reader.id(),
    sequence: reader.u64() as CausalSequence,
    block: reader.id(),
  }));
  if (!isSortedSet(tips.map((each) => each.issuer))) throw new CodecError('tips out of order');
  if (tips.some((each) => each.sequence < 1)) throw new CodecError('causal sequence 0');
  if (metablock === null && level !== 0) throw new CodecError('a Level without a Metablock');
  return { group, level, metablock, lastSequence, tips };
}

function readCut(reader: ByteReader): CutBody & { signatures: CutSignature[] } {
  const body = readBody(reader);
  const signatures = Array.from({ length: reader.count(OWNERS_MAX) }, () => ({
    owner: reader.id(),
    signature: reader.raw(SIGNATURE_BYTES),
  }));
  if (signatures.length === 0) throw new CodecError('nobody signed');
  if (!isSortedSet(signatures.map((each) => each.owner))) throw new CodecError('out of order');
  return { ...body, signatures };
}

/** Reads a cut from a peer. No signature is judged here. */
export function decodeCut(bytes: Uint8Array): Verdict<Cut, 'cut-malformed'> {
  if (bytes.length > CUT_BYTES_MAX) return refuse('cut-malformed', 'too long');
  const read = decoding(bytes, readCut);
  if (!read.ok) return refuse('cut-malformed', read.detail);
  return accept({ ...read.value, bytes: copyBytes(bytes) });
}

/** The statement alone, as it was signed. */
export function decodeCutBody(bytes: Uint8Array): Verdict<CutBody, 'cut-malformed'> {
  const read = decoding(bytes, readBody);
  return read.ok ? accept(read.value) : refuse('cut-malformed', read.detail);
}

/** Do two cuts say the same, whoever signed them? */
export function isSameStatement(a: CutBody, b: CutBody): boolean {
  return equalBytes(encodeCut(a), encodeCut(b));
}

/** The last Block of an issuer that lies below the cut; 0 for none. */
export function cutSequenceOf(cut: CutBody | null, issuer: AvatarId): CausalSequence {
  const tip = cut?.tips.find((each) => each.issuer === issuer);
  return tip?.sequence ?? (0 as CausalSequence);
}

/** Names a cut with its signatures: the second halves of these, as for Certificates. */
export function keyOfCut(cut: Cut): string {
  return cut.signatures.map(({ signature }) => toHex(signature.subarray(32))).join('');
}

/**
 * The owners that truly signed it.
 *
 * @param verify Judges one signature over `encodeCut(cut)`.
 */
export function signersOf(
  cut: Cut,
  owners: readonly AvatarId[],
  verify: (owner: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean,
): CutSignature[] {
  const message = encodeCut(cut);
  return cut.signatures.filter(
    ({ owner, signature }) => owners.includes(owner) && verify(fromHex(owner), message, signature),
  );
}
