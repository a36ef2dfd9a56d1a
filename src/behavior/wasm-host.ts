import { type BehaviorCall, type HostAnswer, LOG_LINE_MAX, REASON_MAX } from '../ports/sandbox.ts';
import { type Bridge, seedOf } from './bridge.ts';
import { chanceOf } from './chance.ts';
import type { FunctionImport } from './module-parts.ts';
import { TYPE } from './opcodes.ts';
import { StopRun } from './stop.ts';

const { i32, f64 } = TYPE;
type Signature = readonly [params: readonly number[], results: readonly number[]];

/**
 * All that a module may import, with its type. Texts are UTF-8: a pointer and a length in bytes.
 * What the host says waits until `take` copies it: the functions return its length, and -1 - length
 * of the reason where the host refuses. `state` returns -1 where there is none.
 */
const IMPORTS: ReadonlyMap<string, Signature> = new Map([
  ['vertebra.entry', [[], [i32]]],
  ['vertebra.pact', [[], [i32]]],
  ['vertebra.invocation', [[], [i32]]],
  ['vertebra.state', [[], [i32]]],
  ['vertebra.setState', [[i32, i32], []]],
  ['vertebra.query', [[i32, i32], [i32]]],
  ['vertebra.produce', [[i32, i32], [i32]]],
  ['vertebra.device', [[i32, i32], [i32]]],
  ['vertebra.take', [[i32], []]],
  ['vertebra.fail', [[i32, i32], []]],
  ['vertebra.log', [[i32, i32], []]],
  ['vertebra.at', [[], [f64]]],
  ['vertebra.random', [[], [f64]]],
  ['vertebra.step', [[], [i32]]],
  // What AssemblyScript imports by itself: for its assertions, and for its Math.random.
  ['env.abort', [[i32, i32, i32, i32], []]],
  ['env.seed', [[], [f64]]],
]);

/** @returns what is wrong with an import; null where it is one of ours. */
export function judgeImport({ module, name, type }: FunctionImport): string | null {
  const wanted = IMPORTS.get(`${module}.${name}`);
  if (wanted === undefined) return `the import ${module}.${name} is none of the host's functions`;
  const isSame =
    String(wanted[0]) === String(type.params) && String(wanted[1]) === String(type.results);
  return isSame ? null : `the import ${module}.${name} has another type`;
}

/** What one instance imports. */
export class WasmHost {
  readonly imports: WebAssembly.Imports;
  state: Uint8Array | null;
  private readonly call: BehaviorCall;
  private readonly bridge: Bridge;
  private readonly memory: () => WebAssembly.Memory;
  private waiting: Uint8Array = new Uint8Array(0);

  constructor(call: BehaviorCall, bridge: Bridge, memory: () => WebAssembly.Memory) {
    this.call = call;
    this.bridge = bridge;
    this.memory = memory;
    this.state = call.state;
    this.imports = { vertebra: this.ours(), env: this.compilers() };
  }

  private ours(): Record<string, unknown> {
    const { call, bridge } = this;
    const random = chanceOf(seedOf(call));
    return {
      entry: () => this.offerText(call.entry === null ? 'null' : JSON.stringify(call.entry)),
      pact: () => this.offerText(call.pact ?? ''),
      invocation: () => this.offerText(call.invocation),
      state: () => (this.state === null ? -1 : this.offer(this.state)),
      setState: (at: number, length: number) => {
        this.state = this.bytesAt(at, length);
        bridge.checkState(this.state);
      },
      query: (at: number, length: number) => this.reply(bridge.query(this.textAt(at, length))),
      produce: (at: number, length: number) => this.reply(bridge.produce(this.textAt(at, length))),
      device: (at: number, length: number) => this.reply(bridge.device(this.textAt(at, length))),
      take: (at: number) => this.take(at >>> 0),
      fail: (at: number, length: number) => bridge.fail(this.textAt(at, length)),
      log: (at: number, length: number) =>
        bridge.say(this.textAt(at, Math.min(length >>> 0, LOG_LINE_MAX))),
      at: () => call.at,
      step: () => call.step,
      random,
    };
  }

  private compilers(): Record<string, unknown> {
    const random = chanceOf(seedOf(this.call));
    return {
      abort: (message: number, file: number, line: number, column: number) => {
        const place = `${this.wideTextAt(file)}:${line >>> 0}:${column >>> 0}`;
        throw new StopRun('exception', `${this.wideTextAt(message)} (${place})`);
      },
      seed: random,
    };
  }

  private reply(answer: HostAnswer<string>): number {
    if (answer.ok) return this.offerText(answer.value);
    return -1 - this.offerText(answer.message);
  }

  private offerText(text: string): number {
    return this.offer(Buffer.from(text, 'utf8'));
  }

  private offer(bytes: Uint8Array): number {
    this.bridge.charge(bytes.length);
    this.waiting = bytes;
    return bytes.length;
  }

  private take(at: number): void {
    this.within(at, this.waiting.length).set(this.waiting);
  }

  /** @returns a view of the instance's memory. @throws StopRun where that does not reach. */
  private within(at: number, length: number): Uint8Array {
    const { buffer } = this.memory();
    if (at + length > buffer.byteLength)
      throw new StopRun('exception', 'a place out of its memory');
    return new Uint8Array(buffer, at, length);
  }

  private bytesAt(at: number, length: number): Uint8Array {
    this.bridge.charge(length >>> 0);
    return this.within(at >>> 0, length >>> 0).slice();
  }

  private textAt(at: number, length: number): string {
    return Buffer.from(this.bytesAt(at, length)).toString('utf8');
  }

  /** A string of AssemblyScript: UTF-16, its length in bytes before it. */
  private wideTextAt(at: number): string {
    const start = at >>> 0;
    if (start < 4) return 'abort';
    const head = this.within(start - 4, 4);
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
    const text = this.within(start, Math.min(length, 2 * REASON_MAX) & ~1).slice();
    return Buffer.from(text).toString('utf16le');
  }
}
