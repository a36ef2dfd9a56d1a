import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Behavior } from '../model/behavior.ts';
import { invariant } from '../model/invariant.ts';
import { refuse, type Verdict } from '../model/verdict.ts';
import type { BehaviorCall, BehaviorOutcome, HostAnswer, LoadRefusal } from '../ports/sandbox.ts';
import { compileEngine, EngineRoom } from './engine-room.ts';
import type { Executable } from './executable.ts';
import { JsBehavior } from './js-behavior.ts';
import type {
  Answered,
  FromWorker,
  HostRequest,
  LoadedCode,
  ToWorker,
  WorkerStart,
} from './protocol.ts';
import { StopRun } from './stop.ts';
import { WasmBehavior } from './wasm-behavior.ts';

/** What one worker thread holds and does; it answers each message with one of its own. */
class Workshop {
  private readonly start: WorkerStart;
  private readonly bell: Int32Array;
  private readonly loaded = new Map<string, Executable>();
  private room: EngineRoom | null = null;
  private asked = 0;

  constructor(start: WorkerStart) {
    this.start = start;
    this.bell = new Int32Array(start.bell);
  }

  receive(message: ToWorker): void {
    switch (message.kind) {
      case 'load':
        tell({ kind: 'loaded', verdict: this.load(message.behavior) });
        return;
      case 'unload':
        this.loaded.delete(message.id);
        return;
      case 'run': {
        const outcome = this.run(message.id, message.call);
        tell({ kind: 'ended', outcome, warm: this.coolOld() });
        return;
      }
      default:
        message satisfies never;
    }
  }

  private load(behavior: Behavior): Verdict<LoadedCode, LoadRefusal> {
    const made = this.make(behavior);
    if (!made.ok) return made;
    this.loaded.set(behavior.id, made.value);
    this.coolOld();
    const { canUndo, declared } = made.value;
    return { ok: true, value: { canUndo, declared } };
  }

  private make(behavior: Behavior): Verdict<Executable, LoadRefusal> {
    if (behavior.kind === 'webassembly') return WasmBehavior.load(behavior);
    this.room ??= this.openRoom();
    if (this.room !== null) return JsBehavior.load(behavior, this.room);
    const advice = 'the package quickjs-wasi is missing: npm install quickjs-wasi';
    return refuse('not-available', advice);
  }

  private openRoom(): EngineRoom | null {
    let { engine } = this.start;
    if (engine === null) {
      const binary = readEngine();
      if (binary === null) return null;
      engine = compileEngine(binary);
      tell({ kind: 'engine', engine });
    }
    return new EngineRoom(engine);
  }

  private run(id: string, call: BehaviorCall): BehaviorOutcome {
    const executable = this.loaded.get(id);
    invariant(executable !== undefined, 'what is run was loaded before');
    // The newest at the end: the first ones are the next to grow cold.
    this.loaded.delete(id);
    this.loaded.set(id, executable);
    return executable.run(call, (request) => this.ask(request));
  }

  /** @returns how many instances are kept ready. */
  private coolOld(): number {
    const warm = [...this.loaded.values()].filter((each) => each.isWarm);
    const { warmMax } = this.start.settings;
    for (const each of warm.slice(0, Math.max(0, warm.length - warmMax))) each.cool();
    return Math.min(warm.length, warmMax);
  }

  /** Asks the main thread and sleeps until it answers. @throws StopRun */
  private ask(request: HostRequest): HostAnswer<string> {
    const number = ++this.asked;
    const until = performance.now() + this.start.settings.hostMs;
    tell({ kind: 'ask', number, request });
    for (;;) {
      const rung = Atomics.load(this.bell, 0);
      const message = receiveMessageOnPort(this.start.answers);
      if (message !== undefined) {
        const answered = message.message as Answered;
        // An answer that came too late for an earlier run is nobody's.
        if (answered.number !== number) continue;
        if ('lost' in answered.answer) throw new StopRun('host', answered.answer.lost);
        return answered.answer;
      }
      const left = until - performance.now();
      if (left <= 0 || Atomics.wait(this.bell, 0, rung, left) === 'timed-out') {
        throw new StopRun('host', `no answer within ${this.start.settings.hostMs} ms`);
      }
    }
  }
}

/** @returns null where the package is not installed. */
function readEngine(): Uint8Array | null {
  try {
    const file = createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm');
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return null;
    throw cause;
  }
}

function tell(message: FromWorker): void {
  invariant(parentPort !== null, 'this file runs in a worker');
  parentPort.postMessage(message);
}

const workshop = new Workshop(workerData as WorkerStart);
parentPort?.on('message', (message: ToWorker) => workshop.receive(message));
