import type { BehaviorOutcome, ProducedEntry, RunNotes } from '../ports/sandbox.ts';
import { REASON_MAX } from '../ports/sandbox.ts';
import type { StopRun } from './stop.ts';

/** How a run ended that did not come to its end. */
export function endedBy(
  stop: StopRun,
  produced: readonly ProducedEntry[],
  notes: RunNotes,
): BehaviorOutcome {
  if (stop.how === 'failed') return { kind: 'failed', reason: stop.message, produced, ...notes };
  return brokenBy(stop, notes);
}

export function brokenBy(stop: StopRun, notes: RunNotes): BehaviorOutcome {
  const cause = stop.how === 'failed' ? 'exception' : stop.how;
  return { kind: 'broken', cause, message: stop.message.slice(0, REASON_MAX), ...notes };
}
