import type { ForkProof } from '../model/fork-proof.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import type { ForkRecord } from '../ports/store.ts';

/**
 * The Causal Groups of which a fork proof is kept. Reads through to its base; what a turn learns
 * stays aside until `merge`.
 */
export class KnownForks {
  private readonly base: KnownForks | null;
  private readonly forks = new Map<string, ForkRecord>();

  constructor(base: KnownForks | null = null) {
    this.base = base;
  }

  get(group: GroupId, author: AvatarId): ForkRecord | null {
    return this.forks.get(group + author) ?? this.base?.get(group, author) ?? null;
  }

  proof(group: GroupId, author: AvatarId): ForkProof | null {
    return this.get(group, author)?.proof ?? null;
  }

  set(record: ForkRecord): void {
    this.forks.set(record.proof.group + record.proof.author, record);
  }

  /** In the order in which they were first seen. */
  all(): ForkRecord[] {
    const all = new Map(this.base?.forks);
    for (const [key, record] of this.forks) all.set(key, record);
    return [...all.values()];
  }

  merge(): void {
    if (this.base === null) return;
    for (const record of this.forks.values()) this.base.set(record);
    this.forks.clear();
  }
}
