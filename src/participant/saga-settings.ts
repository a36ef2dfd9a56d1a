import { integer, type Setting, urls } from './setting.ts';

/** Settings of Sagas and Behaviors. */
export const SAGAS = {
  sagaTakeOverMs: integer(
    [100, 10_000, 3_600_000],
    'Silence after which the next Participant that is able acts on a Stage.',
  ),
  sagaClaimMs: integer(
    [1000, 60_000, 86_400_000],
    'So long a claim to move something lasts where its Stage has no time-out.',
  ),
  sagaInvocationsMax: integer(
    [1, 10_000, 1_000_000],
    'Invocations in progress. Beyond them an initiating Entry starts nothing here.',
  ),
  sagaReadEntriesMax: integer([1, 1000, 100_000], 'Finalized Entries that Sagas read in a turn.'),
  sagasMax: integer([1, 256, 10_000], 'Saga Descriptions that are known, all versions counted.'),
  behaviorsMax: integer([1, 256, 10_000], 'Behaviors that are known, all versions counted.'),
  sandboxWorkersMax: integer([1, 1, 16], 'Threads that run Behaviors.'),
  labels: urls([], 32, 'What this Participant is or where: "site=greenhouse-3". For bindings.'),
} as const satisfies Record<string, Setting>;
