import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, KERNELS, sampleBytes } from './kernels.ts';

/** A tree, or several: each predecessor lies below its node, or is -1. */
const windows = fc
  .array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(9)), { maxLength: 60 })
  .map((draws) =>
    Int32Array.from(draws, ([place, rare], index) =>
      rare === 0 ? -1 : Math.min(index, Math.floor(place * (index + 1))) - 1,
    ),
  );

/** Windows with a long chain, as a Sync Group that works has them. */
const chains = fc
  .array(fc.nat(3), { minLength: 1, maxLength: 60 })
  .map((backs) => Int32Array.from(backs, (back, index) => Math.max(-1, index - 1 - back)));

const windowAndNodes = fc
  .oneof(windows, chains)
  .filter((window) => window.length > 0)
  .chain((window) => {
    const node = fc.nat(window.length - 1);
    return fc.tuple(fc.constant(window), node, node);
  });

/** All nodes on the way from `node` to its root, itself left out. */
function ancestorsOf(window: Int32Array, node: number): Set<number> {
  const before = window[node]!;
  return before === -1 ? new Set() : ancestorsOf(window, before).add(before);
}

function areRivalsByDefinition(window: Int32Array, a: number, b: number): boolean {
  return a !== b && !ancestorsOf(window, a).has(b) && !ancestorsOf(window, b).has(a);
}

/** Ids from few bytes, so that equal ones, and equal beginnings, are frequent. */
const ids = fc
  .array(fc.tuple(fc.nat(3), fc.constantFrom(0, 7, 8, 31), fc.nat(2)), { maxLength: 60 })
  .map((draws) =>
    draws.map(([value, place, other]) => {
      const id = new Uint8Array(32).fill(other === 0 ? 0xff : other);
      id[place] = 0x7f + value;
      return id;
    }),
  );

