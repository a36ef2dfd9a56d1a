import { ModuleWriter } from '../../src/behavior/module-bytes.ts';

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;

export interface BuiltFunction {
  readonly params?: readonly number[];
  readonly results?: readonly number[];
  /** Types of further local values. */
  readonly locals?: readonly number[];
  /** Without the last `end`. */
  readonly code: readonly number[];
  readonly exported?: string;
}

export interface BuiltModule {
  readonly functions?: readonly BuiltFunction[];
  /** Bytes of limits: flags, min, max. Null: no memory. */
  readonly memory?: readonly number[] | null;
  /** Whole sections, in the place of those made here or beside them. */
  readonly sections?: Readonly<Record<number, readonly number[]>>;
}

/** A WebAssembly module by hand; its memory is exported. */
export function buildModule({ functions = [], memory = [0, 1], sections = {} }: BuiltModule) {
  const made: Record<number, Uint8Array | readonly number[]> = {
    1: list(
      functions.map(({ params = [], results = [] }) => [
        ...[0x60, ...counted(params), ...counted(results)],
      ]),
    ),
    3: list(functions.map((_, index) => [...leb(index)])),
    ...(memory === null ? {} : { 5: [1, ...memory] }),
    7: exportsOf(functions, memory !== null),
    10: list(functions.map(bodyOf)),
    ...sections,
  };
  const out = new ModuleWriter(1000).raw([0, 97, 115, 109, 1, 0, 0, 0]);
  for (const id of [1, 2, 3, 4, 5, 6, 13, 7, 8, 9, 12, 10, 11]) {
    const content = made[id];
    if (content !== undefined) out.u8(id).sized(Uint8Array.from(content));
  }
  return out.view().slice();
}

export function leb(value: number): Uint8Array {
  return new ModuleWriter(8).u32(value).view().slice();
}

/** Signed, of an i32. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const byte = rest & 0x7f;
    const isLast = rest >> 6 === 0 || rest >> 6 === -1;
    bytes.push(isLast ? byte : byte | 0x80);
    if (isLast) return bytes;
  }
}

export function name(text: string): number[] {
  return [...new ModuleWriter(100).name(text).view()];
}

export function list(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function counted(bytes: readonly number[]): number[] {
  return [...leb(bytes.length), ...bytes];
}

function bodyOf({ locals = [], code }: BuiltFunction): number[] {
  const groups = locals.map((type) => [1, type]);
  return counted([...list(groups), ...code, 0x0b]);
}

function exportsOf(functions: readonly BuiltFunction[], hasMemory: boolean): number[] {
  const items = functions.flatMap(({ exported }, index) =>
    exported === undefined ? [] : [[...name(exported), 0, ...leb(index)]],
  );
  return list(hasMemory ? [...items, [...name('memory'), 2, 0]] : items);
}
