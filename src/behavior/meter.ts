import { PAGE_BYTES } from '../model/behavior.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { BodyContext } from './body-plan.ts';
import { meterBody } from './metered-body.ts';
import { forbidden, ModuleError, ModuleWriter, malformed } from './module-bytes.ts';
import {
  copyOf,
  EXPORT_KIND,
  type FunctionImport,
  type FunctionType,
  type ModuleParts,
  readParts,
  SECTION,
  SECTION_ORDER,
} from './module-parts.ts';
import { OP, TYPE } from './opcodes.ts';

export interface MeterOptions {
  /** Most that its memory may begin with, and grow to whatever `PAGES_EXPORT` says. */
  readonly memoryBytesMax: number;
  /**
   * Fuel of each beginning of a function or loop, whatever follows: for code that is known to have
   * no long ways without one. Null: as many instructions as may follow, for the code of strangers.
   */
  readonly flatFuel: number | null;
  /** Fuel before anybody sets it. */
  readonly fuelAtStart: number;
  /** Most of the stack that calls within it may take, in slots of 8 bytes; null: not counted. */
  readonly stackSlotsMax: number | null;
  /** Says what is wrong with an import; null where it is permitted. */
  readonly judgeImport: (each: FunctionImport) => string | null;
}

export interface MeteredModule {
  readonly binary: Uint8Array<ArrayBuffer>;
  /** What the original exports, by name. */
  readonly exports: ReadonlyMap<string, { readonly kind: number; readonly type: FunctionType }>;
  /** Had it a start function? It is exported as `START` instead of run. */
  readonly hasStart: boolean;
}

/** Names that a rewritten module exports beside its own. */
export const FUEL_EXPORT = 'vertebra:fuel';
export const PAGES_EXPORT = 'vertebra:pages';
export const DENIED_EXPORT = 'vertebra:denied';
export const STACK_EXPORT = 'vertebra:stack';
export const START_EXPORT = 'vertebra:start';

const OUR_EXPORTS = [FUEL_EXPORT, PAGES_EXPORT, DENIED_EXPORT, STACK_EXPORT, START_EXPORT];

export type MeterRefusal = 'not-code' | 'not-permitted';

/**
 * Rewrites a module so that it counts what it does: the i64 global `FUEL_EXPORT` falls with its
 * instructions, and below zero it traps; the i32 global `STACK_EXPORT` holds the slots of the calls
 * under way, and above the most it traps; its memory grows to as many pages as the i32 global
 * `PAGES_EXPORT` holds, and the i32 global `DENIED_EXPORT` says that it wanted more; its start
 * function waits to be called. Whatever the rewriter does not know it refuses, with the reason.
 */
export function meter(
  binary: Uint8Array,
  options: MeterOptions,
): Verdict<MeteredModule, MeterRefusal> {
  const original = new Uint8Array(binary);
  if (!WebAssembly.validate(original)) return refuse('not-code', 'no valid WebAssembly module');
  try {
    const parts = readParts(original);
    const metered = new ModuleRewriter(parts, options).run(original.length);
    // Ours and nobody else's fault: the original was valid.
    if (!WebAssembly.validate(metered)) malformed('rewritten it is not valid any more');
    const functions = typesOfFunctions(parts);
    const exports = [...parts.exports].map(([name, { kind, index }]) => {
      const type = kind === EXPORT_KIND.function ? functions[index] : undefined;
      return [name, { kind, type: type ?? { params: [], results: [] } }] as const;
    });
    return accept({ binary: metered, exports: new Map(exports), hasStart: parts.start !== null });
  } catch (cause) {
    if (cause instanceof ModuleError) return refuse(cause.code, cause.message);
    throw cause;
  }
}

function typesOfFunctions(parts: ModuleParts): FunctionType[] {
  const defined = parts.functions.map(
    (index) => parts.types[index] ?? malformed('a function without a type'),
  );
  return [...parts.imports.map((each) => each.type), ...defined];
}

class ModuleRewriter {
  private readonly parts: ModuleParts;
  private readonly options: MeterOptions;
  private readonly functions: readonly FunctionType[];

  constructor(parts: ModuleParts, options: MeterOptions) {
    this.parts = parts;
    this.options = options;
    this.functions = typesOfFunctions(parts);
  }

