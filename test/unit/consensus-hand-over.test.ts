import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describe as describeState } from '../../src/consensus/metablockchain.ts';
import { choosePending } from '../../src/consensus/pending-blocks.ts';
import { CONSENSUS_LIMITS } from '../../src/consensus/settings.ts';
import { type Block, encodeBlockHeader, sealBlock } from '../../src/model/block.ts';
import type { Metablock } from '../../src/model/metablock.ts';
import type { SyncGroup } from '../../src/model/sync-group.ts';
import { type KeyedSigner, sha256 } from '../sim/keyed-signer.ts';
import {
  blockOf,
  certificateOf,
  groupOf,
  kindsOf,
  metablockOf,
  only,
  Participant,
  signersOf,
  votesOf,
} from './consensus-fixture.ts';

const signers = signersOf(4);
const group = groupOf(signers);
const loose = groupOf(signers, 'headers', { availability: 'headers' });
const [first, second, third, fourth] = [signers[0]!, signers[1]!, signers[2]!, signers[3]!];

/** A hand-over Block; its payload is judged where Blocks are stacked, so any will do here. */
function handOverOf(signer: KeyedSigner, of: SyncGroup, previous: Block | null): Block {
  const header = { ...blockOf(signer, of, previous), entryCount: 0, byteLength: 100 };
  return sealBlock(sha256, header, signer.sign(encodeBlockHeader(header)));
}

/** What a Participant says to a Metablock on a chain, all of whose Blocks it holds. */
function isTaken(chain: readonly (readonly Block[])[], blocks: readonly Block[]): boolean {
  const participant = new Participant(fourth, [group]);
  let before: Metablock | null = null;
  for (const block of [...chain.flat(), ...blocks]) participant.block(block);
  for (const each of chain) {
    before = metablockOf(first, group, before, each);
    participant.metablock(before);
  }
  const effects = participant.metablock(metablockOf(second, group, before, blocks));
  return !kindsOf(effects).includes('refused');
}