function numberOf(id: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(id).toString('hex')}`);
}

function firstDuplicateByDefinition(all: readonly Uint8Array[]): number {
  const numbers = all.map(numberOf);
  return numbers.findIndex((number, index) => numbers.indexOf(number) < index);
}

const sequences = fc
  .record({
    highest: fc.array(fc.nat(5), { minLength: 1, maxLength: 5 }),
    draws: fc.array(fc.tuple(fc.nat(99), fc.nat(30)), { maxLength: 40 }),
  })
  .map(({ highest, draws }) => {
    const reached = [...highest];
    const blocks = draws.map(([draw, luck]) => {
      const issuer = draw % highest.length;
      reached[issuer]! += 1;
      return { issuer, sequence: reached[issuer]! + (luck === 0 ? 1 : luck === 1 ? -1 : 0) };
    });
    return { highest, blocks };
  });

function firstGapByDefinition({
  highest,
  blocks,
}: {
  highest: readonly number[];
  blocks: readonly { issuer: number; sequence: number }[];
}): number {
  return blocks.findIndex(({ issuer, sequence }, index) => {
    const before = blocks.slice(0, index).filter((block) => block.issuer === issuer);
    return sequence !== highest[issuer]! + before.length + 1;
  });
}

describe.each(KERNELS)('%s', (_name, { conflicts }) => {
  test('ancestors are the nodes on the way to the root', () => {
    fc.assert(
      fc.property(windowAndNodes, ([window, a, b]) => {
        expect(conflicts.isAncestor(window, a, b)).toBe(ancestorsOf(window, b).has(a));
      }),
      { numRuns: 500 },
    );
  });

  test('rivals are neither the same nor on one chain', () => {
    fc.assert(
      fc.property(windowAndNodes, ([window, a, b]) => {
        const expected = areRivalsByDefinition(window, a, b);
        expect(conflicts.areRivals(window, a, b)).toBe(expected);
        expect(conflicts.areRivals(window, b, a)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('the first rival is the first node that is one', () => {
    fc.assert(
      fc.property(windowAndNodes, ([window, node]) => {
        const all = [...window.keys()];
        const expected = all.findIndex((other) => areRivalsByDefinition(window, other, node));
        expect(conflicts.firstRival(window, node)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('one chain has no rivals', () => {
    const chain = Int32Array.from({ length: 1000 }, (_, index) => index - 1);
    expect(conflicts.firstRival(chain, 0)).toBe(-1);
    expect(conflicts.firstRival(chain, 999)).toBe(-1);
    expect(conflicts.isAncestor(chain, 0, 999)).toBe(true);
    expect(conflicts.isAncestor(chain, 999, 0)).toBe(false);
  });

  test('the first duplicate is the first id that stood before', () => {
    fc.assert(
      fc.property(ids, (all) => {
        expect(conflicts.firstDuplicate(concat(all))).toBe(firstDuplicateByDefinition(all));
      }),
      { numRuns: 300 },
    );
  });

  test('finds the only duplicate among the most ids that one call takes', () => {
    const all = new Uint8Array(32 * 2 ** 16);
    const view = new DataView(all.buffer);
    for (let index = 0; index < 2 ** 16; index++) view.setUint32(32 * index + 28, index * 7919);
    expect(conflicts.firstDuplicate(all)).toBe(-1);
    all.copyWithin(32 * 60_000, 32 * 123, 32 * 124);
    expect(conflicts.firstDuplicate(all)).toBe(60_000);
  });

  test('the first gap is the first Block that does not continue its issuer by one', () => {
    fc.assert(
      fc.property(sequences, ({ highest, blocks }) => {
        const reached = Float64Array.from(highest);
        const found = conflicts.firstGap(
          Uint32Array.from(blocks, (block) => block.issuer),
          Float64Array.from(blocks, (block) => block.sequence),
          reached,
        );
        expect(found).toBe(firstGapByDefinition({ highest, blocks }));
        expect([...reached]).toEqual(highest);
      }),
      { numRuns: 300 },
    );
  });

  test('causal sequences are exact up to 2^53 - 1', () => {
    const [issuers, highest] = [Uint32Array.of(0), Float64Array.of(2 ** 53 - 2)];
    expect(conflicts.firstGap(issuers, Float64Array.of(2 ** 53 - 1), highest)).toBe(-1);
    expect(conflicts.firstGap(issuers, Float64Array.of(2 ** 53 - 3), highest)).toBe(0);
    expect(conflicts.firstGap(issuers, Float64Array.of(Number.NaN), highest)).toBe(0);
  });

  test('parents are the highest Issuing Hashes, ties to the lower index', () => {
    fc.assert(
      fc.property(ids, fc.nat(70), (all, max) => {
        const order = all.map((id, index) => ({ number: numberOf(id), index }));
        order.sort((a, b) =>
          a.number === b.number ? a.index - b.index : a.number > b.number ? -1 : 1,
        );
        const expected = order.slice(0, max).map(({ index }) => index);
        expect([...conflicts.chooseParents(concat(all), max)]).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('hands out parents that no later call changes', () => {
    const chosen = conflicts.chooseParents(sampleBytes(320, 1), 5);
    const copy = [...chosen];
    conflicts.chooseParents(sampleBytes(320, 2), 5);
    expect([...chosen]).toEqual(copy);
    expect(chosen.buffer.byteLength).toBe(20);
  });

  test.each([-1, 3, 0.5, Number.NaN, 2 ** 32])('refuses node %d of three', (node) => {
    const window = Int32Array.of(-1, 0, 0);
    expect(() => conflicts.isAncestor(window, node, 0)).toThrow(RangeError);
    expect(() => conflicts.isAncestor(window, 0, node)).toThrow(RangeError);
    expect(() => conflicts.areRivals(window, node, 0)).toThrow(RangeError);
    expect(() => conflicts.areRivals(window, 0, node)).toThrow(RangeError);
    expect(() => conflicts.firstRival(window, node)).toThrow(RangeError);
  });

  test.each([
    ['itself', [-1, 1, 0]],
    ['a later node', [-1, 2, 0]],
    ['below -1', [-1, 0, -2]],
  ])('refuses a window whose node has %s as predecessor', (_what, predecessors) => {
    const window = Int32Array.from(predecessors);
    expect(() => conflicts.isAncestor(window, 0, 1)).toThrow(RangeError);
    expect(() => conflicts.areRivals(window, 0, 1)).toThrow(RangeError);
    expect(() => conflicts.firstRival(window, 0)).toThrow(RangeError);
  });

  test('refuses more than one call takes, and takes as much', () => {
    const chain = (length: number) => Int32Array.from({ length }, (_, index) => index - 1);
    expect(conflicts.isAncestor(chain(2 ** 19), 0, 2 ** 19 - 1)).toBe(true);
    expect(() => conflicts.isAncestor(chain(2 ** 19 + 1), 0, 1)).toThrow(RangeError);
    expect(() => conflicts.firstDuplicate(new Uint8Array(32 * (2 ** 16 + 1)))).toThrow(RangeError);
    expect(() => conflicts.chooseParents(new Uint8Array(32 * (2 ** 16 + 1)), 1)).toThrow(
      RangeError,
    );
    const blocks = (count: number, issuers: number) =>
      conflicts.firstGap(
        new Uint32Array(count),
        Float64Array.from({ length: count }, (_, index) => index + 1),
        new Float64Array(issuers),
      );
    expect(blocks(2 ** 16, 2 ** 16)).toBe(-1);
    expect(() => blocks(2 ** 16 + 1, 1)).toThrow(RangeError);
    expect(() => blocks(1, 2 ** 16 + 1)).toThrow(RangeError);
  });

  test('refuses packed arrays of a wrong length', () => {
    expect(() => conflicts.firstDuplicate(new Uint8Array(33))).toThrow(RangeError);
    expect(() => conflicts.chooseParents(new Uint8Array(31), 1)).toThrow(RangeError);
    const gap = (issuers: number[], count: number, known: number) =>
      conflicts.firstGap(
        Uint32Array.from(issuers),
        new Float64Array(count),
        new Float64Array(known),
      );
    expect(() => gap([0, 0], 1, 1)).toThrow(RangeError);
    expect(() => gap([0, 1], 2, 1)).toThrow(RangeError);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d parents', (max) => {
    expect(() => conflicts.chooseParents(new Uint8Array(64), max)).toThrow(RangeError);
  });

  test('chooses all where there are fewer than asked for', () => {
    const all = concat([new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]);
    expect([...conflicts.chooseParents(all, Number.MAX_SAFE_INTEGER)]).toEqual([1, 0]);
    expect([...conflicts.chooseParents(all, 0)]).toEqual([]);
    expect([...conflicts.chooseParents(new Uint8Array(0), 64)]).toEqual([]);
    expect(conflicts.firstDuplicate(new Uint8Array(0))).toBe(-1);
  });
});
