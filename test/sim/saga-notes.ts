import type { InvocationId } from '../../src/model/saga.ts';
import { isOpen, type Progress, type ScopeValue } from '../../src/model/saga-progress.ts';
import type { GroupId } from '../../src/model/sync-group.ts';
import type { SagaNotes } from '../../src/ports/saga-notes.ts';

/** What survives a crash, in memory. */
export class MemoryNotes implements SagaNotes {
  readonly all = new Map<InvocationId, Progress>();
  private readonly scopes = new Map<string, ScopeValue>();
  private readonly cursors = new Map<GroupId, number>();

  progress(invocation: InvocationId): Progress | null {
    return this.all.get(invocation) ?? null;
  }

  putProgress(progress: Progress): void {
    this.all.set(progress.invocation, structuredClone(progress));
  }

  open(): Progress[] {
    return [...this.all.values()].filter(isOpen);
  }

  recent(stateGroup: GroupId, limit: number): Progress[] {
    const found = [...this.all.values()].filter((each) => each.stateGroup === stateGroup);
    return found.reverse().slice(0, limit);
  }

  scope(stateGroup: GroupId, scope: string): ScopeValue | null {
    return this.scopes.get(stateGroup + scope) ?? null;
  }

  putScope(stateGroup: GroupId, scope: string, value: ScopeValue): void {
    this.scopes.set(stateGroup + scope, structuredClone(value));
  }

  cursor(group: GroupId): number {
    return this.cursors.get(group) ?? 0;
  }

  putCursor(group: GroupId, sequence: number): void {
    this.cursors.set(group, sequence);
  }
}