describe('a hand-over Block', () => {
  const ordinary = blockOf(first, group, null);
  const handOver = handOverOf(second, group, null);
  const rival = handOverOf(third, group, null);

  it('stands last in its Metablock, and alone of its kind', () => {
    expect(isTaken([], [ordinary, handOver])).toBe(true);
    expect(isTaken([], [handOver, ordinary])).toBe(false);
    expect(isTaken([], [handOver, rival])).toBe(false);
  });

  it('is followed by the empty closing child, and by nothing else', () => {
    expect(isTaken([[handOver]], [])).toBe(true);
    expect(isTaken([[handOver]], [ordinary])).toBe(false);
    expect(isTaken([[handOver]], [rival])).toBe(false);
    expect(isTaken([[handOver], []], [])).toBe(false);
    expect(isTaken([[handOver], []], [ordinary])).toBe(false);
  });

  it('is never followed by a Block, whatever chain it stands on', () => {
    const owners = [first, second, third];
    fc.assert(
      fc.property(
        fc.array(fc.record({ owner: fc.nat(2), ends: fc.boolean(), cut: fc.boolean() }), {
          minLength: 1,
          maxLength: 8,
        }),
        (plan) => {
          const tips = new Map<KeyedSigner, Block>();
          const chain: Block[][] = [[]];
          for (const { owner, ends, cut } of plan) {
            const signer = owners[owner]!;
            const make = ends ? handOverOf : blockOf;
            const block = make(signer, group, tips.get(signer) ?? null);
            tips.set(signer, block);
            chain.at(-1)!.push(block);
            if (cut) chain.push([]);
          }
          const metablocks = chain.filter((blocks) => blocks.length > 0);
          const order = metablocks.flat();
          const ended = order.findIndex(({ entryCount }) => entryCount === 0);
          const isSound = ended < 0 || ended === order.length - 1;
          const isAllTaken = metablocks.every((blocks, index) =>
            isTaken(metablocks.slice(0, index), blocks),
          );
          expect(isAllTaken).toBe(isSound);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is voted for by nobody who lacks its payload, whatever the rules of the group', () => {
    const participant = new Participant(fourth, [loose]);
    const plain = blockOf(first, loose, null);
    const end = handOverOf(first, loose, plain);
    participant.block(plain, false);
    const carrying = metablockOf(first, loose, null, [plain]);
    expect(votesOf(participant.metablock(carrying))).toEqual([`${carrying.id}@0`]);
    const other = new Participant(fourth, [loose]);
    other.block(plain, false);
    other.block(end, false);
    const ending = metablockOf(first, loose, null, [plain, end]);
    expect(votesOf(other.metablock(ending))).toEqual([]);
    expect(only(other.wait(CONSENSUS_LIMITS.wantDelayMs), 'want')[0]?.blocks).toEqual([end.id]);
    expect(votesOf(other.block(end, true))).toEqual([`${ending.id}@0`]);
  });

  it('once final leaves nothing pending, nothing to prepare, and stays so after a restart', () => {
    const participant = new Participant(fourth, [group]);
    for (const block of [ordinary, handOver, rival]) participant.block(block);
    const ending = metablockOf(first, group, null, [handOver]);
    const closing = metablockOf(first, group, ending, []);
    participant.metablock(ending);
    participant.metablock(closing);
    for (const each of [ending, closing]) {
      for (const signer of [first, second, third]) {
        participant.certificate(certificateOf(signer, group, each));
      }
    }
    const isOver = () => {
      expect(describeState(participant.state)[0]).toMatchObject({
        finalizedLevel: 0,
        pendingBlocks: 0,
        open: false,
        awaited: [],
      });
      participant.block(blockOf(third, group, null));
      expect(only(participant.wait(60_000), 'send-metablock')).toEqual([]);
      expect(describeState(participant.state)[0]).toMatchObject({ pendingBlocks: 0, open: false });
    };
    expect(participant.store.heads.get(group.id)?.handOver).toBe(handOver.id);
    isOver();
    participant.restart();
    isOver();
    participant.block(ordinary);
    const after = metablockOf(second, group, closing, [ordinary]);
    expect(kindsOf(participant.metablock(after))).toContain('refused');
  });

  it('is put last by whoever prepares, and crowded out by nobody', () => {
    const participant = new Participant(fourth, [group]);
    const mine = [blockOf(first, group, null)];
    for (let count = 1; count < 5; count++) mine.push(blockOf(first, group, mine.at(-1)!));
    for (const block of [handOver, ...mine]) participant.block(block);
    const state = participant.group(group);
    const ids = (max: number) => choosePending({ ...state }, max).map(({ id }) => id);
    const [a, b] = [mine[0]!.id, mine[1]!.id];
    expect(ids(100)).toEqual([...mine.map(({ id }) => id), handOver.id]);
    expect(ids(3)).toEqual([a, b, handOver.id]);
    expect(ids(1)).toEqual([handOver.id]);
  });

  it('waits for those before it in its Causal Group', () => {
    const participant = new Participant(fourth, [group]);
    const before = blockOf(second, group, null);
    const end = handOverOf(second, group, before);
    const more = blockOf(second, group, end);
    for (const block of [more, end, before]) participant.block(block);
    const state = participant.group(group);
    const ids = (max: number) => choosePending({ ...state }, max).map(({ id }) => id);
    expect(ids(1)).toEqual([before.id]);
    expect(ids(100)).toEqual([before.id, end.id]);
  });

  it('moves nobody who retired: it neither votes nor prepares, and still follows', () => {
    const participant = new Participant(fourth, [group]);
    participant.feed({ kind: 'retire', group: group.id });
    participant.block(ordinary);
    const carrying = metablockOf(first, group, null, [ordinary]);
    const closing = metablockOf(first, group, carrying, []);
    expect(votesOf(participant.metablock(carrying))).toEqual([]);
    expect(only(participant.wait(60_000), 'send-metablock')).toEqual([]);
    participant.metablock(closing);
    for (const each of [carrying, closing]) {
      for (const signer of [first, second, third]) {
        participant.certificate(certificateOf(signer, group, each));
      }
    }
    expect(describeState(participant.state)[0]).toMatchObject({ finalizedLevel: 0 });
  });
});
