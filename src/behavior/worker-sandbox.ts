import type { Behavior, BehaviorId } from '../model/behavior.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type {
  BehaviorCall,
  BehaviorHost,
  BehaviorOutcome,
  LoadedBehavior,
  LoadRefusal,
  Sandbox,
  SandboxStatus,
} from '../ports/sandbox.ts';
import { PooledWorker } from './pooled-worker.ts';

export interface SandboxOptions {
  /** Threads that run Behaviors; the first starts when it is needed. */
  readonly workers?: number;
  /** Runs that may wait; one more is `busy`. */
  readonly waitingMax?: number;
  /** Behaviors that are known; the one that ran longest ago makes room. */
  readonly loadedMax?: number;
  /** Of JavaScript: instances that one worker keeps ready, about half a mebibyte each. */
  readonly warmMax?: number;
  /** How long a Behavior waits for its host, in milliseconds. */
  readonly hostMs?: number;
  /** The last resort: how long a run may compute without asking, in milliseconds. */
  readonly runMs?: number;
  /** A worker that had nothing to do for so many milliseconds ends. */
  readonly idleMs?: number;
}

const STANDARD = {
  workers: 1,
  waitingMax: 1000,
  loadedMax: 256,
  warmMax: 32,
  hostMs: 30_000,
  runMs: 120_000,
  idleMs: 60_000,
};

type Job = (worker: PooledWorker | null) => Promise<void>;

/** `ports/sandbox` over a few worker threads, each with many Behaviors. */
export class WorkerSandbox implements Sandbox {
  private readonly options: Required<SandboxOptions>;
  private readonly workers = new Set<PooledWorker>();
  private readonly taken = new Set<PooledWorker>();
  private readonly known = new Map<BehaviorId, LoadedBehavior>();
  private readonly waiting: { readonly id: BehaviorId; readonly job: Job }[] = [];
  /** Compiled once a process: it holds nothing of anybody's. */
  private static engine: WebAssembly.Module | null = null;
  private idle: NodeJS.Timeout | null = null;
  private runs = 0;
  private replaced = 0;
  private isClosed = false;

  constructor(options: SandboxOptions = {}) {
    this.options = { ...STANDARD, ...options };
  }

  load(behavior: Behavior): Promise<Verdict<LoadedBehavior, LoadRefusal>> {
    const known = this.known.get(behavior.id);
    if (known !== undefined) return Promise.resolve(accept(known));
    return new Promise((settle) => {
      this.enqueue(behavior.id, async (worker) => {
        if (worker === null) return settle(refuse('not-available', 'the sandbox is closed'));
        const verdict = await worker.load(behavior);
        if ('crashed' in verdict) return settle(refuse('too-costly', verdict.crashed));
        if (!verdict.ok) return settle(verdict);
        worker.loaded.add(behavior.id);
        const loaded = { behavior, ...verdict.value };
        this.remember(loaded);
        settle(accept(loaded));
      });
    });
  }

  run(loaded: LoadedBehavior, call: BehaviorCall, host: BehaviorHost): Promise<BehaviorOutcome> {
    const { waitingMax } = this.options;
    if (this.waiting.length >= waitingMax) {
      return Promise.resolve(broken('busy', `${waitingMax} runs are waiting`));
    }
    const { behavior } = loaded;
    return new Promise((settle) => {
      this.enqueue(behavior.id, async (worker) => {
        if (worker === null) return settle(broken('crash', 'the sandbox is closed'));
        this.remember(loaded);
        if (!worker.loaded.has(behavior.id)) {
          const verdict = await worker.load(behavior);
          if ('crashed' in verdict) return settle(broken('crash', verdict.crashed));
          if (!verdict.ok) return settle(broken('exception', verdict.detail ?? verdict.reason));
          worker.loaded.add(behavior.id);
        }
        this.runs++;
        settle(await worker.run(behavior, call, host));
      });
    });
  }

  unload(id: BehaviorId): void {
    this.known.delete(id);
    for (const worker of this.workers) worker.unload(id);
  }

  status(): SandboxStatus {
    let warm = 0;
    for (const worker of this.workers) warm += worker.warm;
    return {
      workers: this.workers.size,
      loaded: this.known.size,
      warm,
      waiting: this.waiting.length,
      runs: this.runs,
      replaced: this.replaced,
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.idle !== null) clearTimeout(this.idle);
    this.pump();
    await Promise.all([...this.workers].map((worker) => worker.stop('the sandbox is closed')));
  }

  /** The one used last is last; whatever is too much goes from the front. */
  private remember(loaded: LoadedBehavior): void {
    const { id } = loaded.behavior;
    this.known.delete(id);
    this.known.set(id, loaded);
    for (const old of this.known.keys()) {
      if (this.known.size <= this.options.loadedMax) break;
      this.unload(old);
    }
  }

  private enqueue(id: BehaviorId, job: Job): void {
    this.waiting.push({ id, job });
    this.pump();
  }

  private pump(): void {
    if (this.isClosed) {
      for (const { job } of this.waiting.splice(0)) void job(null);
      return;
    }
    while (this.waiting.length > 0) {
      const worker = this.freeWorker(this.waiting[0]!.id);
      if (worker === null) return;
      const { job } = this.waiting.shift()!;
      if (this.idle !== null) clearTimeout(this.idle);
      this.idle = null;
      this.taken.add(worker);
      void job(worker).finally(() => this.afterJob(worker));
    }
  }

  private afterJob(worker: PooledWorker): void {
    this.taken.delete(worker);
    this.pump();
    if (this.idle !== null || this.taken.size > 0) return;
    this.idle = setTimeout(() => this.stopIdle(), this.options.idleMs);
    this.idle.unref();
  }

  private stopIdle(): void {
    this.idle = null;
    for (const worker of this.workers) void worker.stop('it was idle');
  }

  /** One that has it loaded rather than another; a new one rather than none. */
  private freeWorker(id: BehaviorId): PooledWorker | null {
    const free = [...this.workers].filter((worker) => !this.taken.has(worker));
    const best = free.find((worker) => worker.loaded.has(id)) ?? free[0];
    if (best !== undefined) return best;
    return this.workers.size < this.options.workers ? this.startWorker() : null;
  }

  private startWorker(): PooledWorker {
    const { hostMs, warmMax, runMs } = this.options;
    const worker: PooledWorker = new PooledWorker({
      settings: { hostMs, warmMax },
      runMs,
      engine: WorkerSandbox.engine,
      onEngine: (engine) => {
        WorkerSandbox.engine = engine;
      },
      onEnd: (ended, wasBusy) => {
        if (wasBusy && !this.isClosed) this.replaced++;
        this.workers.delete(ended);
      },
    });
    this.workers.add(worker);
    return worker;
  }
}

function broken(cause: 'busy' | 'crash' | 'exception', message: string): BehaviorOutcome {
  return { kind: 'broken', cause, message, fuelUsed: 0, log: [] };
}
