import { PAGE_BYTES } from '../model/behavior.ts';
import { FUEL_EXPORT, PAGES_EXPORT } from './meter.ts';
import { PRELUDE } from './prelude.ts';
import { StopRun } from './stop.ts';

/** What the code calls of its host: from text to text. A throw of `StopRun` ends the run. */
export type TextHost = Readonly<Record<HostFunction, (text: string) => string>>;
export const HOST_FUNCTIONS = ['query', 'produce', 'device', 'fail', 'log'] as const;
export type HostFunction = (typeof HOST_FUNCTIONS)[number];

/** Pointers to what the prelude made; they hold in each copy of the memory. */
interface Handles {
  readonly install: number;
  readonly enter: number;
  readonly leave: number;
  readonly describe: number;
  readonly nothing: number;
  /** Room for one pointer and one length. */
  readonly scratch: number;
}

/** Those of the engine's exports that are called; numbers are pointers, lengths and flags. */
type EngineFunction =
  | '_initialize'
  | 'qjs_init2'
  | 'qjs_set_memory_limit'
  | 'qjs_set_max_stack_size'
  | 'qjs_run_gc'
  | 'qjs_eval'
  | 'qjs_call'
  | 'qjs_new_string'
  | 'qjs_new_object'
  | 'qjs_new_host_function'
  | 'qjs_get_undefined'
  | 'qjs_get_prop_string'
  | 'qjs_set_prop_string'
  | 'qjs_get_string_len'
  | 'qjs_free_cstring'
  | 'qjs_free_value'
  | 'qjs_is_exception'
  | 'qjs_get_exception'
  | 'qjs_is_job_pending'
  | 'qjs_execute_pending_job'
  | 'qjs_promise_state'
  | 'qjs_promise_result'
  | 'wasm_malloc'
  | 'wasm_free';

type EngineExports = Readonly<Record<EngineFunction, (...numbers: number[]) => number>> & {
  readonly memory: WebAssembly.Memory;
  readonly __stack_pointer: { value: number };
  readonly [FUEL_EXPORT]: { value: bigint };
  readonly [PAGES_EXPORT]: { value: number };
};

/** Date, eval, RegExp, JSON, Proxy, Map and Set, typed arrays, Promise, BigInt, atob and btoa. */
const INTRINSICS = 0b1_1001_1111_1111;
const EVAL_MODULE = 1;
/** Of the engine's own stack, which it checks itself: JavaScript calls about 900 deep. */
const STACK_BYTES = 256 * 1024;
const SUCCESS = 0;
const BAD_FILE = 8;

/** A name and its length, what it was called on, how many arguments, and where they are. */
type HostCall = [name: number, length: number, self: number, count: number, list: number];

/** An exception that left the code. */
export class GuestError extends Error {
  override readonly name = 'GuestError';
}

/**
 * One instance of quickjs, driven by its plain exports: no handle of it is known to anybody else,
 * and all that crosses is text of a bounded length.
 */
export class JsEngine {
  /** Unix milliseconds: what its clock says. */
  at = 0;
  host: TextHost | null = null;
  private readonly wasm: EngineExports;
  private handles: Handles | null = null;

  /** @param module Rewritten by `meter`. */
  constructor(module: WebAssembly.Module) {
    const instance = new WebAssembly.Instance(module, this.imports());
    this.wasm = instance.exports as EngineExports;
  }

  /** Begins from nothing, up to and with the prelude. */
  initialize(): Handles {
    const { wasm } = this;
    wasm._initialize();
    if (wasm.qjs_init2(INTRINSICS) !== 0) throw new GuestError('the engine does not start');
    wasm.qjs_set_max_stack_size(STACK_BYTES);
    const scratch = wasm.wasm_malloc(8);
    const nothing = wasm.qjs_get_undefined();
    const draft = { install: 0, enter: 0, leave: 0, describe: 0, nothing, scratch };
    this.handles = draft;
    const host = wasm.qjs_new_object();
    for (const name of HOST_FUNCTIONS) {
      this.withText(name, (at, length) => {
        wasm.qjs_set_prop_string(host, at, wasm.qjs_new_host_function(at, length, 0));
      });
    }
    const made = this.callValue(this.evaluate(PRELUDE, 'prelude', 0), host);
    const property = (name: string) =>
      this.withText(name, (at) => wasm.qjs_get_prop_string(made, at));
    this.handles = {
      ...draft,
      install: property('install'),
      enter: property('enter'),
      leave: property('leave'),
      describe: property('describe'),
    };
    return this.handles;
  }

  /** Goes on from a copy of another one's memory. */
  adopt(handles: Handles): void {
    this.handles = handles;
  }

  get memory(): WebAssembly.Memory {
    return this.wasm.memory;
  }

  get stackPointer(): number {
    return this.wasm.__stack_pointer.value;
  }

  set stackPointer(value: number) {
    this.wasm.__stack_pointer.value = value;
  }

  get fuel(): number {
    return Number(this.wasm[FUEL_EXPORT].value);
  }

  set fuel(value: number) {
    this.wasm[FUEL_EXPORT].value = BigInt(value);
  }

  /** Bounds the heap; kept in the memory itself. */
  limitHeap(bytes: number): void {
    this.wasm.qjs_set_memory_limit(bytes);
  }

  /** Bounds the memory of this instance. */
  limitMemory(bytes: number): void {
    this.wasm[PAGES_EXPORT].value = bytes / PAGE_BYTES;
  }

