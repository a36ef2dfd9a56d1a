import { LINK_ID_BYTES, WHO_BYTES } from './mqtt-seal.ts';

/**
 * What members of a World say to each other on a broker before there is a link. Fixed length, so
 * that sizes tell nothing:
 *
 * ```
 * offset  bytes  field   meaning
 *      0     16  domain  `vb1/mqtt-says`, padded with zeros
 *     16      1  kind    as in `NOTE_KINDS`, from 1
 *     17     16  inbox   of whoever says it: random, new with each start of its process
 *     33      4  joins   how often that process has joined this broker, from 1
 *     37     16  who     the same for one Avatar in all its processes
 *     53      8  own id  of the end of a link that it opens or accepts, else zeros
 *     61      8  your id the other end of that link, in what answers, else zeros
 * ```
 * 69 bytes.
 */
export interface Note {
  readonly kind: NoteKind;
  readonly inbox: Uint8Array;
  readonly joins: number;
  readonly who: Uint8Array;
  readonly ownId: Uint8Array;
  readonly yourId: Uint8Array;
}

/**
 * here: joined just now, answer me. answer: here too. gone: here no more. open, accept, refuse: of
 * a link. echo: to oneself, to see whether the broker delivers.
 */
export const NOTE_KINDS = ['here', 'answer', 'gone', 'open', 'accept', 'refuse', 'echo'] as const;

export type NoteKind = (typeof NOTE_KINDS)[number];

export const INBOX_BYTES = 16;
export const NOTE_BYTES = 69;
export const NO_LINK = new Uint8Array(LINK_ID_BYTES);

const DOMAIN = Buffer.from('vb1/mqtt-says\0\0\0');
const AT = { kind: 16, inbox: 17, joins: 33, who: 37, ownId: 53, yourId: 61 } as const;

export function encodeNote(note: Note): Uint8Array {
  const bytes = Buffer.alloc(NOTE_BYTES);
  bytes.set(DOMAIN);
  bytes.writeUInt8(NOTE_KINDS.indexOf(note.kind) + 1, AT.kind);
  bytes.set(note.inbox, AT.inbox);
  bytes.writeUInt32BE(note.joins, AT.joins);
  bytes.set(note.who, AT.who);
  bytes.set(note.ownId, AT.ownId);
  bytes.set(note.yourId, AT.yourId);
  return bytes;
}

/** @returns null for what is no note of this version. */
export function decodeNote(plain: Uint8Array): Note | null {
  if (plain.length !== NOTE_BYTES) return null;
  const bytes = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
  if (!bytes.subarray(0, AT.kind).equals(DOMAIN)) return null;
  const kind = NOTE_KINDS[bytes.readUInt8(AT.kind) - 1];
  if (kind === undefined) return null;
  const part = (at: number, length: number) => Uint8Array.from(bytes.subarray(at, at + length));
  return {
    kind,
    inbox: part(AT.inbox, INBOX_BYTES),
    joins: bytes.readUInt32BE(AT.joins),
    who: part(AT.who, WHO_BYTES),
    ownId: part(AT.ownId, LINK_ID_BYTES),
    yourId: part(AT.yourId, LINK_ID_BYTES),
  };
}
