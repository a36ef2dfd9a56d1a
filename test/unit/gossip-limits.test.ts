import { describe, expect, it } from 'vitest';
import { Assembly, AssemblyRoom, writeFragment } from '../../src/gossip/fragment.ts';
import { decodeMessage } from '../../src/gossip/message-reader.ts';
import { encodeMessage } from '../../src/gossip/message-writer.ts';
import { MESSAGE_CODES, type Message } from '../../src/gossip/messages.ts';
import { Outbox } from '../../src/gossip/outbox.ts';
import { paceOf } from '../../src/gossip/pace.ts';
import { RecentSet } from '../../src/gossip/recent-set.ts';
import { GOSSIP_LIMITS, GOSSIP_SETTINGS } from '../../src/gossip/settings.ts';
import type { GroupDigest } from '../../src/gossip/source.ts';
import { compareText } from '../../src/model/bytes.ts';
import type { Ballot, CausalSequence } from '../../src/model/numbers.ts';
import { blockOf, hash, idOf, payloadOf } from './gossip-samples.ts';

const PACE = paceOf(GOSSIP_SETTINGS, { kind: 'tcp', bytesPerSecond: null, isOrdered: true });

const idsOf = (count: number) => Array.from({ length: count }, (_, index) => idOf(`id ${index}`));

const groupsOf = (count: number, issuerCount: number): GroupDigest[] => {
  const issuers = idsOf(issuerCount)
    .sort(compareText)
    .map((issuer) => ({ issuer, sequence: 1 as CausalSequence, block: issuer }));
  return idsOf(count)
    .sort(compareText)
    .map((group) => ({ group, finalized: null, head: null, ballot: 0 as Ballot, issuers }));
};

const greetingOf = (count: number): Message => ({
  kind: 'greeting',
  incarnation: '0011223344556677',
  ordinal: 1,
  held: Array.from({ length: count }, (_, index) => index),
});

/** Each row makes a message with a count; it may be `max` and not one more. */
const COUNTS: readonly [string, number, (count: number) => Message][] = [
  ['held links', GOSSIP_LIMITS.heldLinksMax, greetingOf],
  [
    'neighbours',
    GOSSIP_LIMITS.neighboursMax,
    (count) => ({ kind: 'neighbours', peers: idsOf(count) }),
  ],
  ['wanted Blocks', GOSSIP_LIMITS.idsMax, (count) => ({ kind: 'want-blocks', ids: idsOf(count) })],
  [
    'wanted Metablocks',
    GOSSIP_LIMITS.idsMax,
    (count) => ({ kind: 'want-metablocks', ids: idsOf(count) }),
  ],
  ['ids not found', GOSSIP_LIMITS.idsMax, (count) => ({ kind: 'not-found', ids: idsOf(count) })],
  [
    'groups of a digest',
    GOSSIP_LIMITS.digestGroupsMax,
    (count) => ({ kind: 'digest', groups: groupsOf(count, 0) }),
  ],
  [
    'issuers of a group',
    GOSSIP_LIMITS.digestGroupIssuersMax,
    (count) => ({ kind: 'digest', groups: groupsOf(1, count) }),
  ],
];

const tenant = (owner: string) => ({ owner, onEvicted: () => expect.unreachable(owner) });
const lone = tenant('lone');

describe('a count in a message', () => {
  it.each(COUNTS)('of %s may be %i and not one more', (_name, max, make) => {
    expect(decodeMessage(hash, encodeMessage(make(max))).ok).toBe(true);
    expect(decodeMessage(hash, encodeMessage(make(max + 1)))).toMatchObject({
      ok: false,
      reason: 'message-malformed',
    });
  });

  it('of issuers in all of a digest has a bound of its own', () => {
    const perGroup = GOSSIP_LIMITS.digestGroupIssuersMax;
    const groups = GOSSIP_LIMITS.digestIssuersMax / perGroup;
    const read = (count: number) => {
      return decodeMessage(
        hash,
        encodeMessage({ kind: 'digest', groups: groupsOf(count, perGroup) }),
      );
    };
    expect(read(groups).ok).toBe(true);
    expect(read(groups + 1).ok).toBe(false);
  });

  it('never makes a digest longer than an urgent message may be', () => {
    const full = encodeMessage({ kind: 'digest', groups: groupsOf(1_024, 8) });
    expect(full.length).toBeLessThan(GOSSIP_LIMITS.urgentBytesMax);
  });
});

