import type { StateKind } from '../model/saga-state.ts';

/** What may be asked of Sagas and Behaviors. */
export interface SagaFace {
  behaviors(): BehaviorReport[];
  /** Deploys compiled code; what it declares becomes its manifest. @throws RequestError */
  addBehavior(file: BehaviorFile): Promise<BehaviorReport>;

  list(): SagaReport[];
  status(): SagasStatus;
  /**
   * Deploys a Saga: its Stages, its Description, its State Pact and the Sync Group of its States.
   *
   * @param file What `defineSaga` makes (see docs/sagas.md), as JSON has it.
   * @param owners Of its States; this Participant where none are named.
   * @throws RequestError `saga-invalid` that says which Stage does not fit, and why.
   */
  deploy(file: unknown, owners: readonly string[]): Promise<SagaReport>;
  /** @param id Of an invocation, or the beginning of one. */
  trace(id: string): SagaTrace;
  /** Runs what an invocation ran once more, from the log, and compares; nothing is moved. */
  replay(id: string): Promise<SagaReplay>;
}

/** What `vertebra behavior add` sends. */
export interface BehaviorFile {
  readonly kind: string;
  /** Base64. */
  readonly code: string;
  readonly fileName: string;
  readonly declared: unknown;
}

export interface BehaviorReport {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly consumes: readonly string[];
  readonly accesses: readonly string[];
  readonly produces: readonly string[];
  readonly devices: readonly string[];
  readonly requires: readonly string[];
  readonly undoes: boolean;
  readonly idempotent: boolean;
}

export interface SagaReport {
  readonly id: string;
  readonly name: string;
  readonly initiating: string;
  readonly stateGroup: string;
  readonly scope: string;
  readonly stages: readonly {
    readonly name: string;
    readonly behavior: string;
    readonly consumes: string;
    readonly produces: readonly string[];
    readonly criteria: readonly string[];
  }[];
  /** The newest first. */
  readonly invocations: readonly InvocationReport[];
}

export interface InvocationReport {
  readonly id: string;
  readonly state: 'waiting' | 'acting' | 'pending' | 'failing' | 'completed' | 'compensated';
  readonly step: number;
  /** What it waits for, in words. */
  readonly awaits: string | null;
  readonly failure: string | null;
  readonly key: string | null;
}

/** How all Sagas stand at one Participant. */
export interface SagasStatus {
  /** Known by name. */
  readonly known: number;
  /** Invocations in progress. */
  readonly open: number;
  /** Seen since the start. */
  readonly started: number;
  readonly completed: number;
  readonly compensated: number;
  /** Entries that started nothing here, as too many invocations were in progress. */
  readonly refused: number;
  /** Some of those in progress that wait for something; at most `AWAITING_SHOWN`. */
  readonly awaiting: readonly {
    readonly saga: string;
    readonly invocation: string;
    readonly awaits: string;
  }[];
}

export const AWAITING_SHOWN = 10;

export interface SagaTrace extends InvocationReport {
  readonly saga: string;
  readonly states: readonly TraceState[];
}

export interface TraceState {
  readonly sequence: number;
  readonly step: number;
  readonly kind: StateKind;
  readonly stage: string;
  /** Name of whoever made it, or its id. */
  readonly at: string;
  readonly atMs: number;
  readonly consumed: { readonly group: string; readonly sequence: number } | null;
  readonly produced: readonly {
    readonly pact: string;
    readonly entry: Readonly<Record<string, unknown>> | null;
    /** Where it stands in its group; null: not yet. */
    readonly sequence: number | null;
  }[];
  readonly failure: string | null;
  readonly undone: readonly string[];
  readonly stuck: readonly string[];
  /** False: another State of this step came first, and this one has no effect. */
  readonly counts: boolean;
}

export interface SagaReplay {
  readonly same: boolean;
  readonly steps: readonly { readonly step: number; readonly differs: string | null }[];
}
