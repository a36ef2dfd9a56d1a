import type { AvatarId, GroupId } from '../model/sync-group.ts';
import type { Message } from './messages.ts';
import type { GossipSource } from './source.ts';

/** Between two questions to one peer about one group, in milliseconds: doubles to the greater. */
const WAIT_MIN_MS = 1_000;
const WAIT_MAX_MS = 60_000;

/** Questions that are remembered; beyond it the oldest may be asked again at once. */
const ASKED_MAX = 4_096;

export interface ProofAskingParts {
  readonly source: GossipSource;
  readonly send: (peer: AvatarId, message: Message) => void;
  /** Asks for another comparison at this time. */
  readonly wake: (atMs: number) => void;
}

/** Asks peers for the fork proofs of a group, less and less often where it does not help. */
export class ProofAsking {
  private readonly parts: ProofAskingParts;
  private readonly asked = new Map<string, { readonly delayMs: number; readonly dueMs: number }>();

  constructor(parts: ProofAskingParts) {
    this.parts = parts;
  }

  ask(peer: AvatarId, group: GroupId, nowMs: number): void {
    if (!this.parts.source.wantsForks(group)) return;
    const key = group + peer;
    const before = this.asked.get(key);
    if (before !== undefined && before.dueMs > nowMs) {
      this.parts.wake(before.dueMs);
      return;
    }
    const delayMs = before === undefined ? WAIT_MIN_MS : Math.min(before.delayMs * 2, WAIT_MAX_MS);
    this.asked.delete(key);
    this.asked.set(key, { delayMs, dueMs: nowMs + delayMs });
    if (this.asked.size > ASKED_MAX) this.asked.delete(this.asked.keys().next().value!);
    this.parts.send(peer, { kind: 'want-forks', group });
  }
}
