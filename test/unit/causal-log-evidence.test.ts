import { describe, expect, it } from 'vitest';
import { historyWith, type LogMessage } from '../../src/log/message.ts';
import { judgeMessage, keepInvalid, type MessageFault } from '../../src/log/message-validity.ts';
import { AUTHORS, makeMessage, OTHER_GROUP, Shelf, verifier } from '../property/causal-log-tree.ts';

const [A, B] = AUTHORS;
const a1 = makeMessage({ author: A, previous: null, mark: 1 });
const a2 = makeMessage({ author: A, previous: a1, mark: 2 });
const a2bis = makeMessage({ author: A, previous: a1, mark: 3 });
const a3bis = makeMessage({ author: A, previous: a2bis, mark: 3 });
const b1 = makeMessage({ author: B, previous: null, dependencies: [a2], mark: 4 });
const alien = makeMessage({ author: A, previous: null, group: OTHER_GROUP, mark: 5 });
const known = [a1, a2, a2bis, a3bis, b1, alien];

const judge = (message: LogMessage, messages: readonly LogMessage[] = known) =>
  judgeMessage(message, { history: new Shelf(messages), verifier });

const reply = (draft: object) => makeMessage({ author: B, previous: b1, mark: 9, ...draft });

const FAULTS: readonly [MessageFault, LogMessage, readonly LogMessage[]][] = [
  ['forged', reply({ signer: A }), []],
  ['cyclic', { ...reply({}), previous: reply({}).id }, []],
  ['cyclic', { ...reply({}), dependencies: [reply({}).id] }, []],
  ['previous-misplaced', reply({ sequence: 3 }), [b1]],
  ['previous-misplaced', reply({ sequence: 1 }), []],
  ['previous-misplaced', reply({ previous: null, sequence: 2 }), []],
  ['previous-elsewhere', reply({ author: A, previous: b1 }), [b1]],
  ['previous-elsewhere', reply({ group: OTHER_GROUP, previous: b1 }), [b1]],
  ['dependency-own', reply({ dependencies: [b1] }), [b1]],
  ['dependency-elsewhere', reply({ dependencies: [alien] }), [alien]],
  ['dependency-doubled', reply({ dependencies: [a1, a2] }), [a1, a2]],
  ['dependency-backwards', reply({ dependencies: [a1] }), [b1, a2, a1]],
  ['dependency-backwards', reply({ dependencies: [a2bis] }), [b1, a2, a2bis]],
  ['dependency-backwards', reply({ dependencies: [a3bis] }), [b1, a2, a3bis]],
];

describe('a message', () => {
  it.each(FAULTS)('%s: is invalid, with the messages that show it', (fault, message, witnesses) => {
    const verdict = judge(message);
    expect(verdict).toMatchObject({ kind: 'invalid', fault });
    expect(verdict.kind === 'invalid' && new Set(verdict.witnesses)).toEqual(new Set(witnesses));
  });

  it('may go on depending on the same message, on a later one, or on none', () => {
    const a3 = makeMessage({ author: A, previous: a2, mark: 8 });
    for (const dependencies of [[a2], [a3], []]) {
      expect(judge(reply({ dependencies }), [...known, a3])).toEqual({ kind: 'valid' });
    }
  });

  it('is early while its own log or what it depends on is missing, its own log first', () => {
    const message = reply({ dependencies: [a2] });
    expect(judge(message, [])).toEqual({ kind: 'early', missing: [b1.id, a2.id] });
    expect(judge(message, [b1])).toEqual({ kind: 'early', missing: [a2.id] });
  });

  it('is not judged by a walk that is too long', () => {
    const a3 = makeMessage({ author: A, previous: a2, mark: 8 });
    const a4 = makeMessage({ author: A, previous: a3, mark: 8 });
    const history = new Shelf([...known, a3, a4]);
    const message = reply({ dependencies: [a4] });
    expect(judgeMessage(message, { history, verifier }, 3)).toEqual({ kind: 'too-far' });
    expect(judgeMessage(message, { history, verifier }, 4)).toEqual({ kind: 'valid' });
  });

  it('is taken as signed by who has judged that already', () => {
    const forged = reply({ signer: A });
    const history = new Shelf(known);
    expect(judgeMessage(forged, { history, verifier: null })).toEqual({ kind: 'valid' });
  });
});

describe('evidence of an invalid message', () => {
  const message = reply({ dependencies: [a1, a2] });

  it('is kept once for an author, and can be judged again by itself', () => {
    const kept = keepInvalid(message, judge(message), () => false)!;
    expect(kept).toMatchObject({ author: B, fault: 'dependency-doubled', message });
    expect(judge(kept.message, kept.witnesses)).toMatchObject({ fault: 'dependency-doubled' });
    expect(keepInvalid(message, judge(message), (author) => author === B)).toBeNull();
    expect(keepInvalid(message, judge(message), (author) => author === A)).not.toBeNull();
  });

  it('is never what the author did not sign, nor what is valid or early', () => {
    const forged = reply({ signer: A, dependencies: [a1, a2] });
    expect(keepInvalid(forged, judge(forged), () => false)).toBeNull();
    const fine = reply({ dependencies: [a2] });
    expect(keepInvalid(fine, judge(fine), () => false)).toBeNull();
    expect(keepInvalid(fine, judge(fine, []), () => false)).toBeNull();
  });
});

describe('a history with messages of its own', () => {
  it('finds both, and keeps the trunk of the first', () => {
    const shelf = new Shelf([a1, a2], a2);
    const both = historyWith(shelf, [b1]);
    expect([a1, b1].map((each) => both.message(each.id))).toEqual([a1, b1]);
    expect(both.message(alien.id)).toBeUndefined();
    expect(both.trunkAt({ group: a2.group, author: A }, a2.sequence)).toBe(a2.id);
  });
});
