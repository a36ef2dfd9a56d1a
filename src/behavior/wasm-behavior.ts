import { type Behavior, PAGE_BYTES } from '../model/behavior.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { BehaviorCall, BehaviorOutcome, LoadRefusal } from '../ports/sandbox.ts';
import { type AskHost, Bridge } from './bridge.ts';
import type { Executable } from './executable.ts';
import {
  DENIED_EXPORT,
  FUEL_EXPORT,
  meter,
  PAGES_EXPORT,
  STACK_EXPORT,
  START_EXPORT,
} from './meter.ts';
import { EXPORT_KIND } from './module-parts.ts';
import { brokenBy, endedBy } from './outcome.ts';
import { StopRun } from './stop.ts';
import { judgeImport, WasmHost } from './wasm-host.ts';

/** Slots of 8 bytes that the calls of a run may take: half a mebibyte of a worker's stack. */
const STACK_SLOTS_MAX = 65_536;

type Exports = Readonly<Record<'run' | 'undo' | typeof START_EXPORT, () => void>> & {
  readonly memory: WebAssembly.Memory;
  readonly [FUEL_EXPORT]: { value: bigint };
  readonly [PAGES_EXPORT]: { value: number };
  readonly [DENIED_EXPORT]: { readonly value: number };
  readonly [STACK_EXPORT]: { readonly value: number };
};

/** A WebAssembly Behavior: each run has an instance of its own, made anew. */
export class WasmBehavior implements Executable {
  readonly behavior: Behavior;
  readonly canUndo: boolean;
  readonly declared = null;
  readonly isWarm = false;
  private readonly module: WebAssembly.Module;
  private readonly hasStart: boolean;

  private constructor(
    behavior: Behavior,
    module: WebAssembly.Module,
    can: { readonly undo: boolean; readonly start: boolean },
  ) {
    this.behavior = behavior;
    this.module = module;
    this.canUndo = can.undo;
    this.hasStart = can.start;
  }

  /** Rewrites and compiles; runs nothing of it. */
  static load(behavior: Behavior): Verdict<WasmBehavior, LoadRefusal> {
    const { memoryBytes } = behavior.limits;
    const metered = meter(behavior.code, {
      memoryBytesMax: memoryBytes,
      flatFuel: null,
      fuelAtStart: 0,
      stackSlotsMax: STACK_SLOTS_MAX,
      judgeImport,
    });
    if (!metered.ok) return metered;
    const { binary, exports, hasStart } = metered.value;
    if (exports.get('memory')?.kind !== EXPORT_KIND.memory) {
      return refuse('no-run', 'it exports no memory named memory');
    }
    const can = (name: string) => {
      const found = exports.get(name);
      const isFunction = found !== undefined && found.kind === EXPORT_KIND.function;
      return isFunction && found.type.params.length === 0 && found.type.results.length === 0;
    };
    if (!can('run')) return refuse('no-run', 'it exports no function run() without a result');
    const module = new WebAssembly.Module(binary);
    return accept(new WasmBehavior(behavior, module, { undo: can('undo'), start: hasStart }));
  }

  run(call: BehaviorCall, ask: AskHost): BehaviorOutcome {
    const { fuel, memoryBytes } = this.behavior.limits;
    let exports: Exports | null = null;
    const left = () => Number(exports?.[FUEL_EXPORT].value ?? 0n);
    const charge = (cost: number) => {
      if (exports === null)
        throw new StopRun('exception', 'the host is called where it may not be');
      exports[FUEL_EXPORT].value -= BigInt(cost);
      if (left() < 0) throw new StopRun('fuel', 'the fuel is used up');
    };
    const bridge = new Bridge(this.behavior, ask, charge);
    const host = new WasmHost(call, bridge, () => exports!.memory);
    const notes = () => ({ fuelUsed: Math.min(fuel, fuel - left()), log: bridge.log });
    try {
      const instance = new WebAssembly.Instance(this.module, host.imports);
      exports = instance.exports as Exports;
      exports[FUEL_EXPORT].value = BigInt(fuel);
      exports[PAGES_EXPORT].value = memoryBytes / PAGE_BYTES;
      if (this.hasStart) exports[START_EXPORT]();
      exports[call.purpose]();
      bridge.checkState(host.state);
      return { kind: 'done', produced: bridge.produced, state: host.state, ...notes() };
    } catch (cause) {
      if (cause instanceof StopRun) return endedBy(cause, bridge.produced, notes());
      return brokenBy(this.explain(cause, exports), notes());
    }
  }

  cool(): void {
    // Nothing is kept between two runs.
  }

  private explain(cause: unknown, exports: Exports | null): StopRun {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (exports === null) return new StopRun('memory', `no instance: ${message}`);
    if (exports[FUEL_EXPORT].value < 0n) return new StopRun('fuel', 'the fuel is used up');
    if (exports[STACK_EXPORT].value > STACK_SLOTS_MAX || cause instanceof RangeError) {
      return new StopRun('stack', 'calls within calls without an end');
    }
    if (exports[DENIED_EXPORT].value === 1) return new StopRun('memory', 'out of memory');
    return new StopRun('exception', message);
  }
}
