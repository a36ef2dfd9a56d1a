import {
  type Behavior,
  type BehaviorId,
  type BehaviorManifest,
  decodeBehavior,
  deriveBehaviorId,
  joinBehavior,
} from '../model/behavior.ts';
import type { EntrySequence } from '../model/numbers.ts';
import type { EntryValue } from '../model/pact.ts';
import type { Description, DescriptionId, Saga, Stage, StageId } from '../model/saga.ts';
import { faultOfSaga, type SagaWorld } from '../model/saga-check.ts';
import { readDescription, readStage } from '../model/saga-text.ts';
import type { AvatarId, GroupId, SyncGroup } from '../model/sync-group.ts';
import type { Core } from './core.ts';
import type { Memory } from './turn.ts';

/** Where the code of a known Behavior stands: it is read when it is needed. */
interface BehaviorPlace {
  readonly manifest: BehaviorManifest;
  readonly group: GroupId;
  readonly sequence: EntrySequence;
}

/** Behaviors, Sagas and capabilities that somebody deployed, as they stand in the store. */
export class SagaRegistry {
  private readonly core: Core;
  private readonly memory: Memory;
  private readonly behaviors = new Map<BehaviorId, BehaviorPlace>();
  private readonly stages = new Map<StageId, Stage>();
  private readonly descriptions = new Map<DescriptionId, Description>();
  private readonly able = new Map<AvatarId, readonly string[]>();
  private readonly sagas = new Map<DescriptionId, Saga>();
  private readonly read = new Map<GroupId, number>();

  constructor(core: Core, memory: Memory) {
    this.core = core;
    this.memory = memory;
  }

  /** Is a group one in which such things are deployed? */
  concerns(group: SyncGroup): boolean {
    const { behavior, stage, saga, capability } = this.core.builtIn;
    return [behavior, stage, saga, capability].some(({ id }) => id === group.pact);
  }

  /** Reads what is new in all such groups. @returns Sagas that are whole now, and were not. */
  refresh(): Saga[] {
    for (const group of this.memory.registry.allGroups()) {
      if (this.concerns(group)) this.readGroup(group);
    }
    const whole: Saga[] = [];
    for (const [id, description] of this.descriptions) {
      if (this.sagas.has(id)) continue;
      const stages = description.stages.map((each) => this.stages.get(each));
      if (stages.some((stage) => stage === undefined)) continue;
      const saga = { id, description, stages: stages as Stage[] };
      // What is missing may come: it is looked at again with the next thing that does.
      if (faultOfSaga(saga, this.world()) !== null) continue;
      this.sagas.set(id, saga);
      whole.push(saga);
    }
    return whole;
  }

  all(): Saga[] {
    return [...this.sagas.values()];
  }

  capabilities(avatar: AvatarId): readonly string[] {
    return this.able.get(avatar) ?? [];
  }

  manifests(): (BehaviorManifest & { readonly id: BehaviorId })[] {
    return [...this.behaviors].map(([id, { manifest }]) => ({ ...manifest, id }));
  }

  hasBehavior(id: BehaviorId): boolean {
    return this.behaviors.has(id);
  }

  /** With its code, out of the store; null where that is not here. */
  behavior(id: BehaviorId): Behavior | null {
    const place = this.behaviors.get(id);
    if (place === undefined) return null;
    const [stored] = this.core.store.entries(place.group, place.sequence, 1);
    if (stored === undefined || stored.bytes === null) return null;
    const values = this.core.reader.codecOf(this.core.builtIn.behavior).decode(stored.bytes);
    if (!values.ok) return null;
    const joined = joinBehavior(this.core.hash, place.manifest, values.value[2] as Uint8Array);
    return joined.ok ? joined.value : null;
  }

  world(): SagaWorld {
    return {
      behavior: (id) => this.behaviors.get(id)?.manifest,
      pact: (id) => this.memory.registry.pact(id),
      group: (id) => this.memory.registry.group(id),
    };
  }

  /** The State group that a Description names, where this group is what went on from it. */
  stateRootOf(group: SyncGroup): GroupId | null {
    const roots = new Set(this.all().map(({ description }) => description.state.group));
    let at: SyncGroup | undefined = group;
    while (at !== undefined) {
      if (roots.has(at.id)) return at.id;
      at = at.origin === null ? undefined : this.memory.registry.group(at.origin.group);
    }
    return null;
  }

  /** Do Sagas read what becomes final in a group? */
  isRelevant(group: SyncGroup): boolean {
    return this.all().some(({ description, stages }) => {
      if (description.state.pact === group.pact || description.initiating === group.pact) {
        return true;
      }
      return stages.some(
        (stage) =>
          stage.consumes === group.pact || stage.produces.some(({ pact }) => pact === group.pact),
      );
    });
  }

  private readGroup(group: SyncGroup): void {
    const { store, reader, config } = this.core;
    const pact = this.memory.registry.pact(group.pact);
    if (pact === undefined) return;
    const codec = reader.codecOf(pact);
    for (;;) {
      const from = (this.read.get(group.id) ?? 0) + 1;
      const entries = store.entries(group.id, from as EntrySequence, config.sagaReadEntriesMax);
      for (const { sequence, bytes, issuer } of entries) {
        if (bytes === null) return;
        const values = codec.decode(bytes);
        if (values.ok) this.take(group, values.value, { sequence, issuer });
        this.read.set(group.id, sequence);
      }
      if (entries.length < config.sagaReadEntriesMax) return;
    }
  }

  private take(
    group: SyncGroup,
    values: readonly EntryValue[],
    at: { readonly sequence: EntrySequence; readonly issuer: AvatarId },
  ): void {
    const { builtIn, hash, config } = this.core;
    if (group.pact === builtIn.capability.id) {
      this.able.set(at.issuer, values[0] as readonly string[]);
    } else if (group.pact === builtIn.behavior.id) {
      const manifest = decodeBehavior(values[1] as Uint8Array);
      if (!manifest.ok || this.behaviors.size >= config.behaviorsMax) {
        this.refused('behavior');
        return;
      }
      const id = deriveBehaviorId(hash, manifest.value);
      if (this.behaviors.has(id)) return;
      const { sequence } = at;
      this.behaviors.set(id, { manifest: manifest.value, group: group.id, sequence });
    } else if (group.pact === builtIn.stage.id) {
      const read = readStage(hash, values[1] as string);
      if (!read.ok || this.stages.size >= 8 * config.sagasMax) {
        this.refused('stage');
        return;
      }
      this.stages.set(read.value.id, read.value.stage);
    } else {
      const read = readDescription(hash, values[1] as string);
      if (!read.ok || this.descriptions.size >= config.sagasMax) {
        this.refused('saga');
        return;
      }
      this.descriptions.set(read.value.id, read.value.description);
    }
  }

  private refused(what: string): void {
    this.core.log.warn('saga-refused', { what, reason: 'malformed, or too many are known' });
  }
}
