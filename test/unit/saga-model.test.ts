import { describe, expect, it } from 'vitest';
import type { EntrySequence } from '../../src/model/numbers.ts';
import type { EntryValue } from '../../src/model/pact.ts';
import {
  type Condition,
  decodeCause,
  deriveInvocation,
  deriveRank,
  deriveScope,
  encodeCause,
  meets,
} from '../../src/model/saga.ts';
import { faultOfSaga } from '../../src/model/saga-check.ts';
import {
  type SagaState,
  stateFromEntry,
  statePactFile,
  stateToEntry,
} from '../../src/model/saga-state.ts';
import {
  readDescription,
  readStage,
  writeDescription,
  writeStage,
} from '../../src/model/saga-text.ts';
import { createPactReader } from '../../src/schema/pact-reader.ts';
import { hash, idOf } from './behavior-samples.ts';
import {
  chargeStage,
  NOTICE,
  ORDER,
  placeOf,
  plainStage,
  REQUEST,
  sagaOf,
  sampleWorld,
} from './saga-samples.ts';

const sequence = (number: number) => number as EntrySequence;

describe('texts of Stages and Descriptions', () => {
  const when: Condition[] = [['item', '!=', 'nothing']];
  const stage = { ...plainStage, binding: ['gpio', 'site=a'], devices: ['fan'], when };
  const after = [{ group: idOf(7), sequence: sequence(12) }];
  const { description } = sagaOf([plainStage, chargeStage], { after, when });

  it('a Stage reads back as it was written, and so does a Description', () => {
    expect(readStage(hash, writeStage(stage))).toMatchObject({ ok: true, value: { stage } });
    const read = readDescription(hash, writeDescription(description));
    expect(read).toMatchObject({ ok: true, value: { description } });
  });

  it.each([
    ['space between', writeStage(stage).replace(',', ', ')],
    ['a member more', writeStage(stage).replace('"by"', '"more":1,"by"')],
    ['a duplicate member', writeStage(stage).replace('"by"', '"by":"x","by"')],
    ['another version', writeStage(stage).replace('"version":1', '"version":2')],
    ['an id that is none', writeStage(stage).replace(stage.behavior, 'abc')],
    ['an operator that is none', writeStage(stage).replace('"!="', '"~"')],
    ['no JSON', '{'],
    ['no object', '[]'],
  ])('a Stage with %s is refused', (_name, text) => {
    expect(readStage(hash, text)).toMatchObject({ ok: false, reason: 'stage-malformed' });
  });

  it('a Description without Stages, or with too long a text, is refused', () => {
    const none = writeDescription({ ...description, stages: [] });
    expect(readDescription(hash, none)).toMatchObject({ ok: false });
    expect(readDescription(hash, ' '.repeat(70_000))).toMatchObject({ ok: false });
  });
});

describe('what fits together', () => {
  const twice = { ...chargeStage, name: 'retrieve' };
  const outside = { ...chargeStage, isOutside: true, by: 'order_id' };

  it('a Saga whose Stages match their Pacts has no fault', () => {
    expect(faultOfSaga(sagaOf([plainStage, chargeStage]), sampleWorld)).toBeNull();
    expect(faultOfSaga(sagaOf([plainStage, outside]), sampleWorld)).toBeNull();
  });

  it.each([
    ['the first Stage consumes another Pact', sagaOf([chargeStage]), /must consume the initiating/],
    [
      'a Stage is given what its Behavior does not consume',
      sagaOf([plainStage, { ...chargeStage, consumes: NOTICE.id, isOutside: true }]),
      /Stage charge: it is given Entries of notice, and its Behavior charge consumes payment_req/,
    ],
    [
      'nobody produces what a Stage consumes',
      sagaOf([{ ...plainStage, produces: [] }, chargeStage]),
      /Stage retrieve: its Behavior produces payment_request, and no Sync Group is named/,
    ],
    [
      'a Stage produces what its Behavior does not declare',
      sagaOf([{ ...plainStage, produces: [placeOf(REQUEST), placeOf(NOTICE)] }]),
      /its Behavior produces no notice/,
    ],
    [
      'a produced Pact is placed in the Sync Group of another',
      sagaOf([{ ...plainStage, produces: [{ pact: REQUEST.id, group: placeOf(NOTICE).group }] }]),
      /is not of payment_request/,
    ],
    [
      'a compensation is not there',
      sagaOf([{ ...plainStage, undo: idOf(9) }]),
      /the Behavior that undoes it is not here/,
    ],
    [
      'a compensation undoes nothing',
      sagaOf([{ ...plainStage, undo: chargeStage.behavior }]),
      /charge undoes nothing/,
    ],
    ['a Behavior is not there', sagaOf([{ ...plainStage, behavior: idOf(9) }]), /is not here/],
    ['two Stages have one name', sagaOf([plainStage, twice]), /one name/],
    ['a key is no field', sagaOf([plainStage], { key: 'nope' }), /no field of the initiating/],
    ['state for each key has no key', sagaOf([plainStage], { key: null, scope: 'key' }), /a key/],
    [
      'a condition asks for a field that is none',
      sagaOf([plainStage], { when: [['nope', '=', 1]] }),
      /nope is no field of order/,
    ],
    [
      'an Entry of the Saga itself is to come from outside by a key',
      sagaOf([plainStage, { ...chargeStage, by: 'order_id' }]),
      /by is for Entries from outside/,
    ],
  ])('where %s, the reason is said', (_name, saga, reason) => {
    expect(faultOfSaga(saga, sampleWorld)).toMatch(reason);
  });
});

