import type { HashFunction } from '../model/bytes.ts';
import type { Pact } from '../model/pact.ts';
import {
  type AvatarId,
  deriveGroupId,
  type GroupId,
  makeSyncGroup,
  type PactId,
  type SyncGroup,
} from '../model/sync-group.ts';
import type { FrontierRecord } from '../ports/store.ts';

/** Why a Sync Group takes nothing any more. */
export type Closure =
  /** Final everywhere; what of each issuer came to be final is all there ever will be. */
  | { readonly kind: 'hand-over'; readonly issuers: readonly FrontierRecord[] }
  /** Here only: the operator took it on without its Quorum. */
  | { readonly kind: 'split' };

/**
 * The Pacts and Sync Groups that a Participant knows. Reads through to its base; what a turn adds
 * stays aside until `merge`, so that a failed commit leaves no trace.
 */
export class Registry {
  private readonly base: Registry | null;
  private readonly pacts = new Map<PactId, Pact>();
  private readonly groups = new Map<GroupId, SyncGroup>();
  private readonly after = new Map<GroupId, readonly SyncGroup[]>();
  private readonly closures = new Map<GroupId, Closure>();

  constructor(base: Registry | null = null) {
    this.base = base;
  }

  pact(id: PactId): Pact | undefined {
    return this.pacts.get(id) ?? this.base?.pact(id);
  }

  group(id: GroupId): SyncGroup | undefined {
    return this.groups.get(id) ?? this.base?.group(id);
  }

  addPact(pact: Pact): void {
    this.pacts.set(pact.id, pact);
  }

  addGroup(group: SyncGroup): void {
    if (group.origin !== null && !this.groups.has(group.id)) {
      const before = group.origin.group;
      this.after.set(before, [...(this.after.get(before) ?? []), group]);
    }
    this.groups.set(group.id, group);
  }

  /** Undefined while the group goes on. */
  closure(id: GroupId): Closure | undefined {
    return this.closures.get(id) ?? this.base?.closure(id);
  }

  close(id: GroupId, closure: Closure): void {
    this.closures.set(id, closure);
  }

  /** The groups that went on from this one. */
  successors(id: GroupId): SyncGroup[] {
    return [...(this.base?.successors(id) ?? []), ...(this.after.get(id) ?? [])];
  }

  allPacts(): Pact[] {
    return [...(this.base?.allPacts() ?? []), ...this.pacts.values()];
  }

  allGroups(): SyncGroup[] {
    return [...(this.base?.allGroups() ?? []), ...this.groups.values()];
  }

  get groupCount(): number {
    return this.groups.size + (this.base?.groupCount ?? 0);
  }

  /** Writes what stands aside into the base. */
  merge(): void {
    if (this.base === null) return;
    for (const pact of this.pacts.values()) this.base.addPact(pact);
    for (const group of this.groups.values()) this.base.addGroup(group);
    for (const [id, closure] of this.closures) this.base.close(id, closure);
    this.closures.clear();
    this.pacts.clear();
    this.groups.clear();
    this.after.clear();
  }
}

/** The Sync Group of a Pact and owners, with what the Pact says of Quorum and availability. */
export function deriveGroup(
  hash: HashFunction,
  pact: Pact,
  owners: readonly AvatarId[],
): SyncGroup {
  const { quorumPolicy, availability } = pact;
  return makeSyncGroup(hash, { pact: pact.id, quorumPolicy, availability }, owners);
}

/**
 * Entries of built-in Pacts lie in sole-owner groups of whoever deploys them; nobody announces such
 * a group, its first Block does.
 *
 * @returns the group that `group` is the id of, if it is one of `issuer`'s own of a built-in Pact.
 * @source architecture, Identity and the World.
 */
export function deriveBuiltInGroup(
  hash: HashFunction,
  builtIn: readonly Pact[],
  group: GroupId,
  issuer: AvatarId,
): SyncGroup | null {
  for (const pact of builtIn) {
    if (deriveGroupId(hash, pact.id, [issuer]) === group) return deriveGroup(hash, pact, [issuer]);
  }
  return null;
}
