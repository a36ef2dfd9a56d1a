import { createHash } from 'node:crypto';
import { joinBranches } from '../../src/log/fork-proof.ts';
import { type BlockHeader, sealBlock } from '../../src/model/block.ts';
import type { Hex32 } from '../../src/model/bytes.ts';
import { sealBallotNote, sealCertificate } from '../../src/model/certificate.ts';
import { sealCut } from '../../src/model/cut.ts';
import { encodeHandOver, type HandOver } from '../../src/model/hand-over.ts';
import { sealMetablock } from '../../src/model/metablock.ts';
import type {
  Ballot,
  CausalSequence,
  EntrySequence,
  Generation,
  Level,
} from '../../src/model/numbers.ts';
import { deriveGroupId, makeSuccessor } from '../../src/model/sync-group.ts';

export const hash = (message: Uint8Array): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(message).digest());

/** An id that anybody can spell out: one byte, 32 times. */
export const id = (byte: string): Hex32 => byte.repeat(32) as Hex32;

const signature = (byte: number) => new Uint8Array(64).fill(byte);

export const group = deriveGroupId(hash, id('0a'), [id('b1'), id('b2'), id('b3')]);

export const header: BlockHeader = {
  group,
  issuer: id('b1'),
  sequence: 2 as CausalSequence,
  previous: id('c1'),
  dependencies: [id('d1'), id('d2')],
  entryCount: 3,
  byteLength: 4 + 12 + 30,
  merkleRoot: new Uint8Array(32).fill(0xee),
  atMs: 1_700_000_000_123,
};

export const block = sealBlock(hash, header, signature(0x51));

export const metablock = sealMetablock(
  hash,
  {
    generation: 7 as Generation,
    predecessors: [
      { group: id('01'), metablock: null },
      { group, metablock: id('e1') },
    ].sort((a, b) => (a.group < b.group ? -1 : 1)),
    blocks: [block.id, id('c2')],
    issuer: id('b2'),
  },
  signature(0x52),
);

export const certificate = sealCertificate(
  {
    metablock: metablock.id,
    certifier: id('b3'),
    entries: [
      { group: id('01'), ballot: 0 as Ballot },
      { group, ballot: (2 ** 40) as Ballot },
    ].sort((a, b) => (a.group < b.group ? -1 : 1)),
  },
  signature(0x53),
);

export const note = sealBallotNote(
  { group, ballot: 9 as Ballot, owner: id('b1') },
  signature(0x54),
);

export const cut = sealCut(
  {
    group,
    level: 31 as Level,
    metablock: metablock.id,
    lastSequence: 4711 as EntrySequence,
    tips: [
      { issuer: id('b1'), sequence: 2 as CausalSequence, block: block.id },
      { issuer: id('b2'), sequence: (2 ** 33) as CausalSequence, block: id('c2') },
    ],
  },
  [
    { owner: id('b3'), signature: signature(0x57) },
    { owner: id('b1'), signature: signature(0x56) },
  ],
);

/** The same place in its issuer's log as `block`. */
export const otherBlock = sealBlock(
  hash,
  { ...header, dependencies: [], atMs: header.atMs + 1 },
  signature(0x55),
);

export const forkProof = joinBranches([block, otherBlock]);

export const handOver: HandOver = {
  succession: {
    group,
    owners: [id('b1'), id('b2'), id('b4')],
    quorumPolicy: 'every-owner',
    availability: 'headers',
  },
  approvals: [
    { owner: id('b1'), signature: signature(0x55) },
    { owner: id('b3'), signature: signature(0x56) },
  ],
};

export const handOverBytes = encodeHandOver(handOver);

export const handOverBlock = sealBlock(
  hash,
  { ...header, entryCount: 0, byteLength: handOverBytes.length },
  signature(0x57),
);

const origin = { group, at: handOverBlock.id, sequence: 500 as EntrySequence };

export const successor = makeSuccessor(
  hash,
  id('0a'),
  { ...origin, kind: 'hand-over' },
  handOver.succession,
);

export const split = makeSuccessor(
  hash,
  id('0a'),
  { ...origin, kind: 'split', at: null },
  { owners: [id('b2')], quorumPolicy: 'two-thirds', availability: 'entries' },
);
