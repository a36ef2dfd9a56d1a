import { BLOCK_HEADER_BYTES_MAX, decodeBlock } from '../model/block.ts';
import { type HashFunction, isSortedSet, toHex } from '../model/bytes.ts';
import {
  BALLOT_NOTE_BYTES,
  CERTIFICATE_BYTES_MAX,
  decodeBallotNote,
  decodeCertificate,
} from '../model/certificate.ts';
import { type ByteReader, CodecError, decoding } from '../model/codec.ts';
import { CUT_BYTES_MAX, decodeCut } from '../model/cut.ts';
import { decodeForkProof, FORK_PROOF_BYTES_MAX } from '../model/fork-proof.ts';
import { decodeMetablock, METABLOCK_BYTES_MAX } from '../model/metablock.ts';
import type { Ballot, CausalSequence, Level } from '../model/numbers.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import { SENDER_BYTES } from './hall-seal.ts';
import type { GossipItem } from './item.ts';
import type { Message, MessageName } from './messages.ts';
import { ANSWER_FLAG, BYE_REASONS, MESSAGE_NAMES, RANGE_CODES } from './messages.ts';
import { GOSSIP_LIMITS } from './settings.ts';
import type { CausalDigest, GroupDigest } from './source.ts';

/** A message, and the name under which it is counted; null where the kind is not known here. */
export type ReadMessage = { readonly name: MessageName; readonly message: Message } | null;

/** Thrown where a part of a message has its own verdict, and turned into that of the message. */
class PartError extends CodecError {}

/**
 * Reads one message of a peer; every length and count is checked before anything is made for it.
 * A kind from a later version is not a lie, so not refused.
 */
export function decodeMessage(
  hash: HashFunction,
  bytes: Uint8Array,
): Verdict<ReadMessage, 'message-malformed'> {
  const code = bytes[0];
  if (code === undefined) return refuse('message-malformed', 'empty');
  const name = MESSAGE_NAMES[code];
  if (name === undefined) return accept(null);
  const read = decoding(bytes.subarray(1), (reader) => readBody(hash, name, reader));
  return read.ok
    ? accept({ name, message: read.value })
    : refuse('message-malformed', `${name}: ${read.detail}`);
}

function readBody(hash: HashFunction, name: MessageName, reader: ByteReader): Message {
  switch (name) {
    case 'greeting':
      return readGreeting(reader);
    case 'neighbours':
      return { kind: 'neighbours', peers: readIds(reader, GOSSIP_LIMITS.neighboursMax) };
    case 'item-block':
    case 'item-header':
    case 'item-metablock':
    case 'item-certificate':
    case 'item-ballot-note':
    case 'item-fork-proof':
    case 'item-cut': {
      const flags = reader.u8();
      if (flags > ANSWER_FLAG) throw new CodecError(`flags ${flags}`);
      return { kind: 'item', item: readItem(hash, name, reader), answer: flags === ANSWER_FLAG };
    }
    case 'want-blocks':
    case 'want-metablocks':
    case 'not-found':
      return { kind: name, ids: readIds(reader, GOSSIP_LIMITS.idsMax) };
    case 'want-forks':
      return { kind: 'want-forks', group: reader.id() };
    case 'want-causal':
    case 'want-chain':
    case 'chunk-end':
      return readRange(name, reader);
    case 'digest-short':
      return { kind: 'digest-short', hash: reader.id() };
    case 'digest':
      return { kind: 'digest', groups: readDigest(reader) };
    case 'expands':
      return { kind: 'expands', method: reader.u8() };
    case 'hall-key': {
      const [sender, key, verifier] = [reader.raw(SENDER_BYTES), reader.raw(32), reader.raw(32)];
      return { kind: 'hall-key', sender, key, verifier, next: reader.u64() };
    }
    case 'hall-heard':
      return { kind: 'hall-heard', sender: reader.raw(SENDER_BYTES), next: reader.u64() };
    case 'ping':
    case 'pong':
      return { kind: name, token: reader.u32() };
    case 'bye': {
      const reason = BYE_REASONS[reader.u8()];
      if (reason === undefined) throw new CodecError('a reason out of range');
      return { kind: 'bye', reason };
    }
    default:
      return name satisfies never;
  }
}

function readGreeting(reader: ByteReader): Message {
  const incarnation = toHex(reader.raw(8));
  const ordinal = reader.u32();
  const count = reader.count(GOSSIP_LIMITS.heldLinksMax);
  const held = Array.from({ length: count }, () => reader.u32());
  return { kind: 'greeting', incarnation, ordinal, held };
}

function readIds(reader: ByteReader, max: number) {
  return Array.from({ length: reader.count(max) }, () => reader.id());
}

function partOf<Value>(verdict: Verdict<Value>): Value {
  if (verdict.ok) return verdict.value;
  throw new PartError(`${verdict.reason}, ${verdict.detail ?? 'no detail'}`);
}

function readRest(reader: ByteReader, max: number): Uint8Array {
  if (reader.remaining > max) throw new CodecError(`${reader.remaining} bytes, at most ${max}`);
  return reader.raw(reader.remaining);
}

