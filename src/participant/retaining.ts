import type { Retention } from '../model/pact.ts';
import type { SyncGroup } from '../model/sync-group.ts';
import type { Config } from './config.ts';
import type { Core } from './core.ts';
import type { Turn } from './turn.ts';

const DAY_MS = 86_400_000;

/** What this Participant keeps of the groups of a Pact; null: all. */
export function retentionOf(
  config: Pick<Config, 'retention' | 'retentionCount' | 'retentionAgeDays' | 'retentionBytes'>,
  pact: { readonly retention: Retention | null } | undefined,
): Retention | null {
  if (config.retention === 'unlimited') return null;
  if (config.retention === 'pact') return pact?.retention ?? null;
  const some = (value: number) => (value === 0 ? null : value);
  const count = some(config.retentionCount);
  const ageDays = some(config.retentionAgeDays);
  const bytes = some(config.retentionBytes);
  return (count ?? ageDays ?? bytes) === null ? null : { count, ageDays, bytes };
}

/** Cuts groups that exceed what is to be kept of them, at the newest certified place beyond it. */
export class Retaining {
  private readonly core: Core;

  constructor(core: Core) {
    this.core = core;
  }

  /** Does time alone make something go? */
  hasAge(turn: Turn): boolean {
    return turn.registry
      .allPacts()
      .some((pact) => (retentionOf(this.core.config, pact)?.ageDays ?? null) !== null);
  }

  /** Inside the turn's transaction. */
  retain(turn: Turn, group: SyncGroup): void {
    const { builtIn, config, store, log } = this.core;
    if (Object.values(builtIn).some(({ id }) => id === group.pact)) return;
    const retention = retentionOf(config, turn.registry.pact(group.pact));
    if (retention === null) return;
    const { count, ageDays, bytes } = retention;
    const extent = store.cuts.extent(group.id);
    const cut = store.cuts.beyond(group.id, {
      lastSequence: count === null ? null : extent.last - count,
      bytes: bytes === null ? null : extent.bytes - bytes,
      atMs: ageDays === null ? null : turn.wallMs - ageDays * DAY_MS,
    });
    if (cut === null) return;
    store.cuts.cutBelow(cut);
    log.info('cut', { group: group.id, level: cut.level, below: cut.lastSequence + 1 });
  }
}
