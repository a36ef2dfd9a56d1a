import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS, nextDeadline } from '../../src/consensus/metablockchain.ts';
import type { Block } from '../../src/model/block.ts';
import type { Metablock } from '../../src/model/metablock.ts';
import {
  blockOf,
  certificateOf,
  groupOf,
  metablockOf,
  only,
  Participant,
  signersOf,
  votesOf,
} from './consensus-fixture.ts';

const signers = signersOf(3);
const group = groupOf(signers);
const [first, second, third] = [signers[0]!, signers[1]!, signers[2]!];
const { turnMs } = DEFAULT_SETTINGS;

function prepared(effects: Parameters<typeof only>[0]): Metablock[] {
  return only(effects, 'send-metablock').map((effect) => effect.metablock);
}

describe('preparing', () => {
  it('is at once after a pause for the first turn, and signs the empty child along', () => {
    const participant = new Participant(first, [group]);
    const block = blockOf(first, group, null);
    const [metablock, child, ...more] = prepared(participant.block(block));
    expect(more).toEqual([]);
    expect(metablock).toMatchObject({ generation: 0, blocks: [block.id], issuer: first.id });
    expect(child).toMatchObject({
      generation: 1,
      blocks: [],
      predecessors: [{ group: group.id, metablock: metablock!.id }],
    });
  });

  it('waits for its turn, and then no longer', () => {
    const participant = new Participant(third, [group]);
    expect(prepared(participant.block(blockOf(second, group, null)))).toEqual([]);
    expect(nextDeadline(participant.state)).toBe(participant.nowMs + 2 * turnMs);
    expect(prepared(participant.wait(2 * turnMs - 1))).toEqual([]);
    expect(prepared(participant.wait(1))).toHaveLength(2);
  });

  it('waits with an own Block as long again as others take to hear of it', () => {
    const guessing = new Participant(third, [group]);
    guessing.block(blockOf(third, group, null));
    expect(nextDeadline(guessing.state)).toBe(guessing.nowMs + 2.5 * turnMs);

    const told = new Participant(third, [group]);
    told.feed({ kind: 'round-trip', ms: 10 });
    told.block(blockOf(third, group, null));
    expect(nextDeadline(told.state)).toBe(told.nowMs + 2 * turnMs + 5);
    expect(prepared(told.wait(2 * turnMs + 4))).toEqual([]);
    expect(prepared(told.wait(1))).toHaveLength(2);
  });

  it('leaves it to a candidate of a better turn', () => {
    const participant = new Participant(third, [group]);
    const block = blockOf(second, group, null);
    participant.block(block);
    participant.nowMs += turnMs;
    const candidate = metablockOf(second, group, null, [block]);
    expect(votesOf(participant.metablock(candidate))).toEqual([`${candidate.id}@0`]);
    expect(prepared(participant.wait(10 * turnMs))).toEqual([]);
  });

  it('goes round with the Levels', () => {
    const participant = new Participant(third, [group]);
    const { metablock, block } = advance(participant, []);
    close(participant, metablock);
    const [next] = prepared(participant.block(blockOf(first, group, block)));
    expect(next).toMatchObject({ generation: 2, issuer: third.id });
  });

  it('makes one child of a head, ever', () => {
    const participant = new Participant(first, [group]);
    const block = blockOf(first, group, null);
    expect(prepared(participant.block(block))).toHaveLength(2);
    const later = [...participant.block(blockOf(first, group, block)), ...participant.wait(60_000)];
    expect(prepared(later)).toEqual([]);
    participant.restart();
    expect(prepared(participant.wait(60_000))).toEqual([]);
  });

  it('spaces Metablocks by the interval once they gather Blocks', () => {
    const participant = new Participant(third, [group]);
    const { metablock, block } = advance(participant, [3, 4, 5], (last) => {
      participant.block(blockOf(first, group, last));
    });
    const startMs = participant.nowMs;
    expect(prepared(close(participant, metablock))).toEqual([]);
    expect(nextDeadline(participant.state)).toBe(startMs + DEFAULT_SETTINGS.prepareIntervalMs);
    const [next] = prepared(participant.wait(DEFAULT_SETTINGS.prepareIntervalMs));
    expect(next!.blocks).toEqual([blockOf(first, group, block).id]);
  });

  it('does not wait for the interval once Blocks are many, and signs no child along then', () => {
    const participant = new Participant(first, [group]);
    let block: Block = blockOf(second, group, null);
    const { settings } = participant.context;
    const all: Block[] = [block];
    while (all.length < settings.prepareBlockCount) {
      block = blockOf(second, group, block);
      all.push(block);
    }
    const busy = new Participant(second, [group]);
    for (const each of all) busy.block(each);
    const [metablock, ...more] = prepared(busy.wait(turnMs));
    expect(metablock!.blocks).toHaveLength(settings.prepareBlockCount);
    expect(more).toEqual([]);
  });

  it('puts a Block after those that its issuer had seen', () => {
    const participant = new Participant(first, [group]);
    participant.feed({
      kind: 'fork-proof',
      group: group.id,
      issuer: first.id,
      lastGood: 0 as never,
    });
    const seen = blockOf(third, group, null);
    const after = blockOf(second, group, null, [seen.id]);
    const last = blockOf(third, group, seen, [after.id]);
    const other = new Participant(third, [group]);
    other.block(after);
    other.block(last);
    other.block(seen);
    const [metablock] = prepared(other.wait(2 * turnMs));
    expect(metablock!.blocks).toEqual([seen.id, after.id, last.id]);
  });

  it('prepares nothing that a fork proof covers', () => {
    const participant = new Participant(first, [group]);
    const good = blockOf(second, group, null);
    const bad = blockOf(second, group, good);
    const proof = { group: group.id, issuer: second.id, lastGood: good.sequence };
    participant.feed({ kind: 'fork-proof', ...proof });
    expect(prepared(participant.block(bad))).toEqual([]);
    expect(prepared(participant.block(good))[0]!.blocks).toEqual([good.id]);
  });

  it('prepares nothing whose Entries are missing, where the Pact asks for them', () => {
    const strict = new Participant(first, [group]);
    const block = blockOf(second, group, null);
    expect(prepared(strict.block(block, false))).toEqual([]);
    expect(nextDeadline(strict.state)).toBeNull();
    expect(prepared(strict.block(block, true))).toHaveLength(2);
    const loose = groupOf(signers, 'headers', { availability: 'headers' });
    const other = new Participant(first, [loose]);
    expect(prepared(other.block(blockOf(second, loose, null), false))).toHaveLength(2);
  });
});

/** Lets a first Metablock with so many Blocks more become Finalizable at the Participant. */
function advance(
  participant: Participant,
  more: readonly number[],
  before: (last: Block) => void = () => {},
) {
  let block = blockOf(first, group, null);
  const blocks = [block];
  for (const _ of more) {
    block = blockOf(first, group, block);
    blocks.push(block);
  }
  for (const each of blocks) participant.block(each);
  before(block);
  participant.nowMs++;
  const metablock = metablockOf(first, group, null, blocks);
  participant.metablock(metablock);
  participant.certificate(certificateOf(first, group, metablock));
  participant.certificate(certificateOf(second, group, metablock));
  return { metablock, block };
}

/** Lets its empty child become Finalizable too. */
function close(participant: Participant, metablock: Metablock) {
  const child = metablockOf(first, group, metablock, []);
  return [
    ...participant.metablock(child),
    ...participant.certificate(certificateOf(first, group, child)),
    ...participant.certificate(certificateOf(second, group, child)),
  ];
}