describe('States', () => {
  const reader = createPactReader({ hash, entryBytesMax: 4_000_000 });
  const pact = reader.readFile(JSON.stringify(statePactFile('order', undefined)), () => undefined);
  const codec = reader.codecOf(pact);
  const full: SagaState = {
    invocation: idOf(1),
    step: 3,
    kind: 'failed',
    previous: sequence(5),
    description: idOf(2),
    stage: idOf(3),
    place: 1,
    consumed: { group: idOf(4), sequence: sequence(6) },
    produced: [{ group: idOf(5), entry: new Uint8Array([0x81, 1]) }],
    scope: idOf(6),
    state: new Uint8Array([1, 2]),
    basis: sequence(4),
    reads: [{ group: idOf(7), sequence: sequence(9) }],
    observed: ['true'],
    failure: 'no money',
    undone: [1],
    stuck: [0],
    atMs: 1_700_000_000_000,
  };
  const bare: SagaState = {
    ...full,
    step: 0,
    kind: 'final',
    previous: null,
    consumed: null,
    produced: [],
    state: null,
    basis: null,
    reads: [],
    observed: [],
    failure: null,
    undone: [],
    stuck: [],
  };

  it.each([full, bare])('a State reads back from its Entry (%#)', (state) => {
    const bytes = codec.encode(stateToEntry(state));
    if (!bytes.ok) throw new Error(`${bytes.field}: ${bytes.message}`);
    const values = codec.decode(bytes.value);
    if (!values.ok) throw new Error(values.message);
    expect(stateFromEntry(values.value)).toEqual({ ok: true, value: state });
  });

  it('values of another Pact are no State', () => {
    expect(stateFromEntry(['a'] as EntryValue[])).toMatchObject({ ok: false });
  });
});

describe('ids', () => {
  it('a cause reads back', () => {
    const cause = { invocation: idOf(8), step: 300, index: 2 };
    expect(decodeCause(encodeCause(cause))).toEqual(cause);
  });

  it('an invocation differs by Saga, group and sequence, a rank by step and Avatar', () => {
    const at = { group: idOf(1), sequence: sequence(1) };
    const ids = [
      deriveInvocation(hash, idOf(2), at),
      deriveInvocation(hash, idOf(3), at),
      deriveInvocation(hash, idOf(2), { ...at, group: idOf(4) }),
      deriveInvocation(hash, idOf(2), { ...at, sequence: sequence(2) }),
      deriveRank(hash, idOf(5), 0, idOf(6)),
      deriveRank(hash, idOf(5), 1, idOf(6)),
      deriveRank(hash, idOf(5), 0, idOf(7)),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('state is of an invocation, of a key, or of all', () => {
    const scopes = (['invocation', 'key', 'saga'] as const).map((scope) =>
      [idOf(1), idOf(2)].flatMap((invocation) =>
        ['a', 'b'].map((key) => deriveScope(hash, scope, { invocation, key })),
      ),
    );
    expect(scopes.map((each) => new Set(each).size)).toEqual([2, 2, 1]);
  });

  it('conditions compare numbers with numbers and text with text', () => {
    expect(meets({ celsius: 60 }, [['celsius', '>=', 60]])).toBe(true);
    expect(meets({ celsius: 60 }, [['celsius', '>', 60]])).toBe(false);
    expect(meets({ celsius: '70' }, [['celsius', '>', 60]])).toBe(false);
    expect(meets({}, [['celsius', '!=', 60]])).toBe(false);
    expect(
      meets({ a: 'b', c: true }, [
        ['a', '<', 'c'],
        ['c', '=', true],
      ]),
    ).toBe(true);
  });

  it('the sample Pacts are apart', () => {
    expect(new Set([ORDER.id, REQUEST.id, NOTICE.id]).size).toBe(3);
  });
});
