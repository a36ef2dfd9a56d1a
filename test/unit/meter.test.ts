import { describe, expect, test } from 'vitest';
import {
  FUEL_EXPORT,
  type MeterOptions,
  meter,
  PAGES_EXPORT,
  STACK_EXPORT,
  START_EXPORT,
} from '../../src/behavior/meter.ts';
import {
  type BuiltModule,
  buildModule,
  F64,
  I32,
  I64,
  leb,
  list,
  name,
  signed,
} from './module-builder.ts';

const OPTIONS: MeterOptions = {
  memoryBytesMax: 4 * 65_536,
  flatFuel: null,
  fuelAtStart: 0,
  stackSlotsMax: 10_000,
  judgeImport: ({ name }) => (name === 'known' ? null : `the import ${name}`),
};
const main = (code: readonly number[], locals: readonly number[] = []) => ({
  functions: [{ exported: 'run', code, locals }],
});
const integer = (value: number) => [0x41, ...signed(value)];

interface Exports {
  run(): number | bigint;
  readonly memory: WebAssembly.Memory;
  readonly [FUEL_EXPORT]: { value: bigint };
  readonly [PAGES_EXPORT]: { value: number };
  readonly [STACK_EXPORT]: { value: number };
  [START_EXPORT]?(): void;
}

function instanceOf(built: BuiltModule, fuel = 1_000_000n): Exports {
  const verdict = meter(buildModule(built), OPTIONS);
  if (!verdict.ok) throw new Error(`${verdict.reason}: ${verdict.detail}`);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(verdict.value.binary));
  const exports = instance.exports as Record<string, unknown> as Exports & Record<string, unknown>;
  exports[FUEL_EXPORT].value = fuel;
  return exports;
}

describe('what the rewriter does not know it refuses', () => {
  const type = [0x60, 0, 0];
  test.each<[string, BuiltModule, string]>([
    ['a vector', main([0xfd, 0x0c, ...new Array(16).fill(0), 0x1a]), 'SIMD'],
    [
      'a growing table',
      {
        ...main([0xd0, 0x70, ...integer(1), 0xfc, 15, 0, 0x1a]),
        sections: { 4: list([[0x70, 0, 1]]) },
      },
      'tables that change',
    ],
    [
      'an import of memory',
      {
        functions: [],
        memory: null,
        sections: { 2: list([[...name('env'), ...name('memory'), 2, 0, 1]]) },
      },
      'env.memory',
    ],
    [
      'an import of a table',
      { sections: { 2: list([[...name('env'), ...name('t'), 1, 0x70, 0, 1]]) } },
      'env.t',
    ],
    [
      'an import of a global',
      { sections: { 2: list([[...name('env'), ...name('g'), 3, I32, 0]]) } },
      'env.g',
    ],
    [
      'an unknown function',
      { sections: { 1: list([type]), 2: list([[...name('wasi'), ...name('fd_write'), 0, 0]]) } },
      'fd_write',
    ],
    ['no memory', { functions: [], memory: null }, 'no memory'],
    ['a memory that begins too big', { memory: [0, 5] }, '5 pages'],
    ['a shared memory', { memory: [3, 1, 1] }, 'shared'],
    ['a huge table', { sections: { 4: list([[0x70, 0, ...leb(20_000)]]) } }, '20000 slots'],
    ['too many local values', main([], new Array(2001).fill(I64)), '2001 local'],
    ['a name of ours', { functions: [{ code: [], exported: FUEL_EXPORT }] }, FUEL_EXPORT],
  ])('%s', (_name, built, why) => {
    const verdict = meter(buildModule(built), OPTIONS);
    expect(verdict).toMatchObject({ ok: false, reason: 'not-permitted' });
    expect(!verdict.ok && verdict.detail).toContain(why);
  });

  test('bytes that are no module, cut short or flipped, are no code, and never a throw', () => {
    const binary = buildModule(main([...integer(1), 0x1a]));
    for (let length = 0; length < binary.length; length++) {
      expect(meter(binary.subarray(0, length), OPTIONS).ok && length > 8).toBe(false);
    }
    for (let at = 0; at < binary.length; at++) {
      for (const bit of [1, 16, 128]) {
        const other = binary.slice();
        other[at]! ^= bit;
        const verdict = meter(other, OPTIONS);
        if (verdict.ok) expect(WebAssembly.validate(verdict.value.binary)).toBe(true);
      }
    }
  });
});

