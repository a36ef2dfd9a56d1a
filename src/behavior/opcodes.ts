import { forbidden, ModuleError, type ModuleReader } from './module-bytes.ts';

/** The instructions that the rewriter treats by themselves. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  select: 0x1b,
  selectTyped: 0x1c,
  localGet: 0x20,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i64LtS: 0x53,
  f32Eq: 0x5b,
  f64Eq: 0x61,
  i32GtU: 0x4b,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Or: 0x72,
  i32ShrU: 0x76,
  i64Sub: 0x7d,
  i64ExtendI32U: 0xad,
  /** Two bytes: 0xfc and this, here as 0xfc00 + second. */
  memoryInit: 0xfc08,
  dataDrop: 0xfc09,
} as const;

export const EMPTY_BLOCK = 0x40;
export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, funcref: 0x70 } as const;
const EXTERNREF = 0x6f;

/** Numbers and references; no vectors. */
export function isValueType(byte: number): boolean {
  return (byte >= TYPE.f64 && byte <= TYPE.i32) || byte === TYPE.funcref || byte === EXTERNREF;
}

/** What follows an opcode. */
type Immediate =
  | 'none'
  | 'block'
  | 'index'
  | 'table'
  | 'pair'
  | 'types'
  | 'type'
  | 'memory'
  | 'zero'
  | 's32'
  | 's64'
  | 'f32'
  | 'f64';

interface Shape {
  readonly immediate: Immediate;
  /** How many values it leaves on the stack, less those it takes; calls and blocks differ. */
  readonly delta: number;
}

const SHAPES = new Map<number, Shape>();

function define(from: number, to: number, immediate: Immediate, delta: number): void {
  for (let op = from; op <= to; op++) SHAPES.set(op, { immediate, delta });
}

define(0x00, 0x01, 'none', 0); // unreachable, nop
define(0x02, 0x03, 'block', 0); // block, loop
define(0x04, 0x04, 'block', -1); // if
define(0x05, 0x05, 'none', 0); // else
define(0x0b, 0x0b, 'none', 0); // end
define(0x0c, 0x0c, 'index', 0); // br
define(0x0d, 0x0d, 'index', -1); // br_if
define(0x0e, 0x0e, 'table', -1); // br_table
define(0x0f, 0x0f, 'none', 0); // return
define(0x10, 0x10, 'index', 0); // call
define(0x11, 0x11, 'pair', -1); // call_indirect
define(0x1a, 0x1a, 'none', -1); // drop
define(0x1b, 0x1b, 'none', -2); // select
define(0x1c, 0x1c, 'types', -2); // select with a type
define(0x20, 0x20, 'index', 1); // local.get
define(0x21, 0x21, 'index', -1); // local.set
define(0x22, 0x22, 'index', 0); // local.tee
define(0x23, 0x23, 'index', 1); // global.get
define(0x24, 0x24, 'index', -1); // global.set
define(0x25, 0x25, 'index', 0); // table.get
define(0x26, 0x26, 'index', -2); // table.set
define(0x28, 0x35, 'memory', 0); // loads
define(0x36, 0x3e, 'memory', -2); // stores
define(0x3f, 0x3f, 'zero', 1); // memory.size
define(0x40, 0x40, 'zero', 0); // memory.grow
define(0x41, 0x41, 's32', 1);
define(0x42, 0x42, 's64', 1);
define(0x43, 0x43, 'f32', 1);
define(0x44, 0x44, 'f64', 1);
define(0x45, 0x45, 'none', 0); // i32.eqz
define(0x46, 0x4f, 'none', -1); // i32 comparisons
define(0x50, 0x50, 'none', 0); // i64.eqz
define(0x51, 0x66, 'none', -1); // other comparisons
define(0x67, 0x69, 'none', 0); // i32.clz, ctz, popcnt
define(0x6a, 0x78, 'none', -1); // i32 arithmetic
define(0x79, 0x7b, 'none', 0); // i64.clz, ctz, popcnt
define(0x7c, 0x8a, 'none', -1); // i64 arithmetic
define(0x8b, 0x91, 'none', 0); // f32 of one
define(0x92, 0x98, 'none', -1); // f32 of two
define(0x99, 0x9f, 'none', 0); // f64 of one
define(0xa0, 0xa6, 'none', -1); // f64 of two
define(0xa7, 0xc4, 'none', 0); // conversions, sign extensions
define(0xd0, 0xd0, 'type', 1); // ref.null
define(0xd1, 0xd1, 'none', 0); // ref.is_null
define(0xd2, 0xd2, 'index', 1); // ref.func
define(0xfc00, 0xfc07, 'none', 0); // saturating truncations
define(0xfc08, 0xfc08, 'pair', -3); // memory.init
define(0xfc09, 0xfc09, 'index', 0); // data.drop
define(0xfc0a, 0xfc0a, 'pair', -3); // memory.copy
define(0xfc0b, 0xfc0b, 'zero', -3); // memory.fill

