import { type BehaviorId, type BehaviorManifest, movesOnce, type PactUse } from './behavior.ts';
import type { Pact } from './pact.ts';
import type { Condition, PactPlace, Saga, Stage } from './saga.ts';
import type { GroupId, PactId, SyncGroup } from './sync-group.ts';

/** What a Saga is held against. */
export interface SagaWorld {
  behavior(id: BehaviorId): BehaviorManifest | undefined;
  pact(id: PactId): Pact | undefined;
  group(id: GroupId): SyncGroup | undefined;
}

/**
 * @returns why a Saga cannot be, in words for whoever deploys it: a Stage that is wired to a Pact
 *   it does not match, a Behavior that is not here; null where all of it fits.
 */
export function faultOfSaga(saga: Saga, world: SagaWorld): string | null {
  const { description, stages } = saga;
  const initiating = world.pact(description.initiating);
  if (initiating === undefined) return 'its initiating Pact is not here';
  const first = stages[0];
  if (first === undefined) return 'a Saga has at least one Stage';
  if (first.consumes !== description.initiating) {
    return (
      `the first Stage ${first.name} must consume the initiating Pact ${initiating.name}, ` +
      `not ${nameOf(world, first.consumes)}`
    );
  }
  const unknown = faultOfConditions(description.when, initiating);
  if (unknown !== null) return unknown;
  const { key, scope } = description;
  if (key !== null && !hasField(initiating, key)) {
    return `its key ${key} is no field of the initiating Pact ${initiating.name}`;
  }
  if (scope === 'key' && key === null) return 'state for each key needs a key';
  const names = new Set(stages.map((stage) => stage.name));
  if (names.size < stages.length) return 'two of its Stages have one name';
  for (const [place, stage] of stages.entries()) {
    const fault = faultOfStage(saga, place, world);
    if (fault !== null) return `Stage ${stage.name}: ${fault}`;
  }
  return null;
}

function faultOfStage(saga: Saga, place: number, world: SagaWorld): string | null {
  const stage = saga.stages[place]!;
  const behavior = world.behavior(stage.behavior);
  if (behavior === undefined) return `its Behavior ${stage.behavior.slice(0, 12)} is not here`;
  return (
    faultOfBehaviorUse(stage, behavior, world) ??
    faultOfUndo(stage, world) ??
    faultOfConsumed(saga, place, world)
  );
}

function faultOfBehaviorUse(
  stage: Stage,
  behavior: BehaviorManifest,
  world: SagaWorld,
): string | null {
  const consumed = world.pact(stage.consumes);
  if (consumed === undefined) return 'the Pact that it consumes is not here';
  if (!has(behavior.consumes, stage.consumes)) {
    return (
      `it is given Entries of ${consumed.name}, and its Behavior ${behavior.name} consumes ` +
      (behavior.consumes.map((use) => use.name).join(', ') || 'none')
    );
  }
  const produced = faultOfPlaces('produces', stage.produces, behavior.produces, world);
  if (produced !== null) return produced;
  const accessed = faultOfPlaces('accesses', stage.accesses, behavior.accesses, world);
  if (accessed !== null) return accessed;
  const missing = behavior.devices.find(({ name }) => !stage.devices.includes(name));
  if (missing !== undefined) return `its Behavior uses the device ${missing.name}`;
  if (stage.devices.length > behavior.devices.length) return 'it has devices its Behavior has not';
  if (movesOnce(behavior) && !stage.isClaimed) return 'what it moves may not be moved twice';
  return faultOfConditions(stage.when, consumed);
}

/** Both ways: what is not declared cannot be used, and what is declared needs a place. */
function faultOfPlaces(
  verb: string,
  places: readonly PactPlace[],
  uses: readonly PactUse[],
  world: SagaWorld,
): string | null {
  for (const { pact, group } of places) {
    if (!has(uses, pact)) return `its Behavior ${verb} no ${nameOf(world, pact)}`;
    const found = world.group(group);
    if (found === undefined) return `the Sync Group ${group.slice(0, 12)} is not here`;
    if (found.pact !== pact) {
      return `the Sync Group ${group.slice(0, 12)} is not of ${nameOf(world, pact)}`;
    }
  }
  const left = uses.find((use) => !places.some(({ pact }) => pact === use.pact));
  if (left !== undefined) return `its Behavior ${verb} ${left.name}, and no Sync Group is named`;
  const pacts = new Set(places.map(({ pact }) => pact));
  return pacts.size < places.length ? `it ${verb} one Pact in two Sync Groups` : null;
}

function faultOfUndo(stage: Stage, world: SagaWorld): string | null {
  if (stage.undo === null) return null;
  const undo = world.behavior(stage.undo);
  if (undo === undefined) return `the Behavior that undoes it is not here`;
  if (!undo.undoes) return `the Behavior ${undo.name} undoes nothing`;
  const device = undo.devices.find(({ name }) => !stage.devices.includes(name));
  if (device !== undefined) return `what undoes it uses another device, ${device.name}`;
  if (movesOnce(undo) && !stage.isClaimed) return 'what undoes it may not move twice';
  const places = [...stage.produces, ...stage.accesses];
  const left = [...undo.produces, ...undo.accesses].find(
    (use) => !places.some(({ pact }) => pact === use.pact),
  );
  return left === undefined ? null : `what undoes it uses ${left.name}, which the Stage does not`;
}

/** Whence does the Entry come that a later Stage waits for? */
function faultOfConsumed(saga: Saga, place: number, world: SagaWorld): string | null {
  const { description, stages } = saga;
  const stage = stages[place]!;
  const consumed = world.pact(stage.consumes)!;
  if (stage.by !== null && !hasField(consumed, stage.by)) {
    return `${stage.by} is no field of ${consumed.name}`;
  }
  if (stage.by !== null && !stage.isOutside) return 'by is for Entries from outside';
  if (stage.by !== null && description.key === null) return 'by needs a Saga with a key';
  if (place === 0) return stage.isOutside ? 'the initiating Entry starts the first Stage' : null;
  const isProduced = stages
    .slice(0, place)
    .some(({ produces }) => produces.some(({ pact }) => pact === stage.consumes));
  if (isProduced || stage.isOutside) return null;
  return (
    `no Stage before it produces ${consumed.name}; say that it comes from outside, ` +
    'or let a Stage produce it'
  );
}

function faultOfConditions(when: readonly Condition[], pact: Pact): string | null {
  const unknown = when.find(([field]) => !hasField(pact, field));
  return unknown === undefined ? null : `when: ${unknown[0]} is no field of ${pact.name}`;
}

function hasField(pact: Pact, field: string): boolean {
  return pact.fields.some(({ name }) => name === field);
}

function has(uses: readonly PactUse[], pact: PactId): boolean {
  return uses.some((use) => use.pact === pact);
}

function nameOf(world: SagaWorld, pact: PactId): string {
  return world.pact(pact)?.name ?? pact.slice(0, 12);
}
