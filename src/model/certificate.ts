import { copyBytes, isSortedSet, SIGNATURE_BYTES } from './bytes.ts';
import { type ByteReader, ByteWriter, CodecError, decoding, domainOf } from './codec.ts';
import { invariant } from './invariant.ts';
import { type MetablockId, PREDECESSORS_MAX } from './metablock.ts';
import type { Ballot } from './numbers.ts';
import type { AvatarId, GroupId } from './sync-group.ts';
import { accept, refuse, type Verdict } from './verdict.ts';

/** The vote (group, ballot) for a Metablock. */
export interface CertificateEntry {
  readonly group: GroupId;
  readonly ballot: Ballot;
}

export interface CertificateBody {
  readonly metablock: MetablockId;
  readonly certifier: AvatarId;
  /** One for each owned group whose rules allow the Metablock; ascending by group, at least one. */
  readonly entries: readonly CertificateEntry[];
}

export interface Certificate extends CertificateBody {
  /** 64 bytes. */
  readonly signature: Uint8Array;
  /** The canonical bytes, signature included. */
  readonly bytes: Uint8Array;
}

/** An owner's word that it has moved to a Ballot of a Sync Group. */
export interface BallotNoteBody {
  readonly group: GroupId;
  readonly ballot: Ballot;
  readonly owner: AvatarId;
}

export interface BallotNote extends BallotNoteBody {
  readonly signature: Uint8Array;
  readonly bytes: Uint8Array;
}

const CERTIFICATE = domainOf('vb1/certificate');
const NOTE = domainOf('vb1/ballot-note');

export const CERTIFICATE_BYTES_MAX = 16 + 32 + 32 + 2 + 40 * PREDECESSORS_MAX + 64;
export const BALLOT_NOTE_BYTES = 16 + 32 + 8 + 32 + 64;

/**
 * The bytes that the certifier signs.
 *
 * ```
 * offset  bytes  field      meaning
 *      0     16  domain     'vb1/certificate'
 *     16     32  metablock  Metablock id
 *     48     32  certifier  Avatar id
 *     80      2  count      entries
 *     82  40 * n entries    Sync Group id, Ballot (8 bytes); ascending by group
 * ```
 * Then 64 bytes of signature: 146 + 40 n in all.
 */
export function encodeCertificate(body: CertificateBody): Uint8Array {
  invariant(isSortedSet(body.entries.map((each) => each.group)), 'entries sorted by group');
  const writer = new ByteWriter()
    .raw(CERTIFICATE)
    .id(body.metablock)
    .id(body.certifier)
    .u16(body.entries.length);
  for (const each of body.entries) writer.id(each.group).u64(each.ballot);
  return writer.finish();
}

export function sealCertificate(body: CertificateBody, signature: Uint8Array): Certificate {
  invariant(signature.length === SIGNATURE_BYTES, 'a signature has 64 bytes');
  const bytes = new ByteWriter().raw(encodeCertificate(body)).raw(signature).finish();
  return { ...body, signature: copyBytes(signature), bytes };
}

function readCertificate(reader: ByteReader): CertificateBody & { signature: Uint8Array } {
  reader.domain(CERTIFICATE);
  const metablock = reader.id();
  const certifier = reader.id();
  const entries = Array.from({ length: reader.count(PREDECESSORS_MAX) }, () => ({
    group: reader.id(),
    ballot: reader.u64() as Ballot,
  }));
  if (entries.length === 0) throw new CodecError('no entries');
  if (!isSortedSet(entries.map((each) => each.group))) throw new CodecError('entries out of order');
  return { metablock, certifier, entries, signature: reader.raw(SIGNATURE_BYTES) };
}

/** Reads a Certificate from a peer. The signature is not judged here. */
export function decodeCertificate(
  bytes: Uint8Array,
): Verdict<Certificate, 'certificate-malformed'> {
  if (bytes.length > CERTIFICATE_BYTES_MAX) return refuse('certificate-malformed', 'too long');
  const read = decoding(bytes, readCertificate);
  if (!read.ok) return refuse('certificate-malformed', read.detail);
  return accept({ ...read.value, bytes: copyBytes(bytes) });
}

/**
 * The bytes that an owner signs to say it moved to a Ballot.
 *
 * ```
 * offset  bytes  field   meaning
 *      0     16  domain  'vb1/ballot-note'
 *     16     32  group   Sync Group id
 *     48      8  ballot
 *     56     32  owner   Avatar id
 * ```
 * Then 64 bytes of signature: 152 in all.
 */
export function encodeBallotNote(body: BallotNoteBody): Uint8Array {
  return new ByteWriter(BALLOT_NOTE_BYTES)
    .raw(NOTE)
    .id(body.group)
    .u64(body.ballot)
    .id(body.owner)
    .finish();
}

export function sealBallotNote(body: BallotNoteBody, signature: Uint8Array): BallotNote {
  invariant(signature.length === SIGNATURE_BYTES, 'a signature has 64 bytes');
  const bytes = new ByteWriter(BALLOT_NOTE_BYTES).raw(encodeBallotNote(body)).raw(signature);
  return { ...body, signature: copyBytes(signature), bytes: bytes.finish() };
}

/** Reads a ballot note from a peer. The signature is not judged here. */
export function decodeBallotNote(bytes: Uint8Array): Verdict<BallotNote, 'ballot-note-malformed'> {
  const read = decoding(bytes, (reader) => {
    reader.domain(NOTE);
    const group = reader.id();
    const ballot = reader.u64() as Ballot;
    const owner = reader.id();
    return { group, ballot, owner, signature: reader.raw(SIGNATURE_BYTES) };
  });
  if (!read.ok) return refuse('ballot-note-malformed', read.detail);
  return accept({ ...read.value, bytes: copyBytes(bytes) });
}
