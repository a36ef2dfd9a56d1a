import { describe, expect, it } from 'vitest';
import { TwinPacker } from '../../src/kernel/twin-packer.ts';
import { type Block, sealBlock } from '../../src/model/block.ts';
import {
  encodeHandOver,
  encodeSuccession,
  type HandOver,
  type Succession,
} from '../../src/model/hand-over.ts';
import type { CausalSequence } from '../../src/model/numbers.ts';
import { makeSyncGroup, type SyncGroup } from '../../src/model/sync-group.ts';
import { judgeHandOver, rootOfHandOver } from '../../src/participant/hand-over-payload.ts';
import { createBuiltInPacts } from '../../src/schema/built-in.ts';
import { sha256, keyedVerifier as verifier } from '../sim/keyed-signer.ts';
import { groupOf, signersOf } from './consensus-fixture.ts';

const signers = signersOf(5);
const owners = signers.slice(0, 4);
const group = groupOf(owners);
const builtIn = createBuiltInPacts(sha256);
const packer = new TwinPacker();
const tools = { packer, verifier, builtIn };

const succession: Succession = {
  group: group.id,
  owners: signers.map(({ id }) => id),
  quorumPolicy: 'two-thirds',
  availability: 'entries',
};

function handOverBy(approvers: typeof signers, of: Succession = succession): HandOver {
  const message = encodeSuccession(of);
  const approvals = approvers.map((each) => ({ owner: each.id, signature: each.sign(message) }));
  return { succession: of, approvals };
}

function judge(payload: Uint8Array, of: SyncGroup = group, change: Partial<Block> = {}) {
  const header = {
    group: of.id,
    issuer: owners[0]!.id,
    sequence: 1 as CausalSequence,
    previous: null,
    dependencies: [],
    entryCount: 0,
    byteLength: payload.length,
    merkleRoot: rootOfHandOver(packer, payload),
    atMs: 0,
    ...change,
  };
  return judgeHandOver(tools, of, sealBlock(sha256, header, new Uint8Array(64)), payload);
}

describe('a hand-over', () => {
  it('holds where a Quorum signed for just this one', () => {
    expect(judge(encodeHandOver(handOverBy(owners.slice(0, 3))))).toBeNull();
    expect(judge(encodeHandOver(handOverBy(owners)))).toBeNull();
  });

  it('of fewer, of strangers, or with another signature does not', () => {
    const [first, second] = [owners[0]!, owners[1]!];
    expect(judge(encodeHandOver(handOverBy([first, second])))).toBe('no-quorum');
    expect(judge(encodeHandOver(handOverBy([])))).toBe('no-quorum');
    const stranger = [first, second, signers[4]!];
    expect(judge(encodeHandOver(handOverBy(stranger)))).toBe('approval-not-by-owner');
    const forged = handOverBy(owners);
    forged.approvals[2]!.signature[5]! ^= 1;
    expect(judge(encodeHandOver(forged))).toBe('approval-forged');
  });

  it('cannot be made of approvals of another one', () => {
    const { approvals } = handOverBy(owners);
    const others: Succession[] = [
      { ...succession, owners: owners.map(({ id }) => id) },
      { ...succession, quorumPolicy: 'every-owner' },
      { ...succession, availability: 'headers' },
    ];
    for (const other of others) {
      expect(judge(encodeHandOver({ succession: other, approvals }))).toBe('approval-forged');
    }
    const elsewhere = groupOf(owners, 'another Pact');
    const signed = encodeHandOver(handOverBy(owners));
    expect(judge(signed, elsewhere)).toBe('hand-over-of-another');
  });

  it('is judged by the policy of the group that ends', () => {
    const all = groupOf(owners, 'all', { quorumPolicy: 'every-owner' });
    const next = { ...succession, group: all.id };
    expect(judge(encodeHandOver(handOverBy(owners.slice(0, 3), next)), all)).toBe('no-quorum');
    expect(judge(encodeHandOver(handOverBy(owners, next)), all)).toBeNull();
  });

  it('whose payload is another than its header says does not hold', () => {
    const payload = encodeHandOver(handOverBy(owners));
    expect(judge(payload, group, { byteLength: 7 })).toBe('payload-not-the-headers');
    const merkleRoot = new Uint8Array(32);
    expect(judge(payload, group, { merkleRoot })).toBe('payload-root-wrong');
    expect(judge(payload.slice(0, -1))).toBe('hand-over-malformed');
  });

  it('of a built-in Pact is none, whoever signed', () => {
    const rules = { pact: builtIn.group.id, quorumPolicy: 'two-thirds', availability: 'entries' };
    const own = makeSyncGroup(sha256, rules as Parameters<typeof makeSyncGroup>[1], [
      owners[0]!.id,
    ]);
    const next = { ...succession, group: own.id };
    const payload = encodeHandOver(handOverBy([owners[0]!], next));
    expect(judge(payload, own)).toBe('hand-over-of-built-in');
  });
});
