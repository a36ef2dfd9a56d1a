import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deriveDependencies,
  EMPTY_FRONTIER,
  type Frontier,
  forksOf,
  isFrontierAtMost,
  judgeFrontier,
  logIn,
  logsOf,
  mergeFrontiers,
  messagesOf,
  replaceLog,
  updateFrontier,
} from '../../src/log/frontier.ts';
import { append, isAtMost, makeLog, merge } from '../../src/log/log.ts';
import type { LogMessage } from '../../src/log/message.ts';
import { logOf, predecessorsOf } from '../../src/log/relations.ts';
import type { Block } from '../../src/model/block.ts';
import { compareText } from '../../src/model/bytes.ts';
import {
  AUTHORS,
  GROUP,
  makeMessage,
  NAME,
  OTHER_GROUP,
  Shelf,
  told,
  verifier,
} from './causal-log-tree.ts';

/** A message of some author that follows one of its earlier ones and depends on any of others. */
const steps = fc.array(
  fc.record({
    author: fc.nat(AUTHORS.length - 1),
    group: fc.constantFrom(GROUP, GROUP, OTHER_GROUP),
    back: fc.constantFrom(0, 0, 0, 1, 2),
    hears: fc.array(fc.nat(40), { maxLength: 2 }),
  }),
  { maxLength: 25 },
);

interface Scene {
  readonly messages: readonly Block[];
  readonly history: Shelf;
}

/** Logs of several authors and groups, some of them forked, all tied together. */
const scenes: fc.Arbitrary<Scene> = steps.map((all) => {
  const messages: Block[] = [];
  for (const { author, group, back, hears } of all) {
    const own = messages.filter((m) => m.issuer === AUTHORS[author] && m.group === group);
    const others = messages.filter((m) => m.issuer !== AUTHORS[author] && m.group === group);
    const dependencies = new Map(
      hears.flatMap((hear) => {
        const other = others[hear % Math.max(1, others.length)];
        return other === undefined ? [] : [[other.issuer, other] as const];
      }),
    );
    messages.push(
      makeMessage({
        author: AUTHORS[author]!,
        group,
        previous: own.at(-1 - back) ?? null,
        dependencies: [...dependencies.values()],
        mark: messages.length,
      }),
    );
  }
  return { messages, history: new Shelf(messages) };
});

const frontierOf = (scene: Scene, messages: readonly LogMessage[]): Frontier =>
  messages.reduce((frontier, each) => {
    const log = logIn(frontier, logOf(each));
    return replaceLog(frontier, append(log, each, scene.history).log);
  }, EMPTY_FRONTIER);

/** A scene and three frontiers of what three replicas have heard. */
const scenesWithFrontiers = scenes.chain((scene) =>
  fc
    .array(fc.subarray([...scene.messages]), { minLength: 3, maxLength: 3 })
    .map((heard) => ({ scene, heard, frontiers: heard.map((each) => frontierOf(scene, each)) })),
);

