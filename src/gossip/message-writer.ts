import { fromHex, type HashFunction, type Hex32, toHex32 } from '../model/bytes.ts';
import { ByteWriter, domainOf } from '../model/codec.ts';
import { encodeForkProof } from '../model/fork-proof.ts';
import { invariant } from '../model/invariant.ts';
import type { ChunkEndMessage, GreetingMessage, ItemMessage, Message, Range } from './messages.ts';
import { ANSWER_FLAG, BYE_REASONS, MESSAGE_CODES, RANGE_CODES } from './messages.ts';
import { GOSSIP_LIMITS } from './settings.ts';
import type { Digest, GroupDigest } from './source.ts';

/**
 * Writes one message. The first byte says its kind (`MESSAGE_CODES`); integers are big-endian; ids
 * have 32 bytes, and 32 zeros stand for none. All after the first byte:
 *
 * ```
 * greeting          8 incarnation | 4 ordinal | 2 count, 4 * n ordinals held
 * neighbours        2 count | 32 * n Avatar ids
 * item-block        1 flags | 2 length, header bytes | payload to the end
 * item-header       1 flags | Block Header bytes to the end
 * item-metablock    1 flags | Metablock bytes to the end
 * item-certificate  1 flags | Certificate bytes to the end
 * item-ballot-note  1 flags | ballot note bytes to the end
 * item-fork-proof   1 flags | fork proof bytes to the end
 * want-forks        32 group
 * item-cut          1 flags | 2 length, cut bytes | Metablock bytes, or nothing, to the end
 * want-blocks       2 count | 32 * n Block ids
 * want-metablocks   2 count | 32 * n Metablock ids
 * want-causal       32 group | 32 issuer | 8 from
 * want-chain        32 group | 8 from
 * chunk-end         1 range | 32 group | 32 issuer or none | 8 next | 8 end
 * not-found         2 count | 32 * n ids
 * digest-short      32 hash
 * digest            2 count | n groups, as `writeGroup` lays them out
 * expands           1 method
 * hall-key          8 sender | 32 key | 32 verifier | 8 next
 * hall-heard        8 sender | 8 next
 * ping, pong        4 token
 * bye               1 reason, place in `BYE_REASONS`
 * ```
 * Flags: 1 sent as an answer. Header, Metablock, Certificate and note bytes: docs/formats.md.
 */
export function encodeMessage(message: Message): Uint8Array {
  switch (message.kind) {
    case 'greeting':
      return writeGreeting(message);
    case 'neighbours':
      return writeIds('neighbours', message.peers);
    case 'item':
      return writeItem(message);
    case 'want-blocks':
    case 'want-metablocks':
    case 'not-found':
      return writeIds(message.kind, message.ids);
    case 'want-range':
      return writeRange(message);
    case 'want-forks':
      return new ByteWriter(33).u8(MESSAGE_CODES['want-forks']).id(message.group).finish();
    case 'chunk-end':
      return writeChunkEnd(message);
    case 'digest-short':
      return new ByteWriter(33).u8(MESSAGE_CODES['digest-short']).id(message.hash).finish();
    case 'digest':
      return writeDigest(message.groups);
    case 'expands':
      return Uint8Array.of(MESSAGE_CODES.expands, message.method);
    case 'hall-key': {
      const writer = new ByteWriter(81).u8(MESSAGE_CODES['hall-key']).raw(message.sender);
      return writer.raw(message.key).raw(message.verifier).u64(message.next).finish();
    }
    case 'hall-heard':
      return new ByteWriter(17)
        .u8(MESSAGE_CODES['hall-heard'])
        .raw(message.sender)
        .u64(message.next)
        .finish();
    case 'ping':
    case 'pong':
      return new ByteWriter(5).u8(MESSAGE_CODES[message.kind]).u32(message.token).finish();
    case 'bye':
      return Uint8Array.of(MESSAGE_CODES.bye, BYE_REASONS.indexOf(message.reason));
    default:
      return message satisfies never;
  }
}

function writeGreeting(message: GreetingMessage): Uint8Array {
  const writer = new ByteWriter(64)
    .u8(MESSAGE_CODES.greeting)
    .raw(fromHex(message.incarnation))
    .u32(message.ordinal)
    .u16(message.held.length);
  for (const ordinal of message.held) writer.u32(ordinal);
  return writer.finish();
}

function writeIds(
  name: 'neighbours' | 'want-blocks' | 'want-metablocks' | 'not-found',
  ids: readonly Hex32[],
): Uint8Array {
  const writer = new ByteWriter(3 + 32 * ids.length).u8(MESSAGE_CODES[name]).u16(ids.length);
  for (const id of ids) writer.id(id);
  return writer.finish();
}