const FAMILIES = new Map([
  [0xfb, 'garbage collection'],
  [0xfc, 'tables that change'],
  [0xfd, 'vectors (SIMD)'],
  [0xfe, 'threads'],
  [0x06, 'exceptions'],
  [0x07, 'exceptions'],
  [0x08, 'exceptions'],
  [0x12, 'tail calls'],
  [0x13, 'tail calls'],
]);

/**
 * Does the result, where it is not a number, have bits that differ from processor to processor?
 *
 * @returns the type of the result then; null where the bits are the same everywhere.
 * @source WebAssembly core specification 4.3.3, NaN propagation.
 */
export function nanTypeOf(op: number): 'f32' | 'f64' | null {
  if ((op >= 0x8d && op <= 0x97) || op === 0xb6) return 'f32';
  if ((op >= 0x9b && op <= 0xa5) || op === 0xbb) return 'f64';
  return null;
}

/** Filled anew by each `readInstruction`, so that a million of them make no garbage. */
export interface Instruction {
  op: number;
  start: number;
  /** Index of a call's function, of an indirect call's type; else 0. */
  index: number;
  /** Of a block: -1 none, below -1 a value type, else the index of a function type. */
  block: number;
  delta: number;
}

export function readInstruction(reader: ModuleReader, into: Instruction): void {
  into.start = reader.at;
  let op = reader.u8();
  if (op === 0xfc) op = 0xfc00 + reader.u32();
  const shape = SHAPES.get(op);
  if (shape === undefined) throw unknownInstruction(op, into.start);
  into.op = op;
  into.delta = shape.delta;
  into.index = 0;
  into.block = -1;
  skipImmediate(reader, shape.immediate, into);
}

function unknownInstruction(op: number, at: number): ModuleError {
  const family = FAMILIES.get(op > 0xff ? 0xfc : op);
  const known = family === undefined ? '' : `: ${family}`;
  const message = `the instruction 0x${op.toString(16)} at byte ${at}${known}`;
  return new ModuleError('not-permitted', message);
}

function skipImmediate(reader: ModuleReader, immediate: Immediate, into: Instruction): void {
  switch (immediate) {
    case 'none':
      return;
    case 'block':
      into.block = readBlockType(reader);
      return;
    case 'index':
      into.index = reader.u32();
      return;
    case 'pair':
      into.index = reader.u32();
      reader.u32();
      return;
    case 'table':
      for (let rest = reader.u32() + 1; rest > 0; rest--) reader.u32();
      return;
    case 'types':
      for (let rest = reader.u32(); rest > 0; rest--) readValueType(reader);
      return;
    case 'type':
      readValueType(reader);
      return;
    case 'memory':
      if (reader.u32() > 4) forbidden(`more than one memory, at byte ${reader.at}`);
      reader.u32();
      return;
    case 'zero':
      if (reader.u8() !== 0) forbidden(`more than one memory, at byte ${reader.at}`);
      return;
    case 's32':
      reader.skipLeb(5);
      return;
    case 's64':
      reader.skipLeb(10);
      return;
    case 'f32':
      reader.skip(4);
      return;
    case 'f64':
      reader.skip(8);
      return;
    default:
      immediate satisfies never;
  }
}

function readBlockType(reader: ModuleReader): number {
  const first = reader.bytes[reader.at];
  if (first === EMPTY_BLOCK) {
    reader.at++;
    return -1;
  }
  if (first !== undefined && first < 0x80 && first >= 0x40) return -readValueType(reader);
  return reader.u32();
}

export function readValueType(reader: ModuleReader): number {
  const type = reader.u8();
  return isValueType(type) ? type : forbidden(`the value type 0x${type.toString(16)}`);
}