  run(sizeBefore: number): Uint8Array<ArrayBuffer> {
    this.judge();
    const out = new ModuleWriter(sizeBefore * 2).raw([0, 97, 115, 109, 1, 0, 0, 0]);
    for (const id of SECTION_ORDER) {
      const content = this.contentOf(id);
      if (content !== null) out.u8(id).sized(content);
    }
    return out.view().slice();
  }

  private judge(): void {
    for (const each of this.parts.imports) {
      const fault = this.options.judgeImport(each);
      if (fault !== null) forbidden(fault);
    }
    for (const name of OUR_EXPORTS) {
      if (this.parts.exports.has(name)) forbidden(`the export ${name}`);
    }
  }

  private contentOf(id: number): Uint8Array | null {
    const before = copyOf(this.parts.sections.get(id));
    switch (id) {
      case SECTION.memory:
        return this.memory();
      case SECTION.global:
        return this.globals();
      case SECTION.export:
        return this.exports();
      case SECTION.start:
        return null;
      case SECTION.code:
        return this.code();
      default:
        return before === undefined ? null : before.bytes.subarray(before.at, before.end);
    }
  }

  private memory(): Uint8Array {
    const { min, max } = this.parts.memory;
    const pagesMax = Math.floor(this.options.memoryBytesMax / PAGE_BYTES);
    if (min > pagesMax) forbidden(`${min} pages of memory, at most ${pagesMax}`);
    const most = Math.min(max ?? pagesMax, pagesMax);
    return new ModuleWriter(16).u32(1).u8(1).u32(min).u32(most).view();
  }

  /** @returns the list of `id` with `count` more items, which the caller appends. */
  private extended(id: number, count: number): ModuleWriter {
    const before = copyOf(this.parts.sections.get(id));
    const already = before?.u32() ?? 0;
    const writer = new ModuleWriter(256).u32(already + count);
    return before === undefined ? writer : writer.raw(before.bytes.subarray(before.at, before.end));
  }

  /** Fuel, stack, pages and denied, in this order after the module's own. */
  private globals(): Uint8Array {
    const { fuelAtStart, memoryBytesMax } = this.options;
    const writer = this.extended(SECTION.global, 4);
    writer.u8(TYPE.i64).u8(1).u8(OP.i64Const).positive(fuelAtStart).u8(OP.end);
    writer.u8(TYPE.i32).u8(1).u8(OP.i32Const).u8(0).u8(OP.end);
    const pages = Math.floor(memoryBytesMax / PAGE_BYTES);
    writer.u8(TYPE.i32).u8(1).u8(OP.i32Const).positive(pages).u8(OP.end);
    return writer.u8(TYPE.i32).u8(1).u8(OP.i32Const).u8(0).u8(OP.end).view();
  }

  private exports(): Uint8Array {
    const { globalCount, start } = this.parts;
    const writer = this.extended(SECTION.export, start === null ? 4 : 5);
    writer.name(FUEL_EXPORT).u8(EXPORT_KIND.global).u32(globalCount);
    writer
      .name(STACK_EXPORT)
      .u8(EXPORT_KIND.global)
      .u32(globalCount + 1);
    writer
      .name(PAGES_EXPORT)
      .u8(EXPORT_KIND.global)
      .u32(globalCount + 2);
    writer
      .name(DENIED_EXPORT)
      .u8(EXPORT_KIND.global)
      .u32(globalCount + 3);
    if (start !== null) writer.name(START_EXPORT).u8(EXPORT_KIND.function).u32(start);
    return writer.view();
  }

  private code(): Uint8Array | null {
    const section = copyOf(this.parts.sections.get(SECTION.code));
    if (section === undefined) return null;
    const { types, globalCount, imports } = this.parts;
    const { stackSlotsMax: slotsMax } = this.options;
    const context: BodyContext = {
      types,
      functions: this.functions,
      importCount: imports.length,
      fuelGlobal: globalCount,
      flatFuel: this.options.flatFuel,
      pagesGlobal: globalCount + 2,
      deniedGlobal: globalCount + 3,
      stack: slotsMax === null ? null : { global: globalCount + 1, slotsMax },
    };
    const count = section.u32();
    const out = new ModuleWriter((section.end - section.at) * 2).u32(count);
    const body = new ModuleWriter(4096);
    for (let index = 0; index < count; index++) {
      const type = this.functions[imports.length + index];
      if (type === undefined) return malformed('more bodies than functions');
      meterBody(section.part(section.u32()), type, context, body.reset());
      out.sized(body.view());
    }
    return out.view();
  }
}