function writeItem({ item, answer }: ItemMessage): Uint8Array {
  const flags = answer ? ANSWER_FLAG : 0;
  switch (item.kind) {
    case 'block':
      return item.payload === null
        ? prefixed(MESSAGE_CODES['item-header'], flags, item.block.bytes)
        : writeBlock(flags, item.block.bytes, item.payload);
    case 'metablock':
      return prefixed(MESSAGE_CODES['item-metablock'], flags, item.metablock.bytes);
    case 'certificate':
      return prefixed(MESSAGE_CODES['item-certificate'], flags, item.certificate.bytes);
    case 'ballot-note':
      return prefixed(MESSAGE_CODES['item-ballot-note'], flags, item.note.bytes);
    case 'fork-proof':
      return prefixed(MESSAGE_CODES['item-fork-proof'], flags, encodeForkProof(item.proof));
    case 'cut': {
      const writer = new ByteWriter(2_048).shortBytes(item.cut.bytes);
      const body = writer.raw(item.metablock?.bytes ?? new Uint8Array(0)).finish();
      return prefixed(MESSAGE_CODES['item-cut'], flags, body);
    }
    default:
      return item satisfies never;
  }
}

function prefixed(code: number, flags: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + body.length);
  bytes[0] = code;
  bytes[1] = flags;
  bytes.set(body, 2);
  return bytes;
}

/** By hand, because a payload of 64 MiB should be copied once. */
function writeBlock(flags: number, header: Uint8Array, payload: Uint8Array): Uint8Array {
  invariant(payload.length <= GOSSIP_LIMITS.payloadBytesMax, 'a payload within its bound');
  const bytes = new Uint8Array(4 + header.length + payload.length);
  bytes[0] = MESSAGE_CODES['item-block'];
  bytes[1] = flags;
  bytes[2] = header.length >>> 8;
  bytes[3] = header.length & 0xff;
  bytes.set(header, 4);
  bytes.set(payload, 4 + header.length);
  return bytes;
}

function writeRange(range: Range): Uint8Array {
  const writer = new ByteWriter(73).u8(MESSAGE_CODES[`want-${range.range}`]).id(range.group);
  if (range.range === 'causal') writer.id(range.issuer);
  return writer.u64(range.from).finish();
}

function writeChunkEnd(message: ChunkEndMessage): Uint8Array {
  return new ByteWriter(82)
    .u8(MESSAGE_CODES['chunk-end'])
    .u8(RANGE_CODES[message.range])
    .id(message.group)
    .idOrNone(message.issuer)
    .u64(message.next)
    .u64(message.end)
    .finish();
}

function writeDigest(groups: Digest): Uint8Array {
  const writer = new ByteWriter(1_024).u8(MESSAGE_CODES.digest).u16(groups.length);
  for (const group of groups) {
    writeGroup(writer, group);
    writer.u64(group.ballot);
  }
  return writer.finish();
}

/**
 * ```
 * offset  bytes  field      meaning
 *      0     32  group      Sync Group id
 *     32      8  level      1 + the finalized Level, 0 for none
 *     40     32  metablock  the last Finalized one, or none
 *     72     32  head       the Finalizable head above it, or none
 *    104      2  count      issuers
 *    106  80 * n issuers    32 Avatar id | 8 causal sequence | 32 Block id | 8 fork; ascending
 * ```
 * `fork` is the causal sequence of the earliest fork known of the log, and 0 where none is; the
 * sequence and Block are then the last before it at most, or zeros.
 * In a digest message 8 bytes of Ballot follow; in a digest's hash they do not.
 */
function writeGroup(writer: ByteWriter, group: GroupDigest): void {
  writer
    .id(group.group)
    .u64(group.finalized === null ? 0 : group.finalized.level + 1)
    .idOrNone(group.finalized?.metablock ?? null)
    .idOrNone(group.head)
    .u16(group.issuers.length);
  for (const each of group.issuers) {
    writer
      .id(each.issuer)
      .u64(each.sequence)
      .idOrNone(each.block)
      .u64(each.fork ?? 0);
  }
}

const DIGEST = domainOf('vb1/digest');

/** The same at two Participants that stand at the same place everywhere; Ballots left aside. */
export function hashDigest(hash: HashFunction, digest: Digest): Hex32 {
  const writer = new ByteWriter(1_024).raw(DIGEST);
  for (const group of digest) writeGroup(writer, group);
  return toHex32(hash(writer.finish()));
}

/** Cuts a digest into messages within their limits; one at least, which asks for theirs. */
export function digestMessages(digest: Digest): Message[] {
  const messages: Message[] = [];
  let groups: GroupDigest[] = [];
  let issuers = 0;
  for (const group of digest) {
    const full =
      groups.length === GOSSIP_LIMITS.digestGroupsMax ||
      issuers + group.issuers.length > GOSSIP_LIMITS.digestIssuersMax;
    if (full) {
      messages.push({ kind: 'digest', groups });
      groups = [];
      issuers = 0;
    }
    groups.push(group);
    issuers += group.issuers.length;
  }
  if (groups.length > 0 || messages.length === 0) messages.push({ kind: 'digest', groups });
  return messages;
}