describe('a rewritten module', () => {
  test('pays for what it fills by its length', () => {
    const fill = (length: number) =>
      main([...integer(0), ...integer(7), ...integer(length), 0xfc, 0x0b, 0]);
    const costOf = (length: number) => {
      const instance = instanceOf(fill(length));
      instance.run();
      return 1_000_000n - instance[FUEL_EXPORT].value;
    };
    expect(costOf(65_536) - costOf(0)).toBe(65_536n / 8n);
  });

  test('grows its memory to the bound that is set, and no further', () => {
    const grow = {
      functions: [{ exported: 'run', results: [I32], code: [...integer(1), 0x40, 0] }],
    };
    const instance = instanceOf(grow);
    instance[PAGES_EXPORT].value = 3;
    expect([instance.run(), instance.run(), instance.run()]).toEqual([1, 2, -1]);
    expect(instance.memory.buffer.byteLength).toBe(3 * 65_536);
    const whole = {
      functions: [{ exported: 'run', results: [I32], code: [...integer(-1), 0x40, 0] }],
    };
    expect(instanceOf(whole).run()).toBe(-1);
  });

  test('never grows beyond its own maximum', () => {
    const grow = { exported: 'run', results: [I32], code: [...integer(1), 0x40, 0] };
    expect(instanceOf({ functions: [grow], memory: [1, 1, 1] }).run()).toBe(-1);
  });

  test('stops where calls within calls take too much, by whatever way it calls', () => {
    const direct = instanceOf(main([0x10, 0]));
    expect(() => direct.run()).toThrow('unreachable');
    expect(direct[STACK_EXPORT].value).toBeGreaterThan(10_000);
    const indirect = instanceOf({
      ...main([...integer(0), 0x11, 0, 0]),
      sections: { 4: list([[0x70, 0, 1]]), 9: list([[0, ...integer(0), 0x0b, ...list([[0]])]]) },
    });
    expect(() => indirect.run()).toThrow('unreachable');
    expect(indirect[STACK_EXPORT].value).toBeGreaterThan(10_000);
  });

  test('stands on the stack with all its values: the more, the fewer calls', () => {
    const depthOf = (locals: number) => {
      const instance = instanceOf(main([0x10, 0], new Array(locals).fill(I64)));
      expect(() => instance.run()).toThrow('unreachable');
      return 1_000_000n - instance[FUEL_EXPORT].value;
    };
    expect(depthOf(1000) * 10n).toBeLessThan(depthOf(0));
  });

  test('keeps its start function until it is called, on fuel', () => {
    const store = [...integer(0), ...integer(42), 0x3a, 0, 0];
    const instance = instanceOf({
      functions: [{ code: store }, { exported: 'run', code: [] }],
      sections: { 8: [0] },
    });
    expect(new Uint8Array(instance.memory.buffer)[0]).toBe(0);
    instance[START_EXPORT]!();
    expect(new Uint8Array(instance.memory.buffer)[0]).toBe(42);
    const endless = instanceOf({
      functions: [{ code: [0x03, 0x40, 0x0c, 0, 0x0b] }],
      sections: { 8: [0] },
    });
    expect(() => endless[START_EXPORT]!()).toThrow('unreachable');
  });

  test.each([
    ['of a root', [0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0xbf, 0x9f]],
    ['of a sum', [0x44, 1, 0, 0, 0, 0, 0, 0xf4, 0xff, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0xa0]],
    ['of a promotion', [0x43, 1, 0, 0xa0, 0xff, 0xbb]],
  ])('has the same bits for what is not a number, %s', (_name, code) => {
    const functions = [{ exported: 'run', results: [I64], code: [...code, 0xbd] }];
    expect(instanceOf({ functions }).run()).toBe(0x7ff8_0000_0000_0000n);
  });

  test('passes values on that are no result of a sum, whatever their bits', () => {
    const code = [0x44, 1, 0, 0, 0, 0, 0, 0xf4, 0xff, 0x9a, 0xbd];
    const functions = [{ exported: 'run', results: [I64], locals: [F64], code }];
    expect(instanceOf({ functions }).run()).toBe(0x7ff4_0000_0000_0001n);
  });
});
