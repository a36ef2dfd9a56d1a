import type { EntrySequence } from '../model/numbers.ts';
import { withCause } from '../model/saga.ts';
import type { OwedEntry, Progress } from '../model/saga-progress.ts';
import { type SagaState, stateFromEntry, stateToEntry } from '../model/saga-state.ts';
import type { GroupId, SyncGroup } from '../model/sync-group.ts';
import type { Core } from './core.ts';
import type { Issuing } from './issuing.ts';
import { latestOf } from './lineage.ts';
import type { Loop } from './loop.ts';
import { storedAt } from './saga-runner.ts';
import type { Memory } from './turn.ts';

export interface SagaOutletParts {
  readonly core: Core;
  readonly memory: Memory;
  readonly issuing: Issuing;
  readonly loop: Loop;
  readonly isStopped: () => boolean;
}

/** Where States and what they produce go back in: Entry Buffers, as for everything. */
export class SagaOutlet {
  private readonly parts: SagaOutletParts;

  constructor(parts: SagaOutletParts) {
    this.parts = parts;
  }

  latest(id: GroupId): SyncGroup | null {
    const { registry } = this.parts.memory;
    const group = registry.group(id);
    return group === undefined ? null : latestOf(registry, group);
  }

  /** @returns whether it was taken. */
  pushState(progress: Progress, state: SagaState): boolean {
    const { core, memory } = this.parts;
    const group = this.latest(progress.stateGroup);
    const pact = group === null ? undefined : memory.registry.pact(group.pact);
    if (group === null || pact === undefined) return false;
    const encoded = core.reader.codecOf(pact).encode(stateToEntry(state));
    if (encoded.ok) return this.push(group, encoded.value);
    core.log.error('saga-failed', { field: encoded.field, reason: encoded.message });
    return false;
  }

  /** @returns those that were not taken. */
  pushOwed(progress: Progress, owed: readonly OwedEntry[]): OwedEntry[] {
    return owed.filter((each) => {
      const { sequence, step, index } = each;
      const produced = this.stateAt(progress.stateGroup, sequence)?.produced[index];
      const group = this.latest(each.group);
      if (produced === undefined || group === null) return true;
      const { invocation } = progress;
      return !this.push(group, withCause(produced.entry, { invocation, step, index }));
    });
  }

  /** A State as it stands in its group; null where it is not here any more. */
  stateAt(stateGroup: GroupId, sequence: EntrySequence): SagaState | null {
    const { core, memory } = this.parts;
    const stored = storedAt({ core, memory }, { group: stateGroup, sequence });
    const pact = memory.registry.pact(memory.registry.group(stateGroup)?.pact ?? stateGroup);
    if (stored === null || stored.bytes === null || pact === undefined) return null;
    const values = core.reader.codecOf(pact).decode(stored.bytes);
    const state = values.ok ? stateFromEntry(values.value) : null;
    return state?.ok ? state.value : null;
  }

  /** Through the Entry Buffer, as everything: there is no other way in. */
  private push(group: SyncGroup, entry: Uint8Array): boolean {
    const { core, issuing, loop, isStopped } = this.parts;
    if (isStopped() || !group.owners.includes(core.self)) return false;
    const outlet = issuing.outlet(group);
    const isTaken = outlet.buffer.offer(entry, core.timers.monotonicMs());
    if (isTaken) outlet.pushed++;
    loop.schedule();
    return isTaken;
  }
}
