import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex } from '../../src/model/bytes.ts';
import type { EntrySequence } from '../../src/model/numbers.ts';
import {
  type Cause,
  type Description,
  decodeCause,
  deriveInvocation,
  deriveRank,
  deriveScope,
  encodeCause,
  type Stage,
  withCause,
} from '../../src/model/saga.ts';
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
import golden from './golden.json' with { type: 'json' };
import { hash, id } from './samples.ts';

const at = (number: number) => number as EntrySequence;

const stage: Stage = {
  name: 'charge',
  behavior: id('b1'),
  consumes: id('a1'),
  accesses: [{ pact: id('a2'), group: id('c2') }],
  produces: [{ pact: id('a3'), group: id('c3') }],
  undo: id('b2'),
  binding: ['site=greenhouse-3'],
  devices: ['fan'],
  isClaimed: true,
  isOutside: true,
  by: 'order_id',
  when: [
    ['celsius', '>=', 60.5],
    ['isDry', '=', true],
    ['place', '!=', 'café'],
  ],
  withinMs: 60_000,
};

const bareStage: Stage = {
  ...stage,
  accesses: [],
  produces: [],
  undo: null,
  binding: [],
  devices: [],
  isClaimed: false,
  isOutside: false,
  by: null,
  when: [],
  withinMs: null,
};

const description: Description = {
  name: 'order',
  initiating: id('a1'),
  state: { pact: id('a4'), group: id('c4') },
  stages: [id('d1'), id('d2')],
  scope: 'key',
  key: 'order_id',
  when: [['cents', '<', 1000]],
  after: [{ group: id('c1'), sequence: at(2 ** 33) }],
};

const place = { group: id('c1'), sequence: at(4711) };
const invocation = deriveInvocation(hash, id('c4'), place);
const cause: Cause = { invocation, step: 258, index: 3 };

/** Everything that a State may hold. */
const fullState: SagaState = {
  invocation,
  step: 2,
  kind: 'final-failed',
  previous: at(17),
  description: id('e1'),
  stage: id('d2'),
  place: 1,
  consumed: place,
  produced: [{ group: id('c3'), entry: Uint8Array.of(0x82, 0x01, 0x61, 0x78) }],
  scope: deriveScope(hash, 'key', { invocation, key: 'sA1' }),
  state: Uint8Array.of(9, 0, 255),
  basis: at(16),
  reads: [{ group: id('c2'), sequence: at(2 ** 33) }],
  observed: ['{"ok":true,"value":21.5}'],
  failure: 'no money, café',
  undone: [1, 0],
  stuck: [2],
  atMs: 1_700_000_000_123,
};

const bareState: SagaState = {
  ...fullState,
  kind: 'partial',
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

const reader = createPactReader({ hash });
const pact = reader.readFile(JSON.stringify(statePactFile('order', undefined)), () => undefined);
const codec = reader.codecOf(pact);

function bytesOf(state: SagaState): Uint8Array {
  const encoded = codec.encode(stateToEntry(state));
  if (!encoded.ok) throw new Error(encoded.message);
  return encoded.value;
}

describe('the texts of a Saga', () => {
  it.each([
    ['sagaStage', stage],
    ['sagaStageBare', bareStage],
  ] as const)('%s is written, identified and read as it ever was', (name, made) => {
    const { text, id } = golden[name];
    expect(writeStage(made)).toBe(text);
    expect(readStage(hash, text)).toEqual({ ok: true, value: { id, stage: made } });
  });

  it('a Description is written, identified and read as it ever was', () => {
    const { text, id } = golden.sagaDescription;
    expect(writeDescription(description)).toBe(text);
    expect(readDescription(hash, text)).toEqual({ ok: true, value: { id, description } });
  });

  it('in any other form than their one they are refused', () => {
    const { text } = golden.sagaStage;
    for (const other of [
      ` ${text}`,
      text.slice(0, -1),
      text.replace('"version":1', '"version":2'),
    ]) {
      expect(readStage(hash, other).ok).toBe(false);
    }
    const saga = golden.sagaDescription.text;
    expect(readDescription(hash, saga.replace('"scope":"key"', '"scope":"none"')).ok).toBe(false);
  });
});

describe('a Saga State', () => {
  it('is of a Pact that has the definition it ever had', () => {
    expect(pact.id).toBe(golden.sagaStatePact);
  });

  it.each([
    ['sagaState', fullState],
    ['sagaStateBare', bareState],
  ] as const)(
    '%s: today’s bytes are the golden ones, and read as what they were made of',
    (name, made) => {
      expect(toHex(bytesOf(made))).toBe(golden[name]);
      const values = codec.decode(fromHex(golden[name]));
      expect(values.ok && stateFromEntry(values.value)).toEqual({ ok: true, value: made });
    },
  );

  it('no prefix of it reads, nor does one byte more', () => {
    const bytes = fromHex(golden.sagaState);
    for (let length = 0; length < bytes.length; length++) {
      expect(codec.decode(bytes.slice(0, length)).ok).toBe(false);
    }
    expect(codec.decode(concatBytes(bytes, Uint8Array.of(0))).ok).toBe(false);
  });
});

describe('what is derived of a Saga', () => {
  it('is as it ever was', () => {
    const scopes = (['invocation', 'key', 'saga'] as const).map((scope) =>
      deriveScope(hash, scope, { invocation, key: 'sA1' }),
    );
    expect({ invocation, scopes, rank: deriveRank(hash, invocation, 2, id('f1')) }).toEqual(
      golden.sagaDerived,
    );
  });

  it('the mark of its cause lies behind the fields of a produced Entry', () => {
    expect(toHex(encodeCause(cause))).toBe(golden.sagaCause);
    expect(decodeCause(fromHex(golden.sagaCause))).toEqual(cause);
    const short = fromHex('82016178');
    expect(toHex(withCause(short, cause))).toBe(`830161785824${golden.sagaCause}`);
    const fields = (count: number) => new Uint8Array(count).fill(0xf6);
    const heads: readonly [number, string, string][] = [
      [23, '97', '9818'],
      [24, '9818', '9819'],
      [255, '98ff', '990100'],
    ];
    for (const [count, head, marked] of heads) {
      const entry = concatBytes(fromHex(head), fields(count));
      const tail = `${toHex(fields(count))}5824${golden.sagaCause}`;
      expect(toHex(withCause(entry, cause))).toBe(`${marked}${tail}`);
    }
  });
});
