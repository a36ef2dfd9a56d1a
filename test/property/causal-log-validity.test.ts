import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ForkProof } from '../../src/log/fork-proof.ts';
import { type Log, makeLog } from '../../src/log/log.ts';
import { judgeLog } from '../../src/log/log-validity.ts';
import type { LogMessage } from '../../src/log/message.ts';
import { judgeMessage, type MessageFault } from '../../src/log/message-validity.ts';
import { happensBefore, relateInLog } from '../../src/log/relations.ts';
import { type Block, signedBytesOf } from '../../src/model/block.ts';
import { fromHex, type Hex32 } from '../../src/model/bytes.ts';
import type { CausalSequence } from '../../src/model/numbers.ts';
import {
  AUTHORS,
  type Draft,
  GROUP,
  makeMessage,
  NAME,
  OTHER_GROUP,
  pathTo,
  Shelf,
  statesOf,
  told,
  treesWithStates,
  verifier,
} from './causal-log-tree.ts';

/** One step of a world of correct authors: who issues, and of whom it has heard lately. */
interface Step {
  readonly author: number;
  readonly hears: readonly boolean[];
}

const steps = fc.array(
  fc.record({
    author: fc.nat(AUTHORS.length - 1),
    hears: fc.array(fc.boolean(), { minLength: AUTHORS.length, maxLength: AUTHORS.length }),
  }),
  { minLength: 1, maxLength: 25 },
);

/** Correct authors: each depends on the last message of each other that it has heard of. */
function play(all: readonly Step[]): Block[] {
  const messages: Block[] = [];
  const tips: (Block | null)[] = AUTHORS.map(() => null);
  const heard = AUTHORS.map(() => AUTHORS.map((): Block | null => null));
  for (const { author, hears } of all) {
    const known = heard[author]!;
    for (const [other, isHeard] of hears.entries()) if (isHeard) known[other] = tips[other]!;
    const message = makeMessage({
      author: AUTHORS[author]!,
      previous: tips[author]!,
      dependencies: known.flatMap((each, other) => (each === null || other === author ? [] : each)),
      mark: messages.length,
    });
    messages.push(message);
    tips[author] = message;
  }
  return messages;
}

const worlds = steps.map(play);

/** Every author has heard of every other before it issues for the second time. */
const BEGINNING: readonly Step[] = [0, 1].flatMap(() =>
  AUTHORS.map((_author, author) => ({ author, hears: AUTHORS.map(() => true) })),
);

/** As `worlds`, where each author has a message that depends on one of each other. */
const worldsOfAll = steps.map((more) => play([...BEGINNING, ...more]));

/** An author's last message, one that it depends on, and the author of that. */
interface PlaceInWorld {
  readonly author: Hex32;
  readonly last: Block;
  readonly other: Hex32;
  readonly before: Block;
  /** Another message in the place of `before`. */
  readonly beside: Block;
}

function placeIn(messages: readonly Block[], author: Hex32): PlaceInWorld {
  const last = messages.findLast((each) => each.issuer === author)!;
  const before = messages.find((each) => last.dependencies.includes(each.id))!;
  const previous = messages.find((each) => each.id === before.previous) ?? null;
  const other = before.issuer;
  const beside = makeMessage({ author: other, previous, mark: 2000 });
  return { author, last, other, before, beside };
}

type Breaker = (place: PlaceInWorld) => { message: Block; others: readonly Block[] };

/** For each rule, a message that breaks it whatever the world. */
const BREAKERS: readonly (readonly [MessageFault, Breaker])[] = [
  ['forged', (at) => next(at, { signer: at.other })],
  ['previous-misplaced', (at) => next(at, { sequence: at.last.sequence + 2 })],
  ['previous-elsewhere', (at) => next(at, { author: at.other })],
  ['dependency-own', (at) => next(at, { dependencies: [at.last] })],
  [
    'dependency-elsewhere',
    (at) => {
      const alien = makeMessage({
        author: at.other,
        previous: null,
        group: OTHER_GROUP,
        mark: 3000,
      });
      return next(at, { dependencies: [alien] }, [alien]);
    },
  ],
  ['dependency-doubled', (at) => next(at, { dependencies: [at.before, at.beside] }, [at.beside])],
  ['dependency-backwards', (at) => next(at, { dependencies: [at.beside] }, [at.beside])],
];

function next(
  { author, last }: PlaceInWorld,
  draft: Partial<Draft>,
  others: readonly Block[] = [],
): { message: Block; others: readonly Block[] } {
  return { message: makeMessage({ author, previous: last, mark: 1000, ...draft }), others };
}

/** Any message at all, right or wrong: what it names is picked from what there is. */
const drafts = worlds.chain((messages) =>
  fc.record({
    messages: fc.constant(messages),
    previous: fc.option(fc.constantFrom(...messages), { nil: null, freq: 8 }),
    dependencies: fc.uniqueArray(fc.constantFrom(...messages), { maxLength: 3 }),
    author: fc.constantFrom(...AUTHORS),
    isOwn: fc.boolean(),
    group: fc.constantFrom(GROUP, GROUP, GROUP, OTHER_GROUP),
    skew: fc.constantFrom(0, 0, 0, 1),
    signer: fc.option(fc.constantFrom(...AUTHORS), { nil: null, freq: 8 }),
  }),
);

