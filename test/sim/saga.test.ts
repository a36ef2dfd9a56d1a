import { describe, expect, it } from 'vitest';
import { deriveStageId, type Saga, type Stage } from '../../src/model/saga.ts';
import { writeStage } from '../../src/model/saga-text.ts';
import type { RunRequest, RunResult } from '../../src/saga/execution.ts';
import { checkSagas } from './saga-checker.ts';
import { groupId, hash, mutated, nameId, SagaWorld, type WorldOptions } from './saga-world.ts';

const place = (name: string) => ({ pact: nameId(name), group: groupId(name) });

const plain: Stage = {
  name: 'retrieve',
  behavior: nameId('retrieve'),
  consumes: nameId('first'),
  accesses: [],
  produces: [place('request')],
  undo: nameId('retrieve'),
  binding: [],
  devices: [],
  isClaimed: false,
  isOutside: false,
  by: null,
  when: [],
  withinMs: null,
};

/** Takes from a stock that all share, moves something, and charges, which fails now and then. */
function sagaOf(mutation: WorldOptions['mutation']): Saga {
  const moving = { name: 'move', consumes: nameId('request'), devices: ['fan'], isClaimed: true };
  const stages = [
    plain,
    mutated({ ...plain, ...moving, behavior: nameId('move'), undo: null }, mutation),
    {
      ...plain,
      name: 'charge',
      behavior: nameId('charge'),
      consumes: nameId('request'),
      produces: [place('notice')],
      undo: null,
    },
  ];
  return {
    id: nameId('saga'),
    stages,
    description: {
      name: 'order',
      initiating: nameId('first'),
      state: place('states'),
      stages: stages.map((stage) => deriveStageId(hash, writeStage(stage))),
      scope: 'saga',
      key: null,
      when: [],
      after: [],
    },
  };
}

const STOCK = 100;

/** The value of state is the stock. Every third order cannot be paid. */
function script(request: RunRequest, order: number): RunResult {
  const { stage, purpose, state } = request;
  const stock = state === null ? STOCK : state[0]!;
  const done = { failure: null, state, reads: [], observed: [] };
  const produces = (name: string) => [{ group: groupId(name), entry: new Uint8Array([order]) }];
  if (purpose === 'undo') return { ...done, produced: [], state: new Uint8Array([stock + 1]) };
  if (stage.name === 'retrieve') {
    return { ...done, produced: produces('request'), state: new Uint8Array([stock - 1]) };
  }
  if (stage.name === 'move') return { ...done, produced: produces('request'), observed: ['true'] };
  const failure = order % 3 === 0 ? 'no money' : null;
  return { ...done, produced: produces('notice'), failure };
}

function runSagas(seed: number, mutation?: NonNullable<WorldOptions['mutation']>) {
  const saga = sagaOf(mutation);
  const options: WorldOptions = {
    seed,
    saga,
    orders: 8,
    crashes: 6,
    script,
    ...(mutation === undefined ? {} : { mutation }),
  };
  const world = new SagaWorld(options);
  world.run();
  return { world, found: checkSagas(world, saga) };
}

describe('many Participants, one order of States', () => {
  it('each invocation ends once, with the effects of its States, and nothing moves twice', () => {
    let completed = 0;
    let compensated = 0;
    let voided = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const { world, found } = runSagas(seed);
      expect(found.broken, `seed ${seed}`).toEqual([]);
      const [member] = world.members;
      const [scope] = [...world.log(groupId('states'))].flatMap(({ state }) => state!.scope);
      const stock = member!.notes.scope(groupId('states'), scope!)!.state![0];
      expect(stock, `seed ${seed}`).toBe(STOCK - found.completed);
      completed += found.completed;
      compensated += found.compensated;
      voided += found.voided;
    }
    // All ways through are taken.
    expect(completed).toBeGreaterThan(40);
    expect(compensated).toBeGreaterThan(30);
    expect(voided).toBeGreaterThan(10);
  });

  it.each(['ignore-claims', 'push-early'] as const)('the checker finds %s', (mutation) => {
    const wanted = mutation === 'ignore-claims' ? /moved \d times/ : /that no State lists/;
    let isFound = false;
    for (let seed = 1; seed <= 40 && !isFound; seed++) {
      const { found } = runSagas(seed, mutation);
      isFound = found.broken.some((each) => wanted.test(each));
    }
    expect(isFound).toBe(true);
  });
});
