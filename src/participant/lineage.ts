import type { AvatarId, PactId, SyncGroup } from '../model/sync-group.ts';
import type { LinePart } from './channel.ts';
import type { Registry } from './registry.ts';

const NO_END = Number.MAX_SAFE_INTEGER;

/** The group that goes on from this one by hand-over, if it is known. */
export function handedOverTo(registry: Registry, group: SyncGroup): SyncGroup | null {
  if (registry.closure(group.id)?.kind !== 'hand-over') return null;
  return registry.successors(group.id).find(({ origin }) => origin?.kind === 'hand-over') ?? null;
}

/** Where a group stands now: itself, or the last that it was handed over to. */
export function latestOf(registry: Registry, group: SyncGroup): SyncGroup {
  const next = handedOverTo(registry, group);
  return next === null ? group : latestOf(registry, next);
}

/**
 * The groups of one history, the first one first: those before `group`, it, and those it was handed
 * over to. Numbers of Entries go on from one to the next.
 */
export function lineOf(registry: Registry, group: SyncGroup): LinePart[] {
  const parts: LinePart[] = [];
  let end = NO_END;
  for (let at: SyncGroup | undefined = latestOf(registry, group); at !== undefined; ) {
    const first = (at.origin?.sequence ?? 0) + 1;
    parts.unshift({ group: at.id, first, last: end });
    end = Math.min(end, first - 1);
    at = at.origin === null ? undefined : registry.group(at.origin.group);
  }
  return parts;
}

/**
 * The groups that a Pact's name may mean: those that go on. A split that was not made here is meant
 * by its id alone: one owner's word redirects nobody.
 */
export function meantBy(registry: Registry, pact: PactId, self: AvatarId): SyncGroup[] {
  const all = registry.allGroups().filter((group) => group.pact === pact);
  const taken = all.filter(({ origin }) => {
    if (origin?.kind !== 'split') return true;
    const before = registry.group(origin.group);
    if (before?.owners.includes(self) === true) return registry.closure(before.id) !== undefined;
    return all.length === 1 || registry.group(origin.group) === undefined;
  });
  const open = taken.filter(({ id }) => registry.closure(id) === undefined);
  const meant = open.length > 0 ? open : taken;
  const owned = meant.filter((group) => group.owners.includes(self));
  return owned.length > 0 ? owned : meant;
}
