import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Block, sealBlock } from '../../src/model/block.ts';
import { type Hex32, toHex32 } from '../../src/model/bytes.ts';
import { type Certificate, sealCertificate } from '../../src/model/certificate.ts';
import { type Metablock, sealMetablock } from '../../src/model/metablock.ts';
import type { Ballot, CausalSequence, Generation } from '../../src/model/numbers.ts';
import { findBrokenPromises, findForgotten, findForks, type Testimony } from './testimony.ts';

const hash = (message: Uint8Array) => createHash('sha256').update(message).digest();
const id = (byte: number): Hex32 => toHex32(new Uint8Array(32).fill(byte));
const GROUP = id(1);
const [ADA, BERT] = [id(2), id(3)];
const SIGNATURE = new Uint8Array(64);

function metablock(issuer: Hex32, generation: number, after: Metablock | null): Metablock {
  const predecessors = [{ group: GROUP, metablock: after?.id ?? null }];
  const body = { issuer, generation: generation as Generation, predecessors, blocks: [] };
  return sealMetablock(hash, body, SIGNATURE);
}

function certificate(certifier: Hex32, of: Metablock, ballot: number): Certificate {
  const entries = [{ group: GROUP, ballot: ballot as Ballot }];
  return sealCertificate({ certifier, metablock: of.id, entries }, SIGNATURE);
}

function block(issuer: Hex32, sequence: number, atMs: number): Block {
  const header = {
    group: GROUP,
    issuer,
    sequence: sequence as CausalSequence,
    previous: sequence === 1 ? null : id(9),
    dependencies: [],
    entryCount: 1,
    byteLength: 9,
    merkleRoot: new Uint8Array(32),
    atMs,
  };
  return sealBlock(hash, header, SIGNATURE);
}

function testimony(participant: Hex32, more: Partial<Testimony>): Testimony {
  return {
    participant,
    certificates: [],
    metablocks: [],
    blocks: [],
    heads: new Map(),
    ...more,
  };
}

const first = metablock(ADA, 0, null);
const child = metablock(ADA, 1, first);
const rival = metablock(BERT, 1, first);
const metablocks = [first, child, rival];

test('two rivals that one owner certified at one Ballot are found', () => {
  const one = testimony(ADA, { metablocks, certificates: [certificate(ADA, child, 4)] });
  const two = testimony(BERT, { metablocks, certificates: [certificate(ADA, rival, 4)] });
  expect(findBrokenPromises([one, two])).toHaveLength(1);
});

test('one chain at one Ballot, rivals at two Ballots and rivals of two owners are no lie', () => {
  const certificates = [
    certificate(ADA, first, 4),
    certificate(ADA, child, 4),
    certificate(ADA, rival, 5),
    certificate(BERT, rival, 4),
  ];
  expect(findBrokenPromises([testimony(ADA, { metablocks, certificates })])).toEqual([]);
});

test('a second Block with a causal sequence is found, in whichever database', () => {
  const one = testimony(ADA, { blocks: [block(ADA, 1, 0), block(ADA, 2, 0)] });
  const two = testimony(BERT, { blocks: [block(ADA, 1, 0), block(BERT, 2, 0)] });
  expect(findForks([one, two])).toEqual([]);
  expect(findForks([one, testimony(BERT, { blocks: [block(ADA, 2, 1)] })])).toHaveLength(1);
});

test('what others have of a Participant and it has not itself is found', () => {
  const all = {
    blocks: [block(ADA, 1, 0)],
    metablocks,
    certificates: [certificate(ADA, child, 1)],
  };
  const others = testimony(BERT, all);
  expect(findForgotten([testimony(ADA, all), others])).toEqual([]);
  for (const lost of ['blocks', 'metablocks', 'certificates'] as const) {
    expect(findForgotten([testimony(ADA, { ...all, [lost]: [] }), others])).not.toEqual([]);
    const heads = new Map([[GROUP, child.generation - 1]]);
    expect(findForgotten([testimony(ADA, { ...all, [lost]: [], heads }), others])).not.toEqual([]);
  }
});

test('what lies up to the finalized head of its signer may be gone, but no Block', () => {
  const others = testimony(BERT, { metablocks, certificates: [certificate(ADA, child, 1)] });
  const heads = new Map([[GROUP, child.generation]]);
  expect(findForgotten([testimony(ADA, { heads }), others])).toEqual([]);
  const blocks = [block(ADA, 1, 0)];
  expect(findForgotten([testimony(ADA, { heads }), testimony(BERT, { blocks })])).toHaveLength(1);
});
