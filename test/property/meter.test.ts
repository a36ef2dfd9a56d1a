import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { FUEL_EXPORT, type MeterOptions, meter, STACK_EXPORT } from '../../src/behavior/meter.ts';
import { buildModule, F64, I32, signed } from '../unit/module-builder.ts';

// An upper bound for a busy machine: workers start, compilers are loaded.
vi.setConfig({ testTimeout: 120_000 });

const OPTIONS: MeterOptions = {
  memoryBytesMax: 4 * 65_536,
  flatFuel: null,
  fuelAtStart: 0,
  stackSlotsMax: 65_536,
  judgeImport: () => null,
};
const PLENTY = 10n ** 12n;

/** Local values of each function: two parameters, two more numbers, two doubles, loop counters. */
const INTEGERS = 4;
const DOUBLES = 2;
const DEPTH = 4;
const LOCALS = [I32, I32, F64, F64, ...Array.from({ length: DEPTH + 1 }, () => I32)];
const counterAt = (depth: number) => INTEGERS + DOUBLES + depth;

const integer = (value: number) => [0x41, ...signed(value)];
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const place = [...integer(0xfff), 0x71];

type Code = fc.Arbitrary<number[]>;
const joined = (...parts: Code[]): Code => fc.tuple(...parts).map((all) => all.flat());
const local = fc.nat(INTEGERS - 1);
const double = fc.nat(DOUBLES - 1).map((index) => INTEGERS + index);

/** Code that leaves an i32; `depth` bounds it. */
function integers(depth: number): Code {
  const simple = fc.oneof(fc.integer().map(integer), local.map(get));
  if (depth === 0) return simple;
  const one = integers(depth - 1);
  const BINARY = [0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x75, 0x48, 0x46];
  const binary = fc.constantFrom(...BINARY).map((op) => [op]);
  return fc.oneof(
    simple,
    joined(one, one, binary),
    one.map((code) => [...code, ...place, 0x28, 0, 0]), // i32.load
    doubles(depth - 1).map((code) => [...code, 0xfc, 0x02]), // i32.trunc_sat_f64_s
    one.map((code) => [...code, 0x45]),
    fc.constant<number[]>([0x3f, 0]), // memory.size
  );
}

function doubles(depth: number): Code {
  const simple = double.map(get);
  if (depth === 0) return simple;
  const one = doubles(depth - 1);
  const UNARY = [0x99, 0x9a, 0x9b, 0x9c, 0x9f];
  const BINARY = [0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5];
  return fc.oneof(
    simple,
    integers(depth - 1).map((code) => [...code, 0xb7]), // f64.convert_i32_s
    joined(
      one,
      fc.constantFrom(...UNARY).map((op) => [op]),
    ),
    joined(
      one,
      one,
      fc.constantFrom(...BINARY).map((op) => [op]),
    ),
  );
}

/** Statements that may call functions of lower indexes than `index`. */
function statements(depth: number, index: number): Code {
  const value = integers(2);
  const address = value.map((code) => [...code, ...place]);
  const simple: Code[] = [
    joined(value, local.map(set)),
    joined(doubles(2), double.map(set)),
    joined(address, value, fc.constant([0x36, 0, 0])), // i32.store
    joined(address, value, address, fc.constant([0xfc, 0x0b, 0])), // memory.fill
    joined(address, address, address, fc.constant([0xfc, 0x0a, 0, 0])), // memory.copy
    fc.constant([...integer(1), 0x40, 0, 0x1a]), // memory.grow, drop
  ];
  if (index > 0) {
    const callee = fc.nat(index - 1).map((other) => [0x10, other]);
    simple.push(joined(value, value, callee, local.map(set)));
  }
  if (depth === 0) return fc.oneof(...simple);
  const inner = fc.array(statements(depth - 1, index), { maxLength: 3 }).map((all) => all.flat());
  const counter = counterAt(depth);
  const turns = fc.integer({ min: 1, max: 5 });
  return fc.oneof(
    ...simple,
    fc.tuple(value, inner, inner).map(([test, yes, no]) => {
      return [...test, 0x04, 0x40, ...yes, 0x05, ...no, 0x0b];
    }),
    fc.tuple(value, inner, inner).map(([test, first, second]) => {
      return [0x02, 0x40, ...first, ...test, 0x0d, 0, ...second, 0x0b];
    }),
    fc
      .tuple(turns, inner)
      .map(([count, body]) => [
        ...[...integer(count), ...set(counter), 0x03, 0x40, ...body],
        ...[...get(counter), ...integer(1), 0x6b, 0x22, counter, 0x0d, 0, 0x0b],
      ]),
    fc
      .tuple(value, inner, inner)
      .map(([test, first, second]) => [
        ...[0x02, 0x40, 0x02, 0x40, 0x02, 0x40, ...test, 0x0e, 2, 0, 1, 2, 0x0b],
        ...[...first, 0x0b, ...second, 0x0b],
      ]),
  );
}

