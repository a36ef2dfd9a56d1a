import type { Behavior, BehaviorId, PactUse } from '../../src/model/behavior.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import type { Pact } from '../../src/model/pact.ts';
import type { Description, Saga, Stage } from '../../src/model/saga.ts';
import { deriveDescriptionId, deriveStageId } from '../../src/model/saga.ts';
import type { SagaWorld } from '../../src/model/saga-check.ts';
import { writeDescription, writeStage } from '../../src/model/saga-text.ts';
import { type GroupId, makeSyncGroup, type SyncGroup } from '../../src/model/sync-group.ts';
import { behaviorOf, hash, idOf } from './behavior-samples.ts';

/** A Pact of which only names matter. */
export function pactOf(name: string, fields: readonly string[]): Pact {
  return {
    id: toHex32(hash(new TextEncoder().encode(name))),
    name,
    description: '',
    fields: fields.map((field) => ({ name: field, type: 'string', optional: true })),
    key: [],
    extends: null,
    quorumPolicy: 'two-thirds',
    availability: 'entries',
    retention: null,
    priority: 'normal',
    definition: '',
  };
}

export const OWNERS = [idOf(0xa1), idOf(0xa2), idOf(0xa3)];

export function groupOf(pact: Pact, owners = OWNERS): SyncGroup {
  const { quorumPolicy, availability } = pact;
  return makeSyncGroup(hash, { pact: pact.id, quorumPolicy, availability }, owners);
}

export const ORDER = pactOf('order', ['order_id', 'item']);
export const REQUEST = pactOf('payment_request', ['order_id']);
export const NOTICE = pactOf('notice', ['order_id']);
export const STATES = pactOf('saga_order', []);
export const use = ({ name, id }: Pact): PactUse => ({ name, pact: id });
export const placeOf = (pact: Pact) => ({ pact: pact.id, group: groupOf(pact).id });

export const retrieve: Behavior = behaviorOf('retrieve', {
  name: 'retrieve',
  consumes: [use(ORDER)],
  accesses: [],
  produces: [use(REQUEST)],
  devices: [],
  requires: [],
  undoes: true,
});
export const charge: Behavior = behaviorOf('charge', {
  name: 'charge',
  consumes: [use(REQUEST)],
  accesses: [],
  produces: [use(NOTICE)],
  devices: [],
  requires: [],
});

export const plainStage: Stage = {
  name: 'retrieve',
  behavior: retrieve.id,
  consumes: ORDER.id,
  accesses: [],
  produces: [placeOf(REQUEST)],
  undo: retrieve.id,
  binding: [],
  devices: [],
  isClaimed: false,
  isOutside: false,
  by: null,
  when: [],
  withinMs: null,
};
export const chargeStage: Stage = {
  ...plainStage,
  name: 'charge',
  behavior: charge.id,
  consumes: REQUEST.id,
  produces: [placeOf(NOTICE)],
  undo: null,
};

/** @param said Of the Description, where it differs. */
export function sagaOf(stages: readonly Stage[], said: Partial<Description> = {}): Saga {
  const description: Description = {
    name: 'order',
    initiating: ORDER.id,
    state: placeOf(STATES),
    stages: stages.map((stage) => deriveStageId(hash, writeStage(stage))),
    scope: 'saga',
    key: 'order_id',
    when: [],
    after: [],
    ...said,
  };
  return { id: deriveDescriptionId(hash, writeDescription(description)), description, stages };
}

const PACTS = [ORDER, REQUEST, NOTICE, STATES];
const BEHAVIORS: readonly Behavior[] = [retrieve, charge];

export const sampleWorld: SagaWorld = {
  behavior: (id: BehaviorId) => BEHAVIORS.find((each) => each.id === id),
  pact: (id) => PACTS.find((each) => each.id === id),
  group: (id: GroupId) => PACTS.map((pact) => groupOf(pact)).find((each) => each.id === id),
};
