import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BehaviorManifest,
  CODE_BYTES_MAX,
  decodeBehavior,
  deriveBehaviorId,
  encodeBehavior,
  faultOfBehavior,
  isBound,
  joinBehavior,
  LIMIT_BOUNDS,
  movesOnce,
  sealBehavior,
  sortUses,
  USES_MAX,
} from '../../src/model/behavior.ts';
import { fromHex, toHex } from '../../src/model/bytes.ts';
import golden from '../abi/golden.json' with { type: 'json' };
import { behaviorOf, hash, idOf, READING, SAID } from './behavior-samples.ts';

const manifest: BehaviorManifest = { ...SAID, codeHash: idOf(9) };
const changed = (change: object): BehaviorManifest => ({ ...manifest, ...change });
const limited = (change: object) => changed({ limits: { ...manifest.limits, ...change } });
const named = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...READING, name: `p${index + 100}` }));

describe('a Behavior’s manifest', () => {
  test('today’s bytes are the golden ones, and read as what they were made of', () => {
    expect(toHex(encodeBehavior(manifest))).toBe(golden.behavior);
    expect(decodeBehavior(fromHex(golden.behavior))).toEqual({ ok: true, value: manifest });
    expect(deriveBehaviorId(hash, manifest)).toBe(golden.behaviorId);
  });

  test('bytes that are cut short, too long or changed are no other manifest’s', () => {
    const bytes = encodeBehavior(manifest);
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeBehavior(bytes.subarray(0, length)).ok).toBe(false);
    }
    expect(decodeBehavior(Uint8Array.of(...bytes, 0)).ok).toBe(false);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const other = bytes.slice();
        other[at]! ^= flip;
        const read = decodeBehavior(other);
        if (read.ok) expect(encodeBehavior(read.value)).toEqual(other);
      }),
    );
  });

  test.each<[string, BehaviorManifest]>([
    ['a name with a capital', changed({ name: 'Guard' })],
    ['a Pact without a name', changed({ consumes: [{ ...READING, name: '' }] })],
    ['a Pact twice', changed({ produces: [READING, READING] })],
    ['Pacts out of order', changed({ accesses: [...SAID.accesses].reverse() })],
    ['too many Pacts', changed({ accesses: named(USES_MAX + 1) })],
    ['a device with a space', changed({ devices: [{ name: 'the fan', moves: true }] })],
    ['devices out of order', changed({ devices: [...SAID.devices].reverse() })],
    ['a criterion without a value', changed({ requires: ['site='] })],
    ['criteria out of order', changed({ requires: ['pwm', 'gpio'] })],
    ['too little memory', limited({ memoryBytes: LIMIT_BOUNDS.memoryBytes.min - 65_536 })],
    ['memory that is no whole page', limited({ memoryBytes: LIMIT_BOUNDS.memoryBytes.min + 1 })],
    ['too much fuel', limited({ fuel: LIMIT_BOUNDS.fuel.max + 1 })],
    ['half an instruction', limited({ fuel: LIMIT_BOUNDS.fuel.min + 0.5 })],
    ['too much output', limited({ outputBytes: LIMIT_BOUNDS.outputBytes.max + 1 })],
    ['too much state', limited({ stateBytes: LIMIT_BOUNDS.stateBytes.max + 1 })],
  ])('refused: %s', (_name, refused) => {
    expect(faultOfBehavior(refused)).not.toBeNull();
  });

  test('each bound holds at its edge', () => {
    expect(faultOfBehavior(changed({ accesses: named(USES_MAX) }))).toBeNull();
    for (const edge of ['min', 'max'] as const) {
      const limits = {
        memoryBytes: LIMIT_BOUNDS.memoryBytes[edge],
        fuel: LIMIT_BOUNDS.fuel[edge],
        outputBytes: LIMIT_BOUNDS.outputBytes[edge],
        stateBytes: LIMIT_BOUNDS.stateBytes[edge],
      };
      expect(faultOfBehavior(changed({ limits }))).toBeNull();
    }
  });

  test('the id depends on the code and on everything said', () => {
    const ids = [
      behaviorOf('a').id,
      behaviorOf('b').id,
      behaviorOf('a', { name: 'other' }).id,
      behaviorOf('a', { undoes: true }).id,
      behaviorOf('a', { requires: [] }).id,
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('code that another manifest names is refused, and code without an end', () => {
    const { id: _, code: __, ...said } = behaviorOf('a');
    const other = joinBehavior(hash, said, Uint8Array.of(1));
    expect(other).toMatchObject({ ok: false, reason: 'behavior-other-code' });
    const most = new Uint8Array(CODE_BYTES_MAX);
    expect(sealBehavior(hash, SAID, most).ok).toBe(true);
    for (const code of [new Uint8Array(0), new Uint8Array(CODE_BYTES_MAX + 1)]) {
      const sealed = sealBehavior(hash, SAID, code);
      expect(sealed).toMatchObject({ ok: false, reason: 'behavior-malformed' });
    }
  });

  test('bound is what has devices or criteria; what moves and may not twice moves once', () => {
    expect(isBound(manifest)).toBe(true);
    expect(isBound(changed({ devices: [] }))).toBe(true);
    expect(isBound(changed({ devices: [], requires: [] }))).toBe(false);
    expect(movesOnce(manifest)).toBe(false);
    expect(movesOnce(changed({ idempotent: false }))).toBe(true);
    const reads = changed({ idempotent: false, devices: [{ name: 'probe', moves: false }] });
    expect(movesOnce(reads)).toBe(false);
  });

  test('what a person lists in any order is sorted by name', () => {
    expect(sortUses([...SAID.devices].reverse())).toEqual(SAID.devices);
  });
});
