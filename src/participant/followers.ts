import type { GroupId } from '../model/sync-group.ts';

/** Who waits for something to become final, by Sync Group; each is called once. */
export class Followers {
  private readonly acts = new Map<GroupId, Set<() => void>>();

  /** @returns how not to be called. */
  once(group: GroupId, act: () => void): () => void {
    const acts = this.acts.get(group) ?? new Set();
    this.acts.set(group, acts.add(act));
    return () => acts.delete(act);
  }

  wake(group: GroupId): void {
    const acts = this.acts.get(group) ?? [];
    this.acts.delete(group);
    for (const act of acts) act();
  }

  wakeAll(): void {
    for (const group of this.acts.keys()) this.wake(group);
  }
}
