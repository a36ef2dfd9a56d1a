import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdMap } from '../../src/consensus/id-map.ts';
import { isRecent, makeRecentChain, withRecent } from '../../src/consensus/recent-chain.ts';
import { RecentMap } from '../../src/consensus/recent-map.ts';
import type { Hex32 } from '../../src/model/bytes.ts';
import type { Generation } from '../../src/model/numbers.ts';

/** Few digits, so that ids share long beginnings as ground ones would. */
const ids = fc
  .array(fc.constantFrom('0', 'f'), { minLength: 8, maxLength: 8 })
  .map((digits) => digits.join('').padEnd(64, 'a') as Hex32);

const changes = fc.array(fc.record({ id: ids, value: fc.integer(), isSet: fc.boolean() }), {
  maxLength: 300,
});

describe('a map of ids', () => {
  it('holds what a Map holds, and its earlier versions hold what they held', () => {
    fc.assert(
      fc.property(changes, (all) => {
        let map = IdMap.empty<number>();
        const model = new Map<Hex32, number>();
        const versions: [IdMap<number>, Map<Hex32, number>][] = [];
        for (const { id, value, isSet } of all) {
          versions.push([map, new Map(model)]);
          map = isSet ? map.set(id, value) : map.delete(id);
          if (isSet) model.set(id, value);
          else model.delete(id);
        }
        versions.push([map, model]);
        for (const [version, expected] of versions.filter((_, index) => index % 20 === 0)) {
          expect(version.size).toBe(expected.size);
          expect(new Map(version)).toEqual(expected);
          for (const { id } of all) expect(version.get(id)).toBe(expected.get(id));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('tells ids apart that differ in the last digit only', () => {
    const twins = Array.from({ length: 16 }, (_, last) => `${'7'.repeat(63)}${last.toString(16)}`);
    let map = IdMap.empty<number>();
    for (const [index, id] of twins.entries()) map = map.set(id as Hex32, index);
    expect(twins.map((id) => map.get(id as Hex32))).toEqual(twins.map((_, index) => index));
  });
});

describe('a map of recent things', () => {
  it('remembers at least the last and at most twice as many as it is to', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 100 }),
        (max, count) => {
          let map = RecentMap.empty<number>(max);
          const all = Array.from({ length: count }, (_, index) =>
            index.toString(16).padStart(64, '0'),
          );
          for (const [index, id] of all.entries()) map = map.set(id as Hex32, index);
          const kept = all.filter((id) => map.has(id as Hex32));
          expect(kept).toEqual(all.slice(-kept.length));
          expect(kept.length).toBeGreaterThanOrEqual(Math.min(max, count));
          expect(kept.length).toBeLessThanOrEqual(2 * max);
        },
      ),
    );
  });
});

describe('a recent chain', () => {
  it('remembers all above its floor, and nothing of it is forgotten above that', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 60 }),
        (max, leaps) => {
          let chain = makeRecentChain();
          let generation = -1;
          const all: [Hex32, number][] = [];
          for (const leap of leaps) {
            generation += leap;
            const id = generation.toString(16).padStart(64, '0') as Hex32;
            all.push([id, generation]);
            chain = withRecent(chain, id, { generation: generation as Generation, max });
          }
          for (const [id, at] of all) expect(isRecent(chain, id)).toBe(at > chain.floor);
        },
      ),
    );
  });
});
