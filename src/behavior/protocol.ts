import type { MessagePort } from 'node:worker_threads';
import type { Behavior } from '../model/behavior.ts';
import type { Verdict } from '../model/verdict.ts';
import type {
  BehaviorCall,
  BehaviorOutcome,
  BehaviorQuery,
  HostAnswer,
  Json,
  JsonRecord,
  LoadedBehavior,
  LoadRefusal,
} from '../ports/sandbox.ts';

/** What a worker is started with. */
export interface WorkerStart {
  /** Where answers of the host arrive. */
  readonly answers: MessagePort;
  /** One i32: how many answers were sent. A worker that asked sleeps on it. */
  readonly bell: SharedArrayBuffer;
  /** The rewritten JavaScript engine, where another worker compiled it already. */
  readonly engine: WebAssembly.Module | null;
  readonly settings: WorkerSettings;
}

export interface WorkerSettings {
  /** How long a worker waits for the host, in milliseconds. */
  readonly hostMs: number;
  /** Instances of JavaScript that a worker keeps ready. */
  readonly warmMax: number;
}

export type ToWorker =
  | { readonly kind: 'load'; readonly behavior: Behavior }
  | { readonly kind: 'unload'; readonly id: string }
  | { readonly kind: 'run'; readonly id: string; readonly call: BehaviorCall };

export type FromWorker =
  | { readonly kind: 'engine'; readonly engine: WebAssembly.Module }
  | { readonly kind: 'loaded'; readonly verdict: Verdict<LoadedCode, LoadRefusal> }
  | { readonly kind: 'ask'; readonly number: number; readonly request: HostRequest }
  | { readonly kind: 'ended'; readonly outcome: BehaviorOutcome; readonly warm: number };

export type LoadedCode = Omit<LoadedBehavior, 'behavior'>;

/** What a manifest permits was checked before it is asked. */
export type HostRequest =
  | { readonly kind: 'query'; readonly pact: string; readonly query: BehaviorQuery }
  | { readonly kind: 'produce'; readonly pact: string; readonly entry: JsonRecord }
  | {
      readonly kind: 'device';
      readonly name: string;
      readonly verb: string;
      readonly args: readonly Json[];
    };

/** The host's answer as JSON text, or why there will be none. */
export interface Answered {
  readonly number: number;
  readonly answer: HostAnswer<string> | { readonly lost: string };
}
