import type { Hex32 } from '../model/bytes.ts';
import type { InvocationId } from '../model/saga.ts';
import type { Progress, ScopeValue } from '../model/saga-progress.ts';
import type { GroupId } from '../model/sync-group.ts';

/**
 * What the Saga runtime keeps, part of the store: written in the transaction in which it has read
 * Finalized Entries, so that a restart goes on where it stood without reading history again.
 */
export interface SagaNotes {
  progress(invocation: InvocationId): Progress | null;
  putProgress(progress: Progress): void;
  /** Invocations with something left to do, oldest first. */
  open(): Progress[];
  /** Invocations of one State group, newest first. */
  recent(stateGroup: GroupId, limit: number): Progress[];

  scope(stateGroup: GroupId, scope: Hex32): ScopeValue | null;
  putScope(stateGroup: GroupId, scope: Hex32, value: ScopeValue): void;
  /** Up to which Entry of a group all was read; 0: none. */
  cursor(group: GroupId): number;
  putCursor(group: GroupId, sequence: number): void;
}
