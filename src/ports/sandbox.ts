import type { Behavior, BehaviorId, PactUse } from '../model/behavior.ts';
import type { Hex32 } from '../model/bytes.ts';
import type { Verdict } from '../model/verdict.ts';

/** What crosses the border of a sandbox, by copy: plain JSON, bytes in it as base64. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json };

export type JsonRecord = { readonly [name: string]: Json };

/**
 * Runs Behaviors. What a Behavior does not declare it cannot touch: there is no clock, chance,
 * network or file in it but what its call hands in.
 *
 * A run ends in a value, whatever the code does: never by a throw of its code, never by the end of
 * this process. The same Behavior, call and answers of the host end in the same outcome everywhere,
 * but for the causes `host`, `crash` and `busy`.
 *
 * @source features A27; architecture, Identity.
 */
export interface Sandbox {
  /**
   * Checks and compiles code: its manifest holds it to nothing else. Loading what is loaded
   * already answers at once.
   */
  load(behavior: Behavior): Promise<Verdict<LoadedBehavior, LoadRefusal>>;

  /**
   * Runs it once, in an instance that remembers no run before. Runs of one Sandbox may wait for
   * each other: a host must not wait for another run before it answers.
   */
  run(behavior: LoadedBehavior, call: BehaviorCall, host: BehaviorHost): Promise<BehaviorOutcome>;

  /** Forgets code that runs no more; a run under way ends first. */
  unload(id: BehaviorId): void;

  status(): SandboxStatus;

  /** Ends the workers; runs under way are `broken` by `crash`. */
  close(): Promise<void>;
}

export interface LoadedBehavior {
  readonly behavior: Behavior;
  /** Has the code what it takes to undo? Found out by loading it. */
  readonly canUndo: boolean;
  /**
   * What the code declares of itself, as its author wrote it: for making its manifest. Null where
   * code declares nothing. What counts is the manifest.
   */
  readonly declared: JsonRecord | null;
}

/**
 * `not-code`: it does not parse or validate; `no-run`: it lacks what is called; `not-permitted`: it
 * uses what no Behavior may (the detail says what); `not-available`: this Participant lacks the
 * engine; `too-costly`: loading it alone exceeds its limits.
 */
export type LoadRefusal = 'not-code' | 'no-run' | 'not-permitted' | 'not-available' | 'too-costly';

/** One thing asked of a Behavior. */
export interface BehaviorCall {
  readonly purpose: 'run' | 'undo';
  /** The consumed Entry as the Pact's codec shows it (`toRecord`); null where there is none. */
  readonly entry: JsonRecord | null;
  /** The name of the Pact that `entry` is of; null without one. */
  readonly pact: string | null;
  /** What the State of the scope was; null: none yet. What the code made of it, opaque. */
  readonly state: Uint8Array | null;
  readonly invocation: Hex32;
  readonly step: number;
  /** Unix time in milliseconds that the consumed Entry carries: the only clock. */
  readonly at: number;
  /** All chance comes from it. */
  readonly seed: Hex32;
}

/** Which Entries of an accessed Pact a Behavior asks for, as they were at the agreed place. */
export interface BehaviorQuery {
  /** Field name to the value that it must have; none: all Entries. */
  readonly where: JsonRecord;
  /** 1 to `QUERY_ROWS_MAX`. */
  readonly limit: number;
  readonly order: 'newest' | 'oldest';
}

export const QUERY_ROWS_MAX = 1000;
/** Longest message between sandbox and host, in bytes of JSON text. */
export const HOST_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** Calls of the host in one run. */
export const HOST_CALLS_MAX = 10_000;
/** Lines a run may log, each of at most `LOG_LINE_MAX` characters; the rest is left out. */
export const LOG_LINES_MAX = 100;
export const LOG_LINE_MAX = 1000;
/** Longest text of a reason or message that leaves a sandbox, in characters. */
export const REASON_MAX = 1000;

/** What the code gets; a refusal is an exception there, which it may catch. */
export type HostAnswer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string };

type Answering<Value> = HostAnswer<Value> | Promise<HostAnswer<Value>>;

/**
 * Answers what the code asks for, in order, one at a time. Asked only for what the manifest
 * declares. A throw or a silence longer than the host time-out ends the run: `broken` by `host`.
 */
export interface BehaviorHost {
  query(pact: PactUse, query: BehaviorQuery): Answering<readonly JsonRecord[]>;
  /** Says whether the Entry fits its Pact; the Entry itself is in the outcome. */
  produce(pact: PactUse, entry: JsonRecord): Answering<null>;
  /** Acts on a device at once. Devices that are only read get the verb `get` alone. */
  device(name: string, verb: string, args: readonly Json[]): Answering<Json>;
}

export interface ProducedEntry {
  readonly pact: PactUse;
  readonly entry: JsonRecord;
}

/**
 * What stopped a run that its author did not end. `host`: no answer from outside; `crash`: the
 * worker died, or did not stop by itself; `busy`: too many runs wait, nothing ran. These three say
 * nothing about the code.
 */
export type BrokenCause =
  | 'fuel'
  | 'memory'
  | 'stack'
  | 'exception'
  | 'output'
  | 'host'
  | 'crash'
  | 'busy';

export type BehaviorOutcome = RunNotes &
  (
    | {
        readonly kind: 'done';
        /** In the order of production. */
        readonly produced: readonly ProducedEntry[];
        /** What the state is now: the call's own where the code did not set it. */
        readonly state: Uint8Array | null;
      }
    | {
        readonly kind: 'failed';
        /** The author's own words. */
        readonly reason: string;
        readonly produced: readonly ProducedEntry[];
      }
    | { readonly kind: 'broken'; readonly cause: BrokenCause; readonly message: string }
  );

export interface RunNotes {
  /** Fuel that the run took; 0 where that is not known (`host`, `crash`, `busy`). */
  readonly fuelUsed: number;
  /** What the code logged. */
  readonly log: readonly string[];
}

export interface SandboxStatus {
  readonly workers: number;
  /** Behaviors loaded, and of these the ones with an instance ready. */
  readonly loaded: number;
  readonly warm: number;
  readonly waiting: number;
  readonly runs: number;
  /** Workers that had to be replaced. */
  readonly replaced: number;
}