function readItem(
  hash: HashFunction,
  name: MessageName & `item-${string}`,
  reader: ByteReader,
): GossipItem {
  switch (name) {
    case 'item-block': {
      const block = partOf(decodeBlock(hash, reader.shortBytes(BLOCK_HEADER_BYTES_MAX)));
      const payload = readRest(reader, GOSSIP_LIMITS.payloadBytesMax);
      if (payload.length !== block.byteLength) throw new CodecError('payload of another length');
      return { kind: 'block', block, payload };
    }
    case 'item-header': {
      const block = partOf(decodeBlock(hash, readRest(reader, BLOCK_HEADER_BYTES_MAX)));
      return { kind: 'block', block, payload: null };
    }
    case 'item-metablock': {
      const metablock = partOf(decodeMetablock(hash, readRest(reader, METABLOCK_BYTES_MAX)));
      return { kind: 'metablock', metablock };
    }
    case 'item-certificate': {
      const certificate = partOf(decodeCertificate(readRest(reader, CERTIFICATE_BYTES_MAX)));
      return { kind: 'certificate', certificate };
    }
    case 'item-ballot-note': {
      const note = partOf(decodeBallotNote(readRest(reader, BALLOT_NOTE_BYTES)));
      return { kind: 'ballot-note', note };
    }
    case 'item-fork-proof': {
      const proof = partOf(decodeForkProof(hash, readRest(reader, FORK_PROOF_BYTES_MAX)));
      return { kind: 'fork-proof', proof };
    }
    case 'item-cut':
      return readCutItem(hash, reader);
    default:
      return name satisfies never;
  }
}

function readCutItem(hash: HashFunction, reader: ByteReader): GossipItem {
  const cut = partOf(decodeCut(reader.shortBytes(CUT_BYTES_MAX)));
  const bytes = readRest(reader, METABLOCK_BYTES_MAX);
  const metablock = bytes.length === 0 ? null : partOf(decodeMetablock(hash, bytes));
  if (metablock !== null && metablock.id !== cut.metablock) throw new CodecError('not of the cut');
  return { kind: 'cut', cut, metablock };
}

function readRange(name: 'want-causal' | 'want-chain' | 'chunk-end', reader: ByteReader): Message {
  if (name === 'want-causal') {
    const group = reader.id();
    const issuer = reader.id();
    const from = reader.u64() as CausalSequence;
    return { kind: 'want-range', range: 'causal', group, issuer, from };
  }
  if (name === 'want-chain') {
    const group = reader.id();
    return { kind: 'want-range', range: 'chain', group, from: reader.u64() as Level };
  }
  const code = reader.u8();
  const range = code === RANGE_CODES.causal ? 'causal' : 'chain';
  if (code !== RANGE_CODES[range]) throw new CodecError(`range ${code}`);
  const group = reader.id();
  const issuer = reader.idOrNone();
  if ((issuer === null) !== (range === 'chain')) throw new CodecError('issuer against range');
  return { kind: 'chunk-end', range, group, issuer, next: reader.u64(), end: reader.u64() };
}

function readDigest(reader: ByteReader): GroupDigest[] {
  const groups: GroupDigest[] = [];
  let issuers = 0;
  for (let left = reader.count(GOSSIP_LIMITS.digestGroupsMax); left > 0; left--) {
    const group = readGroup(reader);
    issuers += group.issuers.length;
    if (issuers > GOSSIP_LIMITS.digestIssuersMax) throw new CodecError('too many issuers');
    groups.push(group);
  }
  if (!isSortedSet(groups.map((each) => each.group))) throw new CodecError('groups out of order');
  return groups;
}

function readGroup(reader: ByteReader): GroupDigest {
  const group = reader.id();
  const levels = reader.u64();
  const metablock = reader.idOrNone();
  if ((levels === 0) !== (metablock === null)) throw new CodecError('Level against Metablock');
  const head = reader.idOrNone();
  const count = reader.count(GOSSIP_LIMITS.digestGroupIssuersMax);
  const issuers = Array.from({ length: count }, () => readIssuer(reader));
  if (!isSortedSet(issuers.map((each) => each.issuer))) {
    throw new CodecError('issuers out of order');
  }
  const finalized = metablock === null ? null : { level: (levels - 1) as Level, metablock };
  return { group, finalized, head, ballot: reader.u64() as Ballot, issuers };
}

function readIssuer(reader: ByteReader): CausalDigest {
  const issuer = reader.id();
  const sequence = reader.u64() as CausalSequence;
  const block = reader.idOrNone();
  const fork = reader.u64() as CausalSequence;
  if ((sequence === 0) !== (block === null)) throw new CodecError('causal sequence against Block');
  if (fork === 0 && sequence === 0) throw new CodecError('causal sequence 0');
  if (fork === 0) return { issuer, sequence, block };
  if (sequence >= fork) throw new CodecError('a Block at or after the fork');
  return { issuer, sequence, block, fork };
}