describe('frontiers', () => {
  it('merge commutatively, associatively and idempotently, and to what all have heard', () => {
    fc.assert(
      fc.property(scenesWithFrontiers, ({ scene, heard, frontiers }) => {
        const join = (one: Frontier, other: Frontier) =>
          told(mergeFrontiers(one, other, scene.history));
        const [a, b, c] = frontiers as [Frontier, Frontier, Frontier];
        expect(join(a, b)).toEqual(join(b, a));
        expect(join(join(a, b), c)).toEqual(join(a, join(b, c)));
        expect(join(a, a)).toBe(a);
        expect(join(join(a, b), c)).toEqual(frontierOf(scene, heard.flat()));
      }),
      { numRuns: 400 },
    );
  });

  it('are ordered by what they know: merging finds the least that is at least both', () => {
    fc.assert(
      fc.property(scenesWithFrontiers, ({ scene, frontiers }) => {
        const isLess = (one: Frontier, other: Frontier) =>
          told(isFrontierAtMost(one, other, scene.history));
        const [a, b, c] = frontiers as [Frontier, Frontier, Frontier];
        const both = told(mergeFrontiers(a, b, scene.history));
        expect([isLess(a, a), isLess(a, both), isLess(b, both)]).toEqual([true, true, true]);
        if (isLess(a, c) && isLess(b, c)) expect(isLess(both, c)).toBe(true);
        const isWithin = a.every(
          (log) =>
            b.some((each) => each.author === log.author && each.group === log.group) &&
            told(isAtMost(log, logIn(b, log), scene.history)),
        );
        expect(isLess(a, b)).toBe(isWithin);
      }),
      { numRuns: 400 },
    );
  });

  it('hold one log for each author and group, valid, in one order; updating merges it', () => {
    fc.assert(
      fc.property(scenesWithFrontiers, ({ scene, frontiers }) => {
        const [a, b] = frontiers as [Frontier, Frontier];
        const ground = { history: scene.history, verifier };
        expect(judgeFrontier(a, ground)).toEqual({ ok: true, value: a });
        for (const log of b) {
          const next = told(updateFrontier(a, log, scene.history));
          expect(logIn(next, log)).toEqual(told(merge(logIn(a, log), log, scene.history)));
          for (const each of a) if (each.author !== log.author) expect(next).toContain(each);
          expect(judgeFrontier(next, ground)).toMatchObject({ ok: true });
        }
      }),
    );
  });

  it('F1, F2: a second log of one author, an order of its own or an invalid log is refused', () => {
    const first = makeMessage({ previous: null, mark: 0 });
    const [one, other] = [makeLog(NAME, first), makeLog({ ...NAME, author: AUTHORS[1] })];
    const ground = { history: new Shelf([first]), verifier };
    expect(judgeFrontier([one, other], ground)).toMatchObject({ ok: true });
    const unordered = { ok: false, reason: 'frontier-unordered' };
    expect(judgeFrontier([other, one], ground)).toEqual(unordered);
    expect(judgeFrontier([one, makeLog(NAME)], ground)).toEqual(unordered);
    expect(judgeFrontier([one], { ...ground, history: new Shelf() })).toEqual({
      ok: false,
      reason: 'last-unknown',
    });
  });

  it('have for messages all that can be reached from their last ones and from their proofs', () => {
    fc.assert(
      fc.property(scenesWithFrontiers, ({ scene, frontiers }) => {
        const [frontier] = frontiers as [Frontier];
        const reached = new Set<string>();
        const open: string[] = frontier.flatMap(({ last, forks }) => [
          ...(last === null ? [] : [last]),
          ...(forks?.branches ?? []).map((each) => each.id),
        ]);
        for (let id = open.pop(); id !== undefined; id = open.pop()) {
          if (reached.has(id)) continue;
          reached.add(id);
          open.push(...predecessorsOf(scene.messages.find((each) => each.id === id)!));
        }
        const given = [...messagesOf(frontier, scene.history, 1000)].map((each) => each.id);
        expect(given.toSorted(compareText)).toEqual([...reached].sort(compareText));
      }),
    );
  });
});

describe('what a correct author depends on', () => {
  it('is the last message of each other author of its group whose log is not forked', () => {
    fc.assert(
      fc.property(scenesWithFrontiers, fc.boolean(), ({ frontiers }, isConvicted) => {
        const [frontier] = frontiers as [Frontier];
        const convicted = new Set(isConvicted ? [AUTHORS[2]] : []);
        const expected = frontier.filter(
          (log) =>
            log.group === GROUP &&
            log.author !== NAME.author &&
            log.forks === null &&
            !(isConvicted && log.author === AUTHORS[2]),
        );
        expect(deriveDependencies(frontier, NAME, convicted)).toEqual(
          expected.map((log) => log.last).sort(),
        );
        expect(forksOf(frontier).every((log) => log.forks !== null)).toBe(true);
        expect(logsOf(frontier, GROUP).length + logsOf(frontier, OTHER_GROUP).length).toBe(
          frontier.length,
        );
      }),
    );
  });
});