describe('a message of a peer', () => {
  const { block, payload } = blockOf({
    group: idOf('group'),
    issuer: idOf('a'),
    sequence: 1,
    payload: payloadOf(100),
  });

  it('of a kind that is not known here is passed over', () => {
    expect(decodeMessage(hash, Uint8Array.of(200, 1, 2, 3))).toEqual({ ok: true, value: null });
    expect(decodeMessage(hash, Uint8Array.of(0))).toEqual({ ok: true, value: null });
  });

  it('with a payload of another length than its header says is refused', () => {
    for (const length of [99, 101]) {
      const item = { kind: 'block', block, payload: payload.slice(0, length) } as const;
      const bytes = encodeMessage({ kind: 'item', item, answer: false });
      const longer = length > 100 ? Uint8Array.of(...bytes, 1) : bytes;
      expect(decodeMessage(hash, longer).ok).toBe(false);
    }
  });

  it.each([
    ['an unknown flag', (bytes: Uint8Array) => bytes.fill(2, 1, 2)],
    ['a header with another domain', (bytes: Uint8Array) => bytes.fill(0, 4, 5)],
    ['a header longer than the message', (bytes: Uint8Array) => bytes.fill(0xff, 2, 4)],
  ])('with %s is refused', (_name, spoil) => {
    const item = { kind: 'block', block, payload } as const;
    const bytes = encodeMessage({ kind: 'item', item, answer: false });
    expect(decodeMessage(hash, bytes).ok).toBe(true);
    expect(decodeMessage(hash, spoil(bytes)).ok).toBe(false);
  });

  it('keeps no hold of the frame that it came in', () => {
    const item = { kind: 'block', block, payload } as const;
    const bytes = encodeMessage({ kind: 'item', item, answer: false });
    const read = decodeMessage(hash, bytes);
    bytes.fill(0);
    expect(read.ok && read.value?.message).toMatchObject({ item: { payload } });
  });

  it('has a code of its own for each kind', () => {
    const codes = Object.values(MESSAGE_CODES);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('a message in the making', () => {
  /** One frame with one fragment. */
  const fragment = (part: Uint8Array, lane: 'urgent' | 'bulk', more: boolean): Uint8Array => {
    const frame = new Uint8Array(part.length + 3);
    writeFragment(frame, 0, part, { lane, more });
    return frame;
  };

  it.each(['urgent', 'bulk'] as const)('of the %s lane may have its bound and no more', (lane) => {
    const limits = { urgent: 100, bulk: 300 };
    for (const [extra, ok] of [
      [0, true],
      [1, false],
    ] as const) {
      const assembly = new Assembly(new AssemblyRoom(1_000), lone, limits);
      expect(assembly.read(fragment(new Uint8Array(40), lane, true)).ok).toBe(true);
      const rest = new Uint8Array(limits[lane] - 40 + extra);
      const read = assembly.read(fragment(rest, lane, false));
      expect(read.ok).toBe(ok);
      if (!read.ok) expect(read.reason).toBe('message-too-long');
      const whole = new Assembly(new AssemblyRoom(1_000), lone, limits);
      const one = whole.read(fragment(new Uint8Array(limits[lane] + extra), lane, false));
      expect(one.ok).toBe(ok);
    }
  });

  it('shares its room with those of all other peers', () => {
    const room = new AssemblyRoom(1_000);
    const first = new Assembly(room, tenant('first'));
    const second = new Assembly(room, tenant('second'));
    expect(first.read(fragment(new Uint8Array(600), 'bulk', true)).ok).toBe(true);
    const read = second.read(fragment(new Uint8Array(600), 'bulk', true));
    expect(read).toMatchObject({ ok: false, reason: 'assembly-full' });
    first.drop();
    expect(second.read(fragment(new Uint8Array(600), 'bulk', true)).ok).toBe(true);
  });

  it('of whoever holds the most gives way to those who hold less', () => {
    const room = new AssemblyRoom(1_000);
    const ended: string[] = [];
    const of = (owner: string, name = owner) => {
      return new Assembly(room, { owner, onEvicted: () => ended.push(name) });
    };
    const [one, other, honest] = [of('greedy', 'one'), of('greedy', 'other'), of('honest')];
    const read = (assembly: Assembly, bytes: number) =>
      assembly.read(fragment(new Uint8Array(bytes), 'bulk', true)).ok;
    expect(read(one, 400)).toBe(true);
    expect(read(other, 500)).toBe(true);
    expect(read(honest, 450)).toBe(true);
    expect(ended).toEqual(['other']);
    expect(room.usedBytes).toBe(850);
    // Its first link has less now than the honest one: nobody gives way to it.
    expect(read(one, 200)).toBe(false);
    honest.drop();
    expect(room.usedBytes).toBe(400);
  });

  it('of parts of one byte each takes no more room than twice its bytes', () => {
    const room = new AssemblyRoom(1_000_000);
    const assembly = new Assembly(room, lone);
    for (let part = 0; part < 10_000; part++) {
      assembly.read(fragment(Uint8Array.of(part & 0xff), 'bulk', true));
    }
    expect(room.usedBytes).toBeLessThanOrEqual(20_000);
    const read = assembly.read(fragment(Uint8Array.of(9), 'bulk', false));
    expect(read.ok && read.value[0]?.length).toBe(10_001);
    expect(room.usedBytes).toBe(0);
  });

  it.each([
    ['no length', [0]],
    ['a length of 0', [0, 0, 0, 0]],
    ['a length beyond the frame', [0, 0, 5, 1]],
    ['an unknown flag', [4, 0, 1, 1]],
  ])('in a frame with %s is refused', (_name, bytes) => {
    const assembly = new Assembly(new AssemblyRoom(100), lone);
    expect(assembly.read(Uint8Array.from(bytes))).toMatchObject({
      ok: false,
      reason: 'fragment-malformed',
    });
  });
});

describe('what waits to be sent', () => {
  it('leaves in one frame when it fits, the urgent first', () => {
    const outbox = new Outbox(PACE);
    outbox.push('bulk', Uint8Array.of(1, 1));
    outbox.push('urgent', Uint8Array.of(2));
    outbox.push('bulk', Uint8Array.of(3));
    const frame = new Uint8Array(100);
    const used = outbox.fill(frame);
    expect([...frame.subarray(0, used)]).toEqual([0, 0, 1, 2, 1, 0, 2, 1, 1, 1, 0, 1, 3]);
    expect(outbox.isEmpty).toBe(true);
  });

  it('counts its bytes down as they leave', () => {
    const outbox = new Outbox(PACE);
    outbox.push('bulk', new Uint8Array(10_000));
    const frame = new Uint8Array(1_003);
    for (let left = 9; left >= 0; left--) {
      outbox.fill(frame);
      expect(outbox.bulkBytes).toBe(left * 1_000);
    }
  });

  it('gives thousands of messages back in order without slowing down', () => {
    const outbox = new Outbox(PACE);
    for (let index = 0; index < 5_000; index++) {
      outbox.push('urgent', Uint8Array.of(index >> 8, index & 0xff));
    }
    const frame = new Uint8Array(50);
    const assembly = new Assembly(new AssemblyRoom(100), lone);
    let next = 0;
    while (!outbox.isEmpty) {
      const read = assembly.read(frame.slice(0, outbox.fill(frame)));
      for (const bytes of read.ok ? read.value : []) {
        expect((bytes[0]! << 8) | bytes[1]!).toBe(next);
        next += 1;
      }
    }
    expect(next).toBe(5_000);
  });
});

describe('what was seen last', () => {
  it('is at least the last half and at most all that may be remembered', () => {
    const seen = new RecentSet(100);
    const sizes: number[] = [];
    const forgotten: number[] = [];
    for (let index = 0; index < 1_000; index++) {
      seen.add(String(index));
      sizes.push(seen.size);
      for (let back = 0; back < 50 && back <= index; back++) {
        if (!seen.has(String(index - back))) forgotten.push(index - back);
      }
    }
    expect(Math.max(...sizes)).toBe(100);
    expect(forgotten).toEqual([]);
    expect(seen.has('0')).toBe(false);
  });
});