/** M1 to M7 as the paper writes them, over all that is known; M7 between neighbours. */
function brokenRules(message: LogMessage, known: readonly LogMessage[]): Set<MessageFault> {
  const find = (id: string) => known.find((each) => each.id === id)!;
  const broken = new Set<MessageFault>();
  const previous = message.previous === null ? null : find(message.previous);
  const dependencies = message.dependencies.map(find);
  const signer = fromHex(message.issuer);
  const isSigned = verifier.verify(signer, signedBytesOf(message), message.signature);
  if (!isSigned) broken.add('forged');
  if (message.sequence !== (previous?.sequence ?? 0) + 1) broken.add('previous-misplaced');
  if (previous !== null) {
    const isOne = previous.issuer === message.issuer && previous.group === message.group;
    if (!isOne) broken.add('previous-elsewhere');
  }
  for (const each of dependencies) {
    if (each.issuer === message.issuer) broken.add('dependency-own');
    if (each.group !== message.group) broken.add('dependency-elsewhere');
  }
  const authors = new Set(dependencies.map((each) => each.issuer));
  if (authors.size < dependencies.length) broken.add('dependency-doubled');
  for (const earlier of (previous?.dependencies ?? []).map(find)) {
    for (const later of dependencies) {
      if (earlier.issuer !== later.issuer) continue;
      if (!pathTo(known, later).includes(earlier)) broken.add('dependency-backwards');
    }
  }
  return broken;
}

