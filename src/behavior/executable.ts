import type { Behavior } from '../model/behavior.ts';
import type { BehaviorCall, BehaviorOutcome, JsonRecord } from '../ports/sandbox.ts';
import type { AskHost } from './bridge.ts';

/** Code that a worker has ready. */
export interface Executable {
  readonly behavior: Behavior;
  readonly canUndo: boolean;
  /** What its code says of itself; null where that is nothing. */
  readonly declared: JsonRecord | null;
  /** Is there an instance that the next run finds ready? */
  readonly isWarm: boolean;
  run(call: BehaviorCall, ask: AskHost): BehaviorOutcome;
  /** Gives up the instance that is kept ready. */
  cool(): void;
}