function functionOf(index: number): Code {
  const body = fc.array(statements(DEPTH - 2, index), { minLength: 1, maxLength: 5 });
  return joined(
    body.map((all) => all.flat()),
    integers(2),
  );
}

const modules = fc.tuple(functionOf(0), functionOf(1), functionOf(2)).map((bodies) =>
  buildModule({
    memory: [1, 1, 2],
    functions: bodies.map((code, index) => ({
      ...{ params: [I32, I32], results: [I32], locals: LOCALS, code },
      ...(index === 2 ? { exported: 'run' } : {}),
    })),
  }),
);

interface Ran {
  readonly result: number | string;
  /** Of its bytes. */
  readonly memory: string;
  readonly fuel: bigint;
  readonly stack: number;
}

function run(binary: Uint8Array<ArrayBuffer>, a: number, b: number, fuel: bigint | null): Ran {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
  const of = exports as Record<string, { value: bigint }> & {
    run: (a: number, b: number) => number;
    memory: WebAssembly.Memory;
  };
  if (fuel !== null) of[FUEL_EXPORT]!.value = fuel;
  let result: number | string;
  try {
    result = of.run(a, b);
  } catch (cause) {
    result = (cause as Error).message;
  }
  return {
    result,
    memory: createHash('sha256').update(new Uint8Array(of.memory.buffer)).digest('hex'),
    fuel: fuel === null ? 0n : fuel - of[FUEL_EXPORT]!.value,
    stack: fuel === null ? 0 : Number(of[STACK_EXPORT]!.value),
  };
}

function metered(binary: Uint8Array): Uint8Array<ArrayBuffer> {
  const verdict = meter(binary, OPTIONS);
  if (!verdict.ok) throw new Error(`${verdict.reason}: ${verdict.detail}`);
  return verdict.value.binary;
}

describe('a rewritten module', () => {
  test('computes what the original computes', () => {
    fc.assert(
      fc.property(modules, fc.integer(), fc.integer(), (binary, a, b) => {
        const before = run(binary, a, b, null);
        const after = run(metered(binary), a, b, PLENTY);
        expect(after.result).toBe(before.result);
        expect(after.memory).toBe(before.memory);
        expect(after.fuel > 0n).toBe(true);
        // Whatever was called has come back.
        expect(after.stack).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test('needs the same fuel each time, and one unit less is too little', () => {
    fc.assert(
      fc.property(modules, fc.integer(), (binary, a) => {
        const again = metered(binary);
        const { fuel, result } = run(again, a, 0, PLENTY);
        expect(run(again, a, 0, fuel)).toMatchObject({ fuel, result });
        expect(run(again, a, 0, fuel - 1n).result).toBe('unreachable');
      }),
      { numRuns: 100 },
    );
  });

  test('stops at the same place with the same fuel', () => {
    fc.assert(
      fc.property(modules, fc.bigInt({ min: 1n, max: 3000n }), (binary, fuel) => {
        const again = metered(binary);
        expect(run(again, 1, 2, fuel)).toEqual(run(again, 1, 2, fuel));
      }),
      { numRuns: 100 },
    );
  });
});
