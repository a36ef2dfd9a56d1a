import { forbidden, type ModuleReader, malformed } from './module-bytes.ts';
import type { FunctionType } from './module-parts.ts';
import { type Instruction, OP, readInstruction, readValueType } from './opcodes.ts';

/** What the bodies of one module share. */
export interface BodyContext {
  readonly types: readonly FunctionType[];
  /** Type of each function, the imported ones first. */
  readonly functions: readonly FunctionType[];
  readonly importCount: number;
  /** Index of the global that counts the fuel down (i64). */
  readonly fuelGlobal: number;
  /** Fuel of each beginning of a function or loop; null: as many as instructions may follow. */
  readonly flatFuel: number | null;
  /** Index of the global that holds how many pages the memory may grow to (i32). */
  readonly pagesGlobal: number;
  /** Index of the global that is 1 once a growth was refused for that (i32). */
  readonly deniedGlobal: number;
  /** Index of the global that counts the stack (i32), and most of it; null: not counted. */
  readonly stack: { readonly global: number; readonly slotsMax: number } | null;
}

/** Values of one function, its parameters included: each takes a slot of the machine's stack. */
const LOCALS_MAX = 2000;
/** What a frame takes beside its values, in slots of 8 bytes. */
const FRAME_SLOTS = 16;
/** Branches of so few instructions are paid for whether or not they are taken. */
const SMALL_ARM = 16;
/** Fuel of a function's beginning, beside that of its instructions. */
const ENTRY_FUEL = 4;
const GROW_FUEL = 1000;

interface Scope {
  /** Stack height where it began. */
  readonly height: number;
  readonly results: number;
  readonly params: number;
  /** Which of the charges its instructions count to, and those around it. */
  readonly charge: number;
  readonly outer: number;
  readonly isArm: boolean;
}

export interface Plan {
  /** Fuel of each charge: the function's, then each loop's and each branch's in order. */
  readonly charges: readonly number[];
  readonly slots: number;
  readonly localCount: number;
}

/** Reads one function. @throws ModuleError for what it does not know. */
export function planOf(body: ModuleReader, type: FunctionType, context: BodyContext): Plan {
  const localCount = type.params.length + skipLocals(body);
  const charges = [ENTRY_FUEL];
  const scopes: Scope[] = [
    { height: 0, params: 0, results: type.results.length, charge: 0, outer: 0, isArm: false },
  ];
  const each = emptyInstruction();
  let height = 0;
  let highest = 0;
  while (scopes.length > 0) {
    readInstruction(body, each);
    const scope = scopes[scopes.length - 1]!;
    charges[scope.charge]!++;
    height += each.delta + callDelta(each, context);
    if (each.op === OP.block || each.op === OP.loop || each.op === OP.if) {
      const { params, results } = blockArity(each.block, context.types);
      const charge = each.op === OP.block ? scope.charge : charges.push(1) - 1;
      const isArm = each.op === OP.if;
      const outer = scope.charge;
      scopes.push({ height: height - params, params, results, charge, outer, isArm });
    } else if (each.op === OP.else) {
      height = scope.height + scope.params;
      scopes.pop();
      scopes.push({ ...endArm(scope, charges), charge: charges.push(1) - 1 });
    } else if (each.op === OP.end) {
      height = scope.height + scope.results;
      endArm(scopes.pop()!, charges);
    } else if (each.op === OP.memoryGrow) {
      charges[scope.charge]! += GROW_FUEL;
    }
    // Code that is never reached takes what is not there.
    height = Math.max(height, scope.height);
    highest = Math.max(highest, height);
  }
  if (!body.isAtEnd) malformed(`a function goes on after its end, at byte ${body.at}`);
  return { charges, slots: FRAME_SLOTS + localCount + highest, localCount };
}
/** A small branch is paid for by what is around it. */
function endArm(scope: Scope, charges: number[]): Scope {
  const fuel = charges[scope.charge]!;
  if (scope.isArm && fuel <= SMALL_ARM) {
    charges[scope.outer]! += fuel;
    charges[scope.charge] = 0;
  }
  return scope;
}

export function emptyInstruction(): Instruction {
  return { op: 0, start: 0, index: 0, block: -1, delta: 0 };
}

function skipLocals(body: ModuleReader): number {
  let count = 0;
  for (let groups = body.u32(); groups > 0; groups--) {
    count += body.u32();
    readValueType(body);
  }
  if (count > LOCALS_MAX) forbidden(`a function of ${count} local values, at most ${LOCALS_MAX}`);
  return count;
}

function callDelta(each: Instruction, { types, functions }: BodyContext): number {
  if (each.op !== OP.call && each.op !== OP.callIndirect) return 0;
  const type = (each.op === OP.call ? functions : types)[each.index];
  if (type === undefined) return malformed(`a call of nothing, at byte ${each.start}`);
  return type.results.length - type.params.length;
}

function blockArity(
  block: number,
  types: readonly FunctionType[],
): { readonly params: number; readonly results: number } {
  if (block === -1) return { params: 0, results: 0 };
  if (block < 0) return { params: 0, results: 1 };
  const type = types[block];
  if (type === undefined) return malformed('a block of no type');
  return { params: type.params.length, results: type.results.length };
}