describe('validity of messages', { timeout: 120_000 }, () => {
  it('holds of all that correct authors issue, once all before it is known', () => {
    fc.assert(
      fc.property(worlds, (messages) => {
        const history = new Shelf();
        for (const message of messages) {
          expect(judgeMessage(message, { history, verifier })).toEqual({ kind: 'valid' });
          history.messages.set(message.id, message);
        }
      }),
    );
  });

  it('waits for what is missing, and names it', () => {
    fc.assert(
      fc.property(worlds, fc.nat(), (messages, pick) => {
        const gone = messages[pick % messages.length]!;
        const history = new Shelf(messages.filter((each) => each !== gone));
        for (const message of messages) {
          const names = [message.previous, ...message.dependencies].includes(gone.id);
          const verdict = judgeMessage(message, { history, verifier });
          // What M7 has to pass on its way is missing as well.
          if (names || verdict.kind !== 'valid') {
            expect(verdict.kind === 'early' && new Set(verdict.missing)).toEqual(
              new Set([gone.id]),
            );
          }
        }
      }),
    );
  });

  it('is M1 to M7: what breaks one is refused for one that it breaks, nothing else is', () => {
    fc.assert(
      fc.property(drafts, ({ messages, previous, isOwn, skew, signer, ...draft }) => {
        const author = isOwn && previous !== null ? previous.issuer : draft.author;
        const sequence = (previous?.sequence ?? 0) + 1 + skew;
        const message = makeMessage({
          ...draft,
          author,
          previous,
          sequence,
          mark: 1000,
          signer: signer ?? author,
        });
        const broken = brokenRules(message, messages);
        const verdict = judgeMessage(message, { history: new Shelf(messages), verifier });
        expect(verdict.kind).toBe(broken.size === 0 ? 'valid' : 'invalid');
        if (verdict.kind === 'invalid') expect(broken).toContain(verdict.fault);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(BREAKERS)('%s: is refused wherever it is broken', (fault, breakRule) => {
    fc.assert(
      fc.property(worldsOfAll, fc.nat(AUTHORS.length - 1), (messages, pick) => {
        const { message, others } = breakRule(placeIn(messages, AUTHORS[pick]!));
        const known = [...messages, ...others];
        expect(brokenRules(message, known)).toContain(fault);
        const verdict = judgeMessage(message, { history: new Shelf(known), verifier });
        expect(verdict).toMatchObject({ kind: 'invalid', fault });
      }),
      { numRuns: 50 },
    );
  });

  it('is never taken back: who knows less says early or the same; witnesses suffice', () => {
    fc.assert(
      fc.property(
        drafts,
        fc.infiniteStream(fc.boolean()),
        ({ messages, signer, ...draft }, keeps) => {
          const message = makeMessage({ ...draft, signer: signer ?? draft.author, mark: 1000 });
          const whole = judgeMessage(message, { history: new Shelf(messages), verifier });
          const some = new Shelf(messages.filter(() => keeps.next().value));
          const partial = judgeMessage(message, { history: some, verifier });
          if (partial.kind === 'valid' || partial.kind === 'invalid') {
            expect(partial.kind).toBe(whole.kind);
          }
          if (whole.kind !== 'invalid') return;
          const alone = judgeMessage(message, { history: new Shelf(whole.witnesses), verifier });
          expect(alone).toMatchObject({ kind: 'invalid', fault: whole.fault });
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('relations of messages', { timeout: 120_000 }, () => {
  it('are those of the graph: before is who can be reached back, beside is neither', () => {
    fc.assert(
      fc.property(worlds, fc.nat(), fc.nat(), (messages, a, b) => {
        const history = new Shelf(messages);
        const [one, other] = [messages[a % messages.length]!, messages[b % messages.length]!];
        const past = new Set<string>();
        for (const open = [other]; open.length > 0; ) {
          const { previous, dependencies } = open.pop()!;
          for (const id of [...(previous === null ? [] : [previous]), ...dependencies]) {
            past.add(id);
            open.push(messages.find((each) => each.id === id)!);
          }
        }
        expect(told(happensBefore(one, other, history))).toBe(past.has(one.id));
        const isOfOneLog = one.issuer === other.issuer;
        const order = Math.sign(one.sequence - other.sequence);
        const expected = { '-1': 'older', 0: 'same', 1: 'newer' }[`${order as -1 | 0 | 1}`];
        expect(told(relateInLog(one, other, history))).toBe(isOfOneLog ? expected : 'beside');
      }),
    );
  });
});

const withForks = (log: Log, change: Partial<ForkProof>): Log => ({
  ...log,
  forks: { ...log.forks!, ...change },
});

/** A way to spoil a valid state and what is to be said of it; null where nothing can be spoilt. */
const SPOILERS: readonly [string, (log: Log, others: readonly LogMessage[]) => Log | null][] = [
  ['last-unknown', (log) => log.last && { ...log, last: makeMessage(STRANGE).id }],
  ['last-elsewhere', (log) => log.last && { ...log, author: AUTHORS[1], forks: null }],
  ['last-elsewhere', (log) => log.last && { ...log, group: OTHER_GROUP, forks: null }],
  ['last-misplaced', (log) => ({ ...log, sequence: (log.sequence + 1) as CausalSequence })],
  ['fork-single', (log) => log.forks && withForks(log, { branches: [] })],
  [
    'fork-single',
    (log) => log.forks && withForks(log, { branches: log.forks.branches.slice(1, 2) }),
  ],
  [
    'fork-single',
    (log) => log.forks && withForks(log, { branches: Array(2).fill(log.forks.branches[0]) }),
  ],
  [
    'fork-unordered',
    (log) => log.forks && withForks(log, { branches: log.forks.branches.toReversed() }),
  ],
  ['fork-elsewhere', (log) => log.forks && withForks(log, { author: AUTHORS[1] })],
  ['fork-elsewhere', (log) => log.forks && withForks(log, { group: OTHER_GROUP })],
  ['fork-elsewhere', (log) => (log.forks && !log.last ? { ...log, author: AUTHORS[1] } : null)],
  ['fork-misplaced', (log) => log.forks && withForks(log, { previous: makeMessage(STRANGE).id })],
  [
    'fork-misplaced',
    (log, others) => {
      const parent = others.find((each) => each.id !== log.last);
      if (log.forks === null || parent === undefined) return null;
      return { ...makeLog(NAME, parent), forks: log.forks };
    },
  ],
  [
    'fork-mixed',
    (log, others) => {
      const alien = others.find((each) => each.previous !== log.last);
      if (log.forks === null || alien === undefined) return null;
      const branches = [log.forks.branches[0]!, alien].sort((a, b) => (a.id < b.id ? -1 : 1));
      return withForks(log, { branches });
    },
  ],
  [
    'fork-forged',
    (log, others) => {
      if (log.forks === null) return null;
      const previous = others.find((each) => each.id === log.last) ?? null;
      const forged = makeMessage({ previous, mark: 1000, signer: AUTHORS[1] });
      const branches = [log.forks.branches[0]!, forged].sort((a, b) => (a.id < b.id ? -1 : 1));
      return withForks(log, { branches });
    },
  ],
];

const STRANGE = { previous: null, mark: 2000 };

describe('validity of logs', { timeout: 120_000 }, () => {
  it('holds of every state that knowledge amounts to', () => {
    fc.assert(
      fc.property(treesWithStates(1), ({ tree }) => {
        for (const log of statesOf(tree)) {
          const verdict = judgeLog(log, { history: tree.history, verifier });
          expect(verdict).toEqual({ ok: true, value: log });
        }
      }),
    );
  });

  it.each(SPOILERS)('CL, FL: %s is refused', (reason, spoil) => {
    let count = 0;
    fc.assert(
      fc.property(treesWithStates(1), ({ tree }) => {
        for (const log of statesOf(tree)) {
          const spoilt = spoil(log, tree.nodes);
          if (spoilt === null) continue;
          count += 1;
          const verdict = judgeLog(spoilt, { history: tree.history, verifier });
          expect(verdict).toMatchObject({ ok: false, reason });
        }
      }),
      { numRuns: 100 },
    );
    expect(count).toBeGreaterThan(0);
  });
});
