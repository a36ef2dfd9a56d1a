import type { Behavior, BehaviorId } from '../../src/model/behavior.ts';
import { accept, refuse, type Verdict } from '../../src/model/verdict.ts';
import type {
  BehaviorCall,
  BehaviorHost,
  BehaviorOutcome,
  LoadedBehavior,
  LoadRefusal,
  Sandbox,
  SandboxStatus,
} from '../../src/ports/sandbox.ts';

/** What stands for the code of one Behavior. */
export interface Script {
  readonly canUndo?: boolean;
  run(call: BehaviorCall, host: BehaviorHost, behavior: Behavior): Promise<BehaviorOutcome>;
}

/** A Sandbox that runs scripts of the test by the Behavior's name, and notes each call. */
export class ScriptedSandbox implements Sandbox {
  /** Set: what is loaded from then on is refused so. */
  refusal: LoadRefusal | null = null;
  readonly calls: { readonly name: string; readonly call: BehaviorCall }[] = [];
  private readonly scripts: ReadonlyMap<string, Script>;
  private readonly loaded = new Set<BehaviorId>();

  constructor(scripts: Readonly<Record<string, Script>>) {
    this.scripts = new Map(Object.entries(scripts));
  }

  async load(behavior: Behavior): Promise<Verdict<LoadedBehavior, LoadRefusal>> {
    const script = this.scripts.get(behavior.name);
    if (this.refusal !== null) return refuse(this.refusal, 'as the test says');
    if (script === undefined) return refuse('not-code', `no script for ${behavior.name}`);
    this.loaded.add(behavior.id);
    return accept({ behavior, canUndo: script.canUndo ?? false, declared: null });
  }

  async run(
    { behavior }: LoadedBehavior,
    call: BehaviorCall,
    host: BehaviorHost,
  ): Promise<BehaviorOutcome> {
    this.calls.push({ name: behavior.name, call });
    return this.scripts.get(behavior.name)!.run(call, host, behavior);
  }

  unload(id: BehaviorId): void {
    this.loaded.delete(id);
  }

  status(): SandboxStatus {
    const loaded = this.loaded.size;
    return { workers: 0, loaded, warm: loaded, waiting: 0, runs: this.calls.length, replaced: 0 };
  }

  async close(): Promise<void> {
    this.loaded.clear();
  }
}
