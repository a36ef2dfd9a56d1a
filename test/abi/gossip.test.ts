import { describe, expect, it } from 'vitest';
import { CompressedIncoming } from '../../src/gossip/compressed-framing.ts';
import { Assembly, AssemblyRoom } from '../../src/gossip/fragment.ts';
import { decodeMessage } from '../../src/gossip/message-reader.ts';
import { encodeMessage, hashDigest } from '../../src/gossip/message-writer.ts';
import type { Message } from '../../src/gossip/messages.ts';
import type { Digest } from '../../src/gossip/source.ts';
import { fromHex, toHex } from '../../src/model/bytes.ts';
import type { Ballot, CausalSequence, Level } from '../../src/model/numbers.ts';
import golden from './golden.json' with { type: 'json' };
import { block, cut, forkProof, group, hash, id, metablock } from './samples.ts';

/** One log grows, one forks after its third Block, one at its beginning. */
const digest: Digest = [
  {
    group,
    finalized: { level: 4 as Level, metablock: metablock.id },
    head: id('e7'),
    ballot: 9 as Ballot,
    issuers: [
      { issuer: id('b1'), sequence: 2 as CausalSequence, block: block.id },
      {
        issuer: id('b2'),
        sequence: 3 as CausalSequence,
        block: id('c3'),
        fork: 4 as CausalSequence,
      },
      {
        issuer: id('b3'),
        sequence: 0 as CausalSequence,
        block: null,
        fork: 1 as CausalSequence,
      },
    ],
  },
];

type Golden = typeof golden;
type GoldenName = {
  [Name in keyof Golden]: Golden[Name] extends string ? Name : never;
}[keyof Golden];

const MESSAGES: readonly (readonly [GoldenName, number, Message])[] = [
  [
    'itemForkProof',
    19,
    { kind: 'item', item: { kind: 'fork-proof', proof: forkProof }, answer: true },
  ],
  ['expands', 26, { kind: 'expands', method: 1 }],
  [
    'hallKey',
    27,
    {
      kind: 'hall-key',
      sender: new Uint8Array(8).fill(1),
      key: new Uint8Array(32).fill(2),
      verifier: new Uint8Array(32).fill(3),
      next: 0x0102030405,
    },
  ],
  ['hallHeard', 28, { kind: 'hall-heard', sender: new Uint8Array(8).fill(1), next: 7 }],
  ['wantForks', 20, { kind: 'want-forks', group }],
  ['itemCut', 24, { kind: 'item', item: { kind: 'cut', cut, metablock: null }, answer: false }],
  ['itemCutBeginning', 24, { kind: 'item', item: { kind: 'cut', cut, metablock }, answer: true }],
  ['digestWithForks', 15, { kind: 'digest', groups: digest }],
];

describe('compressed frames', () => {
  it('become what they always became, by what came before them', () => {
    const incoming = new CompressedIncoming(
      new Assembly(new AssemblyRoom(100_000), { owner: 'x', onEvicted: () => undefined }),
    );
    const [plain, first, second] = golden.compressedFrames.map(fromHex);
    const messages = [plain!, first!, second!].map((frame) => {
      const read = incoming.read(frame);
      return read.ok ? read.value.map(toHex) : read.reason;
    });
    expect([first![0], second![0]]).toEqual([4, 4]);
    expect(messages).toEqual([[golden.wantForks], [golden.itemCut], [golden.itemCut]]);
  });
});

describe('messages of gossip', () => {
  it.each(MESSAGES)('%s: today’s bytes are the golden ones', (name, code, message) => {
    const bytes = encodeMessage(message);
    expect(bytes[0]).toBe(code);
    expect(toHex(bytes)).toBe(golden[name]);
  });

  it.each(MESSAGES)('%s: golden bytes read as what they were made of', (name, _code, message) => {
    const read = decodeMessage(hash, fromHex(golden[name]));
    expect(read).toMatchObject({ ok: true, value: { message } });
  });

  it.each(MESSAGES)('%s: no prefix of it reads, nor does one byte more', (name) => {
    const bytes = fromHex(golden[name]);
    for (let length = 0; length < bytes.length; length++) {
      const read = decodeMessage(hash, bytes.slice(0, length));
      // What is left where the Metablock is cut off whole is a cut that says where, and no more.
      const isCutAlone = name === 'itemCutBeginning' && length === fromHex(golden.itemCut).length;
      expect(read.ok, `${length} bytes`).toBe(isCutAlone);
    }
    expect(decodeMessage(hash, Uint8Array.from([...bytes, 0])).ok).toBe(false);
  });

  it('the hash of a digest is as it ever was, and a fork makes it another', () => {
    expect(hashDigest(hash, digest)).toBe(golden.digestHash);
    const [one] = digest;
    const issuers = one!.issuers.map(({ fork: _fork, ...each }) => each);
    expect(hashDigest(hash, [{ ...one!, issuers }])).not.toBe(golden.digestHash);
  });
});
