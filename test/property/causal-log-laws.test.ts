import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coveredByProof } from '../../src/log/fork-proof.ts';
import {
  adoptProof,
  append,
  coveredByFork,
  isAtMost,
  isSameState,
  type Log,
  makeLog,
  merge,
} from '../../src/log/log.ts';
import { judgeLog } from '../../src/log/log-validity.ts';
import type { LogMessage } from '../../src/log/message.ts';
import {
  AUTHORS,
  NAME,
  pathTo,
  stateOf,
  statesOf,
  type Tree,
  told,
  trees,
  treesWithMessages,
  treesWithStates,
  verifier,
} from './causal-log-tree.ts';

const joined = (tree: Tree, ...logs: readonly Log[]): Log =>
  logs.reduce((one, other) => told(merge(one, other, tree.history)));

const isLess = (tree: Tree, one: Log, other: Log): boolean =>
  told(isAtMost(one, other, tree.history));

const isAlike = (one: Log, other: Log): boolean =>
  one.last === other.last && (one.forks === null) === (other.forks === null);

const appended = (tree: Tree, messages: readonly LogMessage[]): Log =>
  messages.reduce((log, each) => append(log, each, tree.history).log, makeLog(NAME));

describe('merging states of a log', () => {
  it('is commutative, associative and idempotent, to the last branch of a proof', () => {
    fc.assert(
      fc.property(treesWithStates(3), ({ tree, states }) => {
        const [a, b, c] = states as [Log, Log, Log];
        expect(joined(tree, a, b)).toEqual(joined(tree, b, a));
        expect(joined(tree, joined(tree, a, b), c)).toEqual(joined(tree, a, joined(tree, b, c)));
        expect(joined(tree, a, a)).toBe(a);
        expect(isSameState(joined(tree, a, b), joined(tree, b, a))).toBe(true);
      }),
      { numRuns: 600 },
    );
  });

  it('finds the least upper bound: at least both, and at most whatever is at least both', () => {
    fc.assert(
      fc.property(treesWithStates(2), ({ tree, states }) => {
        const [a, b] = states as [Log, Log];
        const both = joined(tree, a, b);
        expect(isLess(tree, a, both) && isLess(tree, b, both)).toBe(true);
        for (const upper of statesOf(tree)) {
          if (isLess(tree, a, upper) && isLess(tree, b, upper)) {
            expect(isLess(tree, both, upper)).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives a state that a correct replica can be in', () => {
    fc.assert(
      fc.property(treesWithStates(2), ({ tree, states }) => {
        const [a, b] = states as [Log, Log];
        const valid = judgeLog(joined(tree, a, b), { history: tree.history, verifier });
        expect(valid).toMatchObject({ ok: true });
      }),
    );
  });

  it('knows what both know, and nothing else', () => {
    fc.assert(
      fc.property(treesWithMessages, fc.nat(20), ({ tree, picked }, cut) => {
        const [some, others] = [picked.slice(0, cut), picked.slice(cut)];
        const both = joined(tree, stateOf(tree.nodes, some), stateOf(tree.nodes, others));
        expect(both).toEqual(stateOf(tree.nodes, picked));
      }),
      { numRuns: 400 },
    );
  });
});

describe('the order of states', () => {
  it('is a partial one: reflexive, transitive, and alike is who is at most each other', () => {
    fc.assert(
      fc.property(treesWithStates(3), ({ tree, states }) => {
        const [a, b, c] = states as [Log, Log, Log];
        expect(isLess(tree, a, a)).toBe(true);
        if (isLess(tree, a, b) && isLess(tree, b, c)) expect(isLess(tree, a, c)).toBe(true);
        expect(isLess(tree, a, b) && isLess(tree, b, a)).toBe(isAlike(a, b));
      }),
      { numRuns: 600 },
    );
  });

  it('is what merging makes of it: at most another is who adds nothing to it', () => {
    fc.assert(
      fc.property(treesWithStates(2), ({ tree, states }) => {
        const [a, b] = states as [Log, Log];
        expect(isLess(tree, a, b)).toBe(isAlike(joined(tree, a, b), b));
      }),
      { numRuns: 600 },
    );
  });

  it('has growing logs below longer ones, forked ones below shorter, and none goes back', () => {
    fc.assert(
      fc.property(treesWithStates(2), ({ tree, states }) => {
        const [a, b] = states as [Log, Log];
        if (!isLess(tree, a, b) || isAlike(a, b)) return;
        expect(a.forks !== null && b.forks === null).toBe(false);
        if (a.forks !== null) expect(b.sequence).toBeLessThan(a.sequence);
        if (b.forks === null) expect(b.sequence).toBeGreaterThan(a.sequence);
      }),
    );
  });

  it('ends with a fork at the first message', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const states = statesOf(tree);
        const top = states.find((each) => each.last === null && each.forks !== null);
        if (top === undefined) return;
        for (const each of states) expect(isLess(tree, each, top)).toBe(true);
        for (const each of tree.nodes) {
          const { log } = append(top, each, tree.history);
          expect(isAlike(log, top)).toBe(true);
        }
      }),
    );
  });
});

describe('appending', () => {
  it('is merging with the log that ends with the message', () => {
    fc.assert(
      fc.property(treesWithStates(1), fc.nat(), ({ tree, states }, pick) => {
        const [log] = states as [Log];
        const message = tree.nodes[pick % tree.nodes.length]!;
        const change = append(log, message, tree.history);
        expect(change.log).toEqual(joined(tree, log, makeLog(NAME, message)));
      }),
      { numRuns: 400 },
    );
  });

  it('ends in one state, whatever the order and however often a message comes', () => {
    fc.assert(
      fc.property(treesWithMessages, fc.infiniteStream(fc.nat()), ({ tree, picked }, ranks) => {
        const shuffled = picked
          .map((each) => [ranks.next().value, each] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, each]) => each);
        const log = appended(tree, picked);
        expect(appended(tree, [...shuffled, ...picked])).toEqual(log);
        expect(log).toEqual(stateOf(tree.nodes, picked));
      }),
      { numRuns: 400 },
    );
  });

  it('only ever goes up; a fork stays for ever, and last only falls from then on', () => {
    fc.assert(
      fc.property(treesWithMessages, ({ tree, picked }) => {
        let log = makeLog(NAME);
        for (const message of picked) {
          const next = append(log, message, tree.history).log;
          expect(isLess(tree, log, next)).toBe(true);
          if (log.forks !== null) {
            expect(next.forks).not.toBeNull();
            expect(next.sequence).toBeLessThanOrEqual(log.sequence);
          }
          log = next;
        }
      }),
    );
  });

  it('says what it changed', () => {
    fc.assert(
      fc.property(treesWithStates(1), fc.nat(), ({ tree, states }, pick) => {
        const [log] = states as [Log];
        const message = tree.nodes[pick % tree.nodes.length]!;
        const { kind, log: next } = append(log, message, tree.history);
        const isBefore = log.last !== null && pathTo(tree.nodes, message).length <= log.sequence;
        const expected = {
          newer: next.forks === null && next.last === message.id && log.last !== message.id,
          known: next === log && isBefore,
          forked: log.forks === null && next.forks !== null,
          shrunk: log.forks !== null && next.sequence < log.sequence,
          covered: log.forks !== null && isAlike(log, next) && message.sequence > log.sequence,
          unknown: false,
          'too-far': false,
          misplaced: false,
        };
        expect(expected[kind]).toBe(true);
        expect(Object.values(expected).filter(Boolean)).toHaveLength(1);
      }),
      { numRuns: 400 },
    );
  });
});