  /**
   * Evaluates an author's module and takes its default export.
   * @returns the prelude's JSON text of what it can do and what it declares.
   * @throws GuestError with the reason, StopRun, or what a trap throws.
   */
  load(code: string): string {
    const { wasm } = this;
    const promise = this.evaluate(code, 'behavior.js', EVAL_MODULE);
    this.runJobs();
    const state = wasm.qjs_promise_state(promise);
    const value = wasm.qjs_promise_result(promise);
    if (state === 2) this.raise(value);
    if (state !== 1) throw new GuestError('the module waits for what never comes');
    const exported = this.withText('default', (at) => wasm.qjs_get_prop_string(value, at));
    const made = this.textOf(this.callValue(this.known.install, exported));
    wasm.qjs_run_gc();
    return made;
  }

  /** Runs what is loaded. @returns the prelude's JSON text of how it ended. */
  enter(call: string): string {
    this.callValue(this.known.enter, this.newText(call));
    this.runJobs();
    return this.textOf(this.callValue(this.known.leave));
  }

  private get known(): Handles {
    if (this.handles === null) throw new GuestError('the engine has not begun');
    return this.handles;
  }

  private evaluate(code: string, name: string, flags: number): number {
    return this.checked(
      this.withText(code, (at, length) =>
        this.withText(name, (nameAt) => this.wasm.qjs_eval(at, length, nameAt, flags)),
      ),
    );
  }

  private callValue(callee: number, argument?: number): number {
    const { wasm } = this;
    const { nothing, scratch } = this.known;
    if (argument === undefined) return this.checked(wasm.qjs_call(callee, nothing, 0, 0));
    new DataView(wasm.memory.buffer).setUint32(scratch, argument, true);
    return this.checked(wasm.qjs_call(callee, nothing, 1, scratch));
  }

  private checked(value: number): number {
    if (this.wasm.qjs_is_exception(value) === 0) return value;
    return this.raise(this.wasm.qjs_get_exception());
  }

  /** Throws what was thrown inside, as the prelude describes it. */
  private raise(thrown: number): never {
    const { describe, nothing, scratch } = this.known;
    if (describe === 0) throw new GuestError('the prelude does not run');
    new DataView(this.wasm.memory.buffer).setUint32(scratch, thrown, true);
    const text = this.wasm.qjs_call(describe, nothing, 1, scratch);
    // The prelude catches all but this: there is no room even for a few words.
    if (this.wasm.qjs_is_exception(text) !== 0) throw new StopRun('memory', 'out of memory');
    throw new GuestError(this.textOf(text));
  }

  private runJobs(): void {
    const { wasm } = this;
    while (wasm.qjs_is_job_pending() !== 0) {
      if (wasm.qjs_execute_pending_job() < 0) this.raise(wasm.qjs_get_exception());
    }
  }

  private withText<Result>(text: string, use: (at: number, length: number) => Result): Result {
    const bytes = Buffer.from(text, 'utf8');
    const at = this.wasm.wasm_malloc(bytes.length + 1);
    if (at === 0) throw new StopRun('memory', 'out of memory');
    const memory = new Uint8Array(this.wasm.memory.buffer);
    memory.set(bytes, at);
    memory[at + bytes.length] = 0;
    const result = use(at, bytes.length);
    this.wasm.wasm_free(at);
    return result;
  }

  private newText(text: string): number {
    return this.checked(this.withText(text, (at, length) => this.wasm.qjs_new_string(at, length)));
  }

  /** @param value A string: of anything else the code's own `toString` would run. */
  private textOf(value: number): string {
    const { wasm } = this;
    const lengthAt = this.known.scratch + 4;
    const at = wasm.qjs_get_string_len(value, lengthAt);
    if (at === 0) throw new StopRun('memory', 'out of memory');
    const length = new DataView(wasm.memory.buffer).getUint32(lengthAt, true);
    const text = Buffer.from(wasm.memory.buffer, at, length).toString('utf8');
    wasm.qjs_free_cstring(at);
    return text;
  }

  /** @returns the value for the code; a fresh one, which the engine frees. */
  private answer(nameAt: number, nameLength: number, count: number, argumentsAt: number): number {
    const { buffer } = this.wasm.memory;
    const name = Buffer.from(buffer, nameAt, nameLength).toString('latin1');
    const known = HOST_FUNCTIONS.find((each) => each === name);
    if (known === undefined || this.host === null || count < 1) {
      throw new StopRun('exception', 'the host is called where it may not be');
    }
    const argument = new DataView(buffer).getUint32(argumentsAt, true);
    return this.newText(this.host[known](this.textOf(argument)));
  }

  private imports(): WebAssembly.Imports {
    const view = () => new DataView(this.wasm.memory.buffer);
    return {
      env: {
        host_call: (...[name, length, , count, list]: HostCall) =>
          this.answer(name, length, count, list),
        host_interrupt: () => 0,
        host_promise_rejection: () => undefined,
        // A module of an author is one piece: there is nothing to load beside it.
        host_module_normalize: () => 0,
        host_module_load: () => 0,
        host_get_timezone_offset: () => 0,
      },
      wasi_snapshot_preview1: {
        clock_time_get: (_clock: number, _precision: bigint, into: number) => {
          view().setBigUint64(into, BigInt(this.at) * 1_000_000n, true);
          return SUCCESS;
        },
        random_get: (at: number, length: number) => {
          new Uint8Array(this.wasm.memory.buffer, at, length).fill(0);
          return SUCCESS;
        },
        fd_write: () => BAD_FILE,
        fd_close: () => BAD_FILE,
        fd_fdstat_get: () => BAD_FILE,
        fd_seek: () => BAD_FILE,
      },
    };
  }
}
