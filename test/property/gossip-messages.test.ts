import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Assembly, AssemblyRoom } from '../../src/gossip/fragment.ts';
import { decodeMessage } from '../../src/gossip/message-reader.ts';
import { digestMessages, encodeMessage, hashDigest } from '../../src/gossip/message-writer.ts';
import { BYE_REASONS, type Lane, type Message } from '../../src/gossip/messages.ts';
import { Outbox } from '../../src/gossip/outbox.ts';
import { paceOf } from '../../src/gossip/pace.ts';
import { GOSSIP_SETTINGS } from '../../src/gossip/settings.ts';
import type { Digest, GroupDigest } from '../../src/gossip/source.ts';
import { compareText, type Hex32, toHex, toHex32 } from '../../src/model/bytes.ts';
import type { Ballot, CausalSequence, Level } from '../../src/model/numbers.ts';
import {
  blockOf,
  certificateOf,
  cutOf,
  hash,
  idOf,
  metablockOf,
  noteOf,
  payloadOf,
} from '../unit/gossip-samples.ts';

const PACE = paceOf(GOSSIP_SETTINGS, { kind: 'tcp', bytesPerSecond: null, isOrdered: true });

const id: fc.Arbitrary<Hex32> = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((bytes) => bytes.some((byte) => byte > 0))
  .map((bytes) => toHex32(bytes));

const ids = fc.array(id, { maxLength: 20 });
const sortedIds = fc.uniqueArray(id, { maxLength: 5 }).map((list) => [...list].sort(compareText));
const u32 = fc.nat(0xffff_ffff);
const safe = fc.maxSafeNat();
const eight = fc.uint8Array({ minLength: 8, maxLength: 8 });

const groupDigest = (group: Hex32): fc.Arbitrary<GroupDigest> =>
  fc
    .record({
      level: safe.filter((level) => level < Number.MAX_SAFE_INTEGER),
      metablock: fc.option(id),
      head: fc.option(id),
      ballot: safe,
      issuers: sortedIds,
      sequence: fc.integer({ min: 1, max: 2 ** 40 }),
    })
    .map((each) => ({
      group,
      finalized:
        each.metablock === null ? null : { level: each.level as Level, metablock: each.metablock },
      head: each.head,
      ballot: each.ballot as Ballot,
      issuers: each.issuers.map((issuer) => ({
        issuer,
        sequence: each.sequence as CausalSequence,
        block: issuer,
      })),
    }));

const digest: fc.Arbitrary<Digest> = sortedIds.chain((groups) =>
  fc.tuple(...groups.map((group) => groupDigest(group))),
);

const GROUP = idOf('group');
const sample = blockOf({ group: GROUP, issuer: idOf('a'), sequence: 2, payload: payloadOf(50) });
const metablock = metablockOf({
  group: GROUP,
  issuer: idOf('a'),
  generation: 3,
  predecessor: null,
  blocks: [sample.block],
});

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant('greeting' as const),
    incarnation: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => toHex(bytes)),
    ordinal: u32,
    held: fc.array(u32, { maxLength: 8 }),
  }),
  ids.map((peers): Message => ({ kind: 'neighbours', peers })),
  fc
    .tuple(fc.constantFrom('want-blocks', 'want-metablocks', 'not-found'), ids)
    .map(([kind, list]): Message => ({ kind, ids: list })),
  fc.tuple(id, id, safe).map(
    ([group, issuer, from]): Message => ({
      kind: 'want-range',
      range: 'causal',
      group,
      issuer,
      from: from as CausalSequence,
    }),
  ),
  fc.tuple(id, safe).map(
    ([group, from]): Message => ({
      kind: 'want-range',
      range: 'chain',
      group,
      from: from as Level,
    }),
  ),
  fc.tuple(id, fc.option(id), safe, safe).map(
    ([group, issuer, next, end]): Message => ({
      kind: 'chunk-end',
      range: issuer === null ? 'chain' : 'causal',
      group,
      issuer,
      next,
      end,
    }),
  ),
  id.map((each): Message => ({ kind: 'digest-short', hash: each })),
  digest.map((groups): Message => ({ kind: 'digest', groups })),
  fc.nat(255).map((method): Message => ({ kind: 'expands', method })),
  fc.tuple(eight, fc.uint8Array({ minLength: 32, maxLength: 32 }), safe).map(
    ([sender, key, next]): Message => ({
      kind: 'hall-key',
      sender,
      key,
      verifier: key.toReversed(),
      next,
    }),
  ),
  fc.tuple(eight, safe).map(([sender, next]): Message => ({ kind: 'hall-heard', sender, next })),
  fc.tuple(fc.constantFrom('ping', 'pong'), u32).map(([kind, token]): Message => ({ kind, token })),
  fc.constantFrom(...BYE_REASONS).map((reason): Message => ({ kind: 'bye', reason })),
  fc
    .boolean()
    .map((answer): Message => ({ kind: 'item', item: { kind: 'block', ...sample }, answer })),
  fc.constantFrom<Message>(
    { kind: 'item', item: { kind: 'block', block: sample.block, payload: null }, answer: true },
    { kind: 'item', item: { kind: 'metablock', metablock }, answer: false },
    {
      kind: 'item',
      item: { kind: 'certificate', certificate: certificateOf(GROUP, metablock, idOf('b'), 7) },
      answer: true,
    },
    {
      kind: 'item',
      item: { kind: 'ballot-note', note: noteOf(GROUP, idOf('c'), 9) },
      answer: false,
    },
    {
      kind: 'item',
      item: { kind: 'cut', cut: cutOf(GROUP, { level: 31, metablock }, []), metablock },
      answer: true,
    },
    {
      kind: 'item',
      item: {
        kind: 'cut',
        cut: cutOf(GROUP, { level: 0, metablock: null }, [sample.block]),
        metablock: null,
      },
      answer: false,
    },
  ),
);