describe('what a fork covers', () => {
  it('is all but the prefix that every branch has behind it', () => {
    fc.assert(
      fc.property(treesWithStates(1), ({ tree, states }) => {
        const [log] = states as [Log];
        const last = tree.nodes.find((each) => each.id === log.last);
        const prefix = last === undefined ? [] : pathTo(tree.nodes, last);
        for (const each of tree.nodes) {
          const isCovered = log.forks !== null && !prefix.includes(each);
          expect(coveredByFork(log, each, tree.history)).toBe(isCovered);
        }
      }),
    );
  });
});

describe('what a proof covers that no log has taken in', () => {
  it('is all from its place on, and is covered in every log that has', () => {
    fc.assert(
      fc.property(treesWithStates(2), ({ tree, states }) => {
        const [log, other] = states as [Log, Log];
        if (log.forks === null) return;
        const adopted = adoptProof(other, log.forks, tree.history).log;
        for (const each of tree.nodes) {
          const isCovered = coveredByProof(log.forks, each);
          if (isCovered) expect(coveredByFork(adopted, each, tree.history)).toBe(true);
          expect(isCovered).toBe(each.sequence > log.sequence);
        }
        expect(coveredByProof({ ...log.forks, author: AUTHORS[1] }, tree.nodes.at(-1)!)).toBe(
          false,
        );
      }),
    );
  });
});

/** Replicas that each get some messages and pass on messages, proofs or states. */
const gossip = trees.chain((tree) =>
  fc.record({
    tree: fc.constant(tree),
    heard: fc.array(fc.record({ who: fc.nat(2), what: fc.constantFrom(...tree.nodes) }), {
      maxLength: 20,
    }),
    told: fc.array(fc.record({ from: fc.nat(2), to: fc.nat(2), isProof: fc.boolean() }), {
      maxLength: 12,
    }),
  }),
);

describe('replicas', () => {
  it('that have told each other all hold one state: that of all messages together', () => {
    fc.assert(
      fc.property(gossip, ({ tree, heard, told: talks }) => {
        const logs = [makeLog(NAME), makeLog(NAME), makeLog(NAME)];
        for (const { who, what } of heard) {
          logs[who] = append(logs[who]!, what, tree.history).log;
        }
        for (const { from, to, isProof } of talks) {
          const { forks } = logs[from]!;
          logs[to] =
            isProof && forks !== null
              ? adoptProof(logs[to]!, forks, tree.history).log
              : joined(tree, logs[to]!, logs[from]!);
        }
        const known = heard.map(({ what }) => what);
        expect(joined(tree, ...logs)).toEqual(stateOf(tree.nodes, known));
      }),
      { numRuns: 400 },
    );
  });

  it('that hear of a fork by its proof alone find it where those do who have its messages', () => {
    fc.assert(
      fc.property(treesWithMessages, fc.nat(), ({ tree, picked }, pick) => {
        const log = stateOf(tree.nodes, picked);
        const own = tree.nodes[pick % tree.nodes.length]!;
        if (log.forks === null) return;
        const change = adoptProof(makeLog(NAME, own), log.forks, tree.history);
        expect(change.log).toEqual(stateOf(tree.nodes, [own, ...log.forks.branches]));
        expect(change.kind).toBe('forked');
        const again = adoptProof(change.log, log.forks, tree.history);
        expect(again).toEqual({ kind: 'known', log: change.log });
      }),
    );
  });
});
