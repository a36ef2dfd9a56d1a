import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Behavior, BehaviorId } from '../model/behavior.ts';
import { invariant } from '../model/invariant.ts';
import type { Verdict } from '../model/verdict.ts';
import {
  type BehaviorCall,
  type BehaviorHost,
  type BehaviorOutcome,
  HOST_MESSAGE_BYTES_MAX,
  type HostAnswer,
  type Json,
  type LoadRefusal,
} from '../ports/sandbox.ts';
import type {
  Answered,
  FromWorker,
  HostRequest,
  LoadedCode,
  ToWorker,
  WorkerSettings,
} from './protocol.ts';

/** The same from `src/behavior` and from `build/behavior`: a worker is JavaScript. */
export const WORKER_FILE: string = fileURLToPath(
  new URL('../../build/behavior/worker.js', import.meta.url),
);

/** How long loading may take, the engine's first compilation on a small machine included. */
const LOAD_MS = 300_000;
/**
 * Of V8 in one worker, beside the memories of WebAssembly; the engine's recursion is on the stack.
 */
const RESOURCES = { maxOldGenerationSizeMb: 128, stackSizeMb: 16 };

export interface PooledWorkerOptions {
  readonly settings: WorkerSettings;
  /** How long a run may take between two questions to the host, in milliseconds. */
  readonly runMs: number;
  readonly engine: WebAssembly.Module | null;
  readonly onEngine: (engine: WebAssembly.Module) => void;
  /** It is no more. */
  readonly onEnd: (worker: PooledWorker, wasBusy: boolean) => void;
}

/** What it is to do now; it does one thing at a time. */
type Task =
  | { readonly kind: 'load'; readonly settle: (verdict: Loaded) => void }
  | {
      readonly kind: 'run';
      readonly behavior: Behavior;
      readonly host: BehaviorHost;
      readonly settle: (outcome: BehaviorOutcome) => void;
    };

type RunTask = Task & { readonly kind: 'run' };
type Loaded = Verdict<LoadedCode, LoadRefusal> | { readonly crashed: string };

/** One worker thread, seen from the main one. It may die at any time, and takes its task along. */
export class PooledWorker {
  readonly loaded = new Set<BehaviorId>();
  warm = 0;
  private readonly options: PooledWorkerOptions;
  private readonly worker: Worker;
  private readonly answers: MessagePort;
  private readonly bell = new Int32Array(new SharedArrayBuffer(4));
  private task: Task | null = null;
  private watchdog: NodeJS.Timeout | null = null;
  private why = 'its worker ended';
  private hasEnded = false;

  constructor(options: PooledWorkerOptions) {
    this.options = options;
    const { port1, port2 } = new MessageChannel();
    this.answers = port1;
    const { settings, engine } = options;
    this.worker = new Worker(WORKER_FILE, {
      workerData: { answers: port2, bell: this.bell.buffer, engine, settings },
      transferList: [port2],
      resourceLimits: RESOURCES,
      env: {},
      argv: [],
      execArgv: [],
    });
    this.worker.on('message', (message: FromWorker) => this.receive(message));
    this.worker.on('error', (cause) => this.end(`its worker failed: ${cause.message}`));
    this.worker.on('exit', () => this.end(this.why));
    // What waits for nothing keeps no process alive.
    this.worker.unref();
    this.answers.unref();
  }

  load(behavior: Behavior): Promise<Loaded> {
    return new Promise((settle) => {
      this.begin({ kind: 'load', settle }, { kind: 'load', behavior });
    });
  }

  run(behavior: Behavior, call: BehaviorCall, host: BehaviorHost): Promise<BehaviorOutcome> {
    return new Promise((settle) => {
      this.begin({ kind: 'run', behavior, host, settle }, { kind: 'run', id: behavior.id, call });
    });
  }

  unload(id: BehaviorId): void {
    if (this.loaded.delete(id)) this.send({ kind: 'unload', id });
  }

  /** Whatever it is doing, it does no more. */
  async stop(why: string): Promise<void> {
    this.why = why;
    await this.worker.terminate();
    this.end(why);
  }

  private begin(task: Task, message: ToWorker): void {
    this.task = task;
    this.worker.ref();
    this.watch(task.kind === 'load' ? LOAD_MS : this.options.runMs);
    this.send(message);
  }

  private send(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private watch(ms: number): void {
    if (this.watchdog !== null) clearTimeout(this.watchdog);
    const bite = () => void this.stop(`it did not stop within ${ms} ms`);
    this.watchdog = setTimeout(bite, ms);
  }

  private rest(): void {
    if (this.watchdog !== null) clearTimeout(this.watchdog);
    this.watchdog = null;
    this.task = null;
    this.worker.unref();
  }

  private receive(message: FromWorker): void {
    const { task } = this;
    switch (message.kind) {
      case 'engine':
        this.options.onEngine(message.engine);
        return;
      case 'ask':
        if (task?.kind === 'run') void this.reply(task, message.number, message.request);
        return;
      case 'loaded':
        this.rest();
        if (task?.kind === 'load') task.settle(message.verdict);
        return;
      case 'ended':
        this.rest();
        this.warm = message.warm;
        if (task?.kind === 'run') task.settle(message.outcome);
        return;
      default:
        message satisfies never;
    }
  }

  private async reply(task: RunTask, number: number, request: HostRequest): Promise<void> {
    // The host may take longer than a run: its own time-out is kept by the worker.
    if (this.watchdog !== null) clearTimeout(this.watchdog);
    const answer = await answerOf(task, request);
    if (this.task !== task) return;
    this.watch(this.options.runMs);
    this.answers.postMessage({ number, answer } satisfies Answered);
    Atomics.add(this.bell, 0, 1);
    Atomics.notify(this.bell, 0);
  }

  private end(why: string): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const { task } = this;
    this.rest();
    this.answers.close();
    this.options.onEnd(this, task !== null);
    if (task?.kind === 'load') task.settle({ crashed: why });
    if (task?.kind === 'run') {
      task.settle({ kind: 'broken', cause: 'crash', message: why, fuelUsed: 0, log: [] });
    }
  }
}

async function answerOf(
  task: RunTask,
  request: HostRequest,
): Promise<HostAnswer<string> | { readonly lost: string }> {
  try {
    const answer = await ask(task, request);
    if (!answer.ok) return { ok: false, message: String(answer.message) };
    const value = JSON.stringify(answer.value);
    if (value.length <= HOST_MESSAGE_BYTES_MAX) return { ok: true, value };
    return { lost: `an answer is longer than ${HOST_MESSAGE_BYTES_MAX} bytes` };
  } catch (cause) {
    return { lost: cause instanceof Error ? cause.message : String(cause) };
  }
}

async function ask({ behavior, host }: RunTask, request: HostRequest): Promise<HostAnswer<Json>> {
  if (request.kind === 'device') return host.device(request.name, request.verb, request.args);
  const { kind, pact } = request;
  const list = kind === 'query' ? behavior.accesses : behavior.produces;
  const use = list.find((each) => each.name === pact);
  invariant(use !== undefined, 'the worker asks for what is declared');
  return kind === 'query' ? host.query(use, request.query) : host.produce(use, request.entry);
}
