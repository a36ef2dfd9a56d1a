import type { Saga } from '../model/saga.ts';
import type { OwedEntry, Progress } from '../model/saga-progress.ts';

/** Something to do once what was observed is durable. */
export type Action =
  | { readonly kind: 'job'; readonly job: Job }
  /** Produced Entries of States that count go into their group, each with its cause. */
  | { readonly kind: 'push'; readonly progress: Progress; readonly owed: readonly OwedEntry[] };

/** One State to be made: a claim, or what comes of running Behaviors. */
export interface Job {
  readonly saga: Saga;
  /** The invocation as it stands; the State's step is the next. */
  readonly progress: Progress;
  readonly purpose: 'claim' | 'run' | 'undo';
  /** The Stage that is claimed, run or undone; where something failed, the Stage that did. */
  readonly place: number;
  /** Why the Stage is not run: what was done is undone at once. Null: run it. */
  readonly failure: string | null;
}

export interface RuntimeSettings {
  /** Silence after which the next of those who are able acts. */
  readonly takeOverMs: number;
  /** How long a claim lasts where its Stage has no time-out. */
  readonly claimMs: number;
  /** Invocations in progress; an initiating Entry beyond them starts nothing until one ended. */
  readonly openMax: number;
}
