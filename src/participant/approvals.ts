import { type Approval, encodeSuccession, type Succession } from '../model/hand-over.ts';
import type { AvatarId, SyncGroup } from '../model/sync-group.ts';

/** Approvals that are kept of one Avatar; the oldest give way. */
const APPROVALS_PER_OWNER_MAX = 256;

/** A Succession, and who of the group approves of it. */
export interface Approved {
  readonly succession: Succession;
  /** Ascending by owner. */
  readonly approvals: readonly Approval[];
}

interface Known {
  readonly succession: Succession;
  readonly signature: Uint8Array;
}

/**
 * What owners signed over who is to go on after their Sync Groups, as far as it has come. Each was
 * judged before it is put here.
 *
 * @source features F19.
 */
export class Approvals {
  private readonly byOwner = new Map<AvatarId, Map<string, Known>>();

  put(owner: AvatarId, succession: Succession, signature: Uint8Array): void {
    let known = this.byOwner.get(owner);
    if (known === undefined) {
      known = new Map();
      this.byOwner.set(owner, known);
    }
    const key = keyOf(succession);
    known.delete(key);
    known.set(key, { succession, signature });
    for (const oldest of known.keys()) {
      if (known.size <= APPROVALS_PER_OWNER_MAX) break;
      known.delete(oldest);
    }
  }

  has(owner: AvatarId, succession: Succession): boolean {
    return this.byOwner.get(owner)?.has(keyOf(succession)) ?? false;
  }

  /** What the owners of a group approve of, the most approved first. */
  of(group: SyncGroup): Approved[] {
    const found = new Map<string, { succession: Succession; approvals: Approval[] }>();
    for (const owner of group.owners) {
      for (const [key, { succession, signature }] of this.byOwner.get(owner) ?? []) {
        if (succession.group !== group.id) continue;
        const approved = found.get(key) ?? { succession, approvals: [] };
        approved.approvals.push({ owner, signature });
        found.set(key, approved);
      }
    }
    return [...found.values()].sort((a, b) => b.approvals.length - a.approvals.length);
  }
}

function keyOf(succession: Succession): string {
  return Buffer.from(encodeSuccession(succession)).toString('latin1');
}