describe('a message', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(message, (each) => {
        const read = decodeMessage(hash, encodeMessage(each));
        expect(read.ok && read.value?.message).toEqual(each);
      }),
      { numRuns: 500 },
    );
  });

  it('has no other bytes: what reads as a message is what it would be written as', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), (each, at, flip) => {
        const bytes = encodeMessage(each);
        const index = at % bytes.length;
        bytes[index] = bytes[index]! ^ flip;
        const read = decodeMessage(hash, bytes);
        if (read.ok && read.value !== null) {
          expect(encodeMessage(read.value.message)).toEqual(bytes);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('cut short or with a byte too many is refused, never thrown', () => {
    fc.assert(
      fc.property(message, fc.nat(), (each, cut) => {
        const bytes = encodeMessage(each);
        const short = decodeMessage(hash, bytes.subarray(0, cut % bytes.length));
        const long = decodeMessage(hash, Uint8Array.of(...bytes, 0));
        expect([short.ok, long.ok]).toEqual([false, false]);
      }),
    );
  });

  it('of any bytes at all is refused or read, never thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const read = decodeMessage(hash, bytes);
        expect(read.ok || read.reason === 'message-malformed').toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the hash of a digest', () => {
  it('is the same whatever the Ballots, and another for any other difference', () => {
    fc.assert(
      fc.property(digest, digest, (a, b) => {
        const calm = (groups: Digest) => groups.map((each) => ({ ...each, ballot: 0 as Ballot }));
        const isSame = JSON.stringify(calm(a)) === JSON.stringify(calm(b));
        expect(hashDigest(hash, a) === hashDigest(hash, b)).toBe(isSame);
        expect(hashDigest(hash, calm(a))).toBe(hashDigest(hash, a));
      }),
    );
  });

  it('long digests go out in several messages that say the same together', () => {
    const many = Array.from({ length: 2_500 }, (_, index) => idOf(`group ${index}`))
      .sort(compareText)
      .map((group): GroupDigest => {
        return { group, finalized: null, head: null, ballot: 0 as Ballot, issuers: [] };
      });
    const messages = digestMessages(many);
    expect(messages.length).toBe(3);
    expect(messages.flatMap((each) => (each.kind === 'digest' ? each.groups : []))).toEqual(many);
    for (const each of messages) expect(decodeMessage(hash, encodeMessage(each)).ok).toBe(true);
  });
});

describe('fragments', () => {
  const lone = { owner: 'lone', onEvicted: () => expect.unreachable('nobody else is here') };
  const lane = fc.constantFrom<Lane>('urgent', 'bulk');
  const sized = fc.record({ lane, length: fc.integer({ min: 1, max: 700 }) });

  it('bring every message back whole, in the order of its lane, through frames of any size', () => {
    fc.assert(
      fc.property(
        fc.array(sized, { maxLength: 40 }),
        fc.integer({ min: 8, max: 2_000 }),
        fc.array(fc.boolean(), { maxLength: 200 }),
        (messages, frameBytes, pauses) => {
          const outbox = new Outbox(PACE);
          const room = new AssemblyRoom(1_000_000);
          const assembly = new Assembly(room, lone);
          const got: Record<Lane, Uint8Array[]> = { urgent: [], bulk: [] };
          const queue = messages.map(({ lane: at, length }, seed) => {
            const bytes = new Uint8Array(length).fill(seed);
            bytes[0] = at === 'bulk' ? 1 : 0;
            return { lane: at, bytes };
          });
          const waiting = [...queue];
          const frame = new Uint8Array(frameBytes);
          for (let turn = 0; waiting.length > 0 || !outbox.isEmpty; turn++) {
            const next = pauses[turn] === true ? undefined : waiting.shift();
            if (next !== undefined) outbox.push(next.lane, next.bytes);
            const used = outbox.fill(frame);
            const read = assembly.read(frame.slice(0, used));
            if (!read.ok) throw new Error(read.reason);
            for (const bytes of read.value) {
              got[bytes[0] === 1 ? 'bulk' : 'urgent'].push(bytes.slice());
            }
          }
          for (const at of ['urgent', 'bulk'] as const) {
            const sent = queue.filter((each) => each.lane === at).map((each) => each.bytes);
            expect(got[at]).toEqual(sent);
          }
          expect(room.usedBytes).toBe(0);
        },
      ),
    );
  });

  it('of any bytes at all are refused or read, and never hold more than the room', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 50 }), (frames) => {
        const room = new AssemblyRoom(500);
        const assembly = new Assembly(room, lone, { urgent: 300, bulk: 400 });
        for (const frame of frames) assembly.read(frame);
        expect(room.usedBytes).toBeLessThanOrEqual(500);
        assembly.drop();
        expect(room.usedBytes).toBe(0);
      }),
    );
  });
});
