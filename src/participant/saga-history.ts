import { fromHex } from '../model/bytes.ts';
import type { EntrySequence } from '../model/numbers.ts';
import { encodeCause, type InvocationId } from '../model/saga.ts';
import type { Progress } from '../model/saga-progress.ts';
import { type SagaState, stateFromEntry } from '../model/saga-state.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import type { Core } from './core.ts';
import { lineOf } from './lineage.ts';
import type { Memory } from './turn.ts';

/** A State as it stands in its group. */
export interface StandingState {
  readonly sequence: EntrySequence;
  readonly issuer: AvatarId;
  readonly state: SagaState;
  /** False: another State of this step came first, or it could not count. */
  readonly counts: boolean;
}

/** Most States of one invocation that are looked at. */
const STATES_MAX = 1000;

/** What stands in the log of one invocation: its States, and what they produced. */
export class SagaHistory {
  private readonly core: Core;
  private readonly memory: Memory;

  constructor(core: Core, memory: Memory) {
    this.core = core;
    this.memory = memory;
  }

  /** In their order, those that count and those that do not. */
  states(progress: Progress): StandingState[] {
    const where = { invocation: fromHex(progress.invocation) };
    const found = this.find(progress.stateGroup, where).flatMap(({ group, sequence }) => {
      const [stored] = this.core.store.entries(group, sequence, 1);
      const values = stored?.bytes == null ? null : this.decode(group, stored.bytes);
      const read = values === null ? null : stateFromEntry(values);
      if (stored === undefined || !read?.ok) return [];
      return [{ sequence, issuer: stored.issuer, state: read.value }];
    });
    const counting = new Set<number>();
    for (let at = progress.sequence; at !== null && !counting.has(at); ) {
      counting.add(at);
      at = found.find(({ sequence }) => sequence === at)?.state.previous ?? null;
    }
    return found.map((each) => ({ ...each, counts: counting.has(each.sequence) }));
  }

  /** Where a produced Entry stands; null: nowhere yet. */
  placeOf(group: GroupId, invocation: InvocationId, step: number, index: number): number | null {
    const cause = encodeCause({ invocation, step, index });
    return this.find(group, { _cause: cause })[0]?.sequence ?? null;
  }

  recordOf(group: GroupId, bytes: Uint8Array): Record<string, unknown> | null {
    const pact = this.pactOf(group);
    const values = this.decode(group, bytes);
    if (pact === undefined || values === null) return null;
    return this.core.reader.codecOf(pact).toRecord(values);
  }

  pactOf(group: GroupId) {
    const { registry } = this.memory;
    return registry.pact(registry.group(group)?.pact ?? group);
  }

  private find(group: GroupId, where: Readonly<Record<string, Uint8Array>>) {
    const { registry } = this.memory;
    const found = registry.group(group);
    const pact = this.pactOf(group);
    if (found === undefined || pact === undefined) return [];
    const upTo = Number.MAX_SAFE_INTEGER;
    const wish = { where, upTo, limit: STATES_MAX, order: 'oldest' } as const;
    return lineOf(registry, found).flatMap((part) =>
      this.core.store.search
        .find(pact, part.group, wish)
        .map((sequence) => ({ group: part.group, sequence: sequence as EntrySequence })),
    );
  }

  private decode(group: GroupId, bytes: Uint8Array) {
    const pact = this.pactOf(group);
    const values = pact === undefined ? null : this.core.reader.codecOf(pact).decode(bytes);
    return values?.ok ? values.value : null;
  }
}
