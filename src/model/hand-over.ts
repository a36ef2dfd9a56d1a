import { copyBytes, fromHex, isSortedSet, SIGNATURE_BYTES } from './bytes.ts';
import { type ByteReader, ByteWriter, CodecError, decoding, domainOf } from './codec.ts';
import { invariant } from './invariant.ts';
import {
  type AvatarId,
  deriveQuorum,
  type GroupId,
  type GroupRules,
  OWNERS_MAX,
  readRules,
  type SyncGroup,
  writeRules,
} from './sync-group.ts';
import { accept, refuse, type Verdict } from './verdict.ts';

/** What the owners of a Sync Group may agree on: who goes on after it, and by which rules. */
export interface Succession extends GroupRules {
  /** The group that ends. */
  readonly group: GroupId;
  /** Of the next one: sorted, without duplicates, at least one. */
  readonly owners: readonly AvatarId[];
}

/** An owner's signature over a Succession. It holds for as long as the group is not ended. */
export interface Approval {
  readonly owner: AvatarId;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** The payload of a hand-over Block: a Succession that a Quorum of the group approved. */
export interface HandOver {
  readonly succession: Succession;
  /** Ascending by owner. */
  readonly approvals: readonly Approval[];
}

/** Does the signature of this key hold over the message? */
export type Verify = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

const SUCCESSION = domainOf('vb1/succession');
const HAND_OVER = domainOf('vb1/hand-over');

/**
 * The bytes that an owner signs to approve.
 *
 * ```
 * offset  bytes  field         meaning
 *      0     16  domain        'vb1/succession'
 *     16     32  group         the Sync Group that ends
 *     48      1  quorumPolicy  0 two-thirds, 1 every-owner, 2 strict
 *     49      1  availability  0 entries, 1 headers
 *     50      2  count         owners of the next one
 *     52  32 * n owners        Avatar ids, ascending
 * ```
 */
export function encodeSuccession(succession: Succession): Uint8Array {
  const { group, owners } = succession;
  invariant(owners.length >= 1 && isSortedSet(owners), 'owners are a sorted set');
  const writer = writeRules(new ByteWriter().raw(SUCCESSION).id(group), succession);
  writer.u16(owners.length);
  for (const owner of owners) writer.id(owner);
  return writer.finish();
}

function readSuccession(reader: ByteReader): Succession {
  reader.domain(SUCCESSION);
  const group = reader.id();
  const rules = readRules(reader);
  const owners = Array.from({ length: reader.count(OWNERS_MAX) }, () => reader.id());
  if (owners.length === 0) throw new CodecError('a group without owners');
  if (!isSortedSet(owners)) throw new CodecError('owners out of order');
  return { group, ...rules, owners };
}

/**
 * The payload of a hand-over Block.
 *
 * ```
 * offset  bytes  field       meaning
 *      0     16  domain      'vb1/hand-over'
 *     16 52+32n  succession  as `encodeSuccession`
 *             2  count       approvals
 *        96 * m  approvals   Avatar id, signature; ascending by Avatar
 * ```
 */
export function encodeHandOver({ succession, approvals }: HandOver): Uint8Array {
  invariant(isSortedSet(approvals.map((each) => each.owner)), 'approvals sorted by owner');
  const writer = new ByteWriter().raw(HAND_OVER).raw(encodeSuccession(succession));
  writer.u16(approvals.length);
  for (const { owner, signature } of approvals) writer.id(owner).raw(signature);
  return writer.finish();
}

/** Reads the payload of a hand-over Block. Approvals are judged by `checkHandOver`. */
export function decodeHandOver(bytes: Uint8Array): Verdict<HandOver, 'hand-over-malformed'> {
  const read = decoding(bytes, (reader) => {
    reader.domain(HAND_OVER);
    const succession = readSuccession(reader);
    const approvals = Array.from({ length: reader.count(OWNERS_MAX) }, () => ({
      owner: reader.id(),
      signature: copyBytes(reader.raw(SIGNATURE_BYTES)),
    }));
    const owners = approvals.map((each) => each.owner);
    if (!isSortedSet(owners)) throw new CodecError('approvals out of order');
    return { succession, approvals };
  });
  return read.ok ? accept(read.value) : refuse('hand-over-malformed', read.detail);
}

/**
 * Judges a hand-over: does a Quorum of the group approve of exactly this Succession? Everybody
 * comes to the same answer: it rests on nothing but the group and the signed bytes.
 */
export function checkHandOver(
  verify: Verify,
  group: SyncGroup,
  { succession, approvals }: HandOver,
): 'hand-over-of-another' | 'approval-not-by-owner' | 'approval-forged' | 'no-quorum' | null {
  if (succession.group !== group.id) return 'hand-over-of-another';
  const message = encodeSuccession(succession);
  for (const { owner, signature } of approvals) {
    if (!group.owners.includes(owner)) return 'approval-not-by-owner';
    if (!verify(fromHex(owner), message, signature)) return 'approval-forged';
  }
  const quorum = deriveQuorum(group.owners.length, group.quorumPolicy);
  return approvals.length >= quorum ? null : 'no-quorum';
}
