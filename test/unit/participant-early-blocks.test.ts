import { describe, expect, it } from 'vitest';
import type { Block } from '../../src/model/block.ts';
import { EarlyBlocks } from '../../src/participant/early-blocks.ts';
import { ada, bert, blocksOf, cleo, door, groupOf } from '../contract/store-samples.ts';

const group = groupOf(door, ada, bert, cleo);
const LONG = 'x'.repeat(10_000);

/** Blocks 1 to `count` of an issuer, with payloads of this many bytes. */
function chainOf(issuer: typeof ada, count: number, bytes: number) {
  const lists = Array.from({ length: count }, (_, index) => [[`door ${index}`, true]]);
  return blocksOf(group, issuer, lists).map(({ block }) => ({
    block,
    payload: new Uint8Array(bytes),
  }));
}

const isHeld = (early: EarlyBlocks, previous: Block) => early.takeAfter(previous) !== null;

describe('Blocks that came too early', () => {
  it('are given once, to the Block that they continue', () => {
    const early = new EarlyBlocks({ earlyBlocksMax: 8, earlyBytesMax: 1 << 20 });
    const [first, second] = chainOf(ada, 2, 10);
    early.put(second!);
    expect(early.takeAfter(second!.block)).toBeNull();
    expect(early.takeAfter(first!.block)).toBe(second);
    expect(early.takeAfter(first!.block)).toBeNull();
  });

  it('that are too many give way, the oldest first', () => {
    const early = new EarlyBlocks({ earlyBlocksMax: 3, earlyBytesMax: 1 << 20 });
    const chain = chainOf(ada, 6, 10);
    for (const each of chain.slice(1)) early.put(each);
    expect(chain.slice(0, 5).map(({ block }) => isHeld(early, block))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it('of whoever fills the room give way, and nobody else’s', () => {
    const early = new EarlyBlocks({ earlyBlocksMax: 64, earlyBytesMax: 5 * LONG.length });
    const modest = chainOf(bert, 2, 10);
    early.put(modest[1]!);
    const greedy = chainOf(ada, 9, LONG.length);
    for (const each of greedy.slice(1)) early.put(each);
    expect(isHeld(early, modest[0]!.block)).toBe(true);
    const held = greedy.slice(0, 8).filter(({ block }) => isHeld(early, block));
    expect(held).toHaveLength(4);
  });

  it('that would never fit are not held, and cost others nothing', () => {
    const early = new EarlyBlocks({ earlyBlocksMax: 64, earlyBytesMax: 1000 });
    const modest = chainOf(bert, 2, 10);
    early.put(modest[1]!);
    const [first, second] = chainOf(ada, 2, 2000);
    early.put(second!);
    expect(isHeld(early, first!.block)).toBe(false);
    expect(isHeld(early, modest[0]!.block)).toBe(true);
  });

  it('held twice count once', () => {
    const early = new EarlyBlocks({ earlyBlocksMax: 64, earlyBytesMax: 5 * LONG.length });
    const [first, second] = chainOf(ada, 2, 2 * LONG.length);
    for (let time = 0; time < 10; time++) early.put(second!);
    expect(isHeld(early, first!.block)).toBe(true);
    const [before, after] = chainOf(cleo, 2, 4 * LONG.length);
    early.put(after!);
    expect(isHeld(early, before!.block)).toBe(true);
  });
});
