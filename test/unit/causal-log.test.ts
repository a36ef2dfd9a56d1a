import { describe, expect, it } from 'vitest';
import {
  checkForkProof,
  decodeForkProof,
  encodeForkProof,
  FORK_BRANCHES_MAX,
  FORK_PROOF_BYTES_MAX,
  joinBranches,
  makeForkProof,
} from '../../src/log/fork-proof.ts';
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
import type { LogMessage } from '../../src/log/message.ts';
import { causalHistory, forkBetween, logPrefix, rangeInLog } from '../../src/log/relations.ts';
import { START } from '../../src/log/walk.ts';
import { OWNERS_MAX } from '../../src/model/sync-group.ts';
import {
  AUTHORS,
  hash,
  makeMessage,
  NAME,
  OTHER_GROUP,
  Shelf,
  verifier,
} from '../property/causal-log-tree.ts';

/** A branch of `count` messages that goes on from `from`. */
function branch(from: LogMessage | null, count: number, mark: number): LogMessage[] {
  const messages: LogMessage[] = [];
  for (let previous = from; messages.length < count; ) {
    previous = makeMessage({ previous, mark });
    messages.push(previous);
  }
  return messages;
}

// p1 p2 a3 a4 a5, and from p2 b3 b4
const trunk = branch(null, 5, 1);
const [p1, p2, a3, a4, a5] = trunk as [LogMessage, LogMessage, LogMessage, LogMessage, LogMessage];
const [b3, b4] = branch(p2, 2, 2) as [LogMessage, LogMessage];
const [c1] = branch(null, 1, 3) as [LogMessage];
const all = [...trunk, b3, b4, c1];

const history = () => new Shelf(all, a5);
const forked = (): Log => append(makeLog(NAME, a5), b4, history()).log;

describe('a log', () => {
  it('is empty at first, then ends with what was appended', () => {
    const empty = makeLog(NAME);
    expect(empty).toEqual({ ...NAME, last: null, sequence: 0, forks: null });
    const change = append(empty, p1, history());
    expect(change).toEqual({ kind: 'newer', log: makeLog(NAME, p1) });
    expect(append(change.log, a4, history())).toEqual({ kind: 'newer', log: makeLog(NAME, a4) });
  });

  it('shrinks to where its author parted from itself, with each branch’s first message', () => {
    const change = append(makeLog(NAME, a5), b4, history());
    expect(change.kind).toBe('forked');
    expect(change.log).toEqual({ ...makeLog(NAME, p2), forks: joinBranches([a3, b3]) });
    expect(append(change.log, a5, history())).toEqual({ kind: 'covered', log: change.log });
    expect(append(change.log, p1, history())).toEqual({ kind: 'known', log: change.log });
    const shrunk = append(change.log, c1, history());
    expect(shrunk.kind).toBe('shrunk');
    expect(shrunk.log).toEqual({ ...makeLog(NAME), forks: joinBranches([p1, c1]) });
  });

  it('is the same object while nothing changes', () => {
    const log = makeLog(NAME, a5);
    expect(append(log, a3, history()).log).toBe(log);
    expect(append(forked(), b4, history()).log).toEqual(forked());
    const proven = forked();
    expect(adoptProof(proven, proven.forks!, history()).log).toBe(proven);
  });

  it('is in the same state as another exactly when every part is', () => {
    const [log, branches] = [forked(), [a3, b3, makeMessage({ previous: p2, mark: 9 })]];
    expect(isSameState(log, forked())).toBe(true);
    const others: Log[] = [
      { ...log, group: OTHER_GROUP },
      { ...log, author: AUTHORS[1] },
      { ...log, last: p1.id },
      { ...log, forks: null },
      { ...log, forks: joinBranches(branches) },
      { ...log, forks: joinBranches(branches.slice(1)) },
    ];
    for (const other of others) expect(isSameState(log, other)).toBe(false);
    expect(isSameState(makeLog(NAME, p1), makeLog(NAME, p2))).toBe(false);
  });

  it('never sends back what stood before the fork', () => {
    const log = forked();
    const covered = all.filter((each) => coveredByFork(log, each, history()));
    expect(covered).toEqual([a3, a4, a5, b3, b4, c1]);
    expect(all.some((each) => coveredByFork(makeLog(NAME, a5), each, history()))).toBe(false);
  });

  it('spares a prefix that is gone from the disk', () => {
    expect(coveredByFork(forked(), p1, new Shelf())).toBe(false);
    expect(coveredByFork(forked(), a3, new Shelf())).toBe(true);
  });

  it('is not below a fork late on another branch, of which that one says nothing', () => {
    const late = append(makeLog(NAME, a5), makeMessage({ previous: a4, mark: 9 }), history()).log;
    expect(late.last).toBe(a4.id);
    expect(isAtMost(makeLog(NAME, b3), late, history())).toEqual({ ok: true, value: false });
    expect(isAtMost(makeLog(NAME, a5), late, history())).toEqual({ ok: true, value: true });
    expect(isAtMost(late, makeLog(NAME, a5), history())).toEqual({ ok: true, value: false });
  });

  it('is merged with no other author’s, nor with one of another group', () => {
    const other = makeLog({ ...NAME, author: AUTHORS[1] });
    expect(() => merge(makeLog(NAME), other, history())).toThrow('two states of one log');
    const elsewhere = makeLog({ ...NAME, group: OTHER_GROUP });
    expect(() => isAtMost(makeLog(NAME), elsewhere, history())).toThrow('two states of one log');
    expect(() => coveredByFork(other, p1, history())).toThrow('message’s log');
  });
});

describe('a proof from a peer', () => {
  const proof = joinBranches([a3, b3]);

  it('shrinks the log of whoever has only one branch, or only what was before', () => {
    for (const last of [a5, b4, p2]) {
      const change = adoptProof(makeLog(NAME, last), proof, history());
      expect(change).toEqual({ kind: 'forked', log: forked() });
    }
  });

  it('waits for the message that it follows, and counts once that is there', () => {
    const early = new Shelf([p1], p1);
    const log = makeLog(NAME, p1);
    expect(adoptProof(log, proof, early)).toEqual({ kind: 'unknown', log, missing: p2.id });
    expect(adoptProof(makeLog(NAME), proof, new Shelf()).kind).toBe('unknown');
    const late = append(log, p2, early).log;
    expect(adoptProof(late, proof, new Shelf([p1, p2], p2)).kind).toBe('forked');
  });

  it('needs no message that is gone while its place in the trunk is known', () => {
    const pruned = history();
    for (const each of [p1, p2]) pruned.messages.delete(each.id);
    expect(adoptProof(makeLog(NAME, a5), proof, pruned).kind).toBe('forked');
  });

  it('proves no fork when it lies about its place', () => {
    const lies = [1, 2].map((mark) => makeMessage({ previous: p2, sequence: 9, mark }));
    const stray = [1, 2].map((mark) => makeMessage({ previous: p2, author: AUTHORS[1], mark }));
    const log = makeLog(NAME, a5);
    expect(adoptProof(log, joinBranches(lies), history())).toEqual({ kind: 'misplaced', log });
    const other = makeLog({ ...NAME, author: AUTHORS[1] });
    expect(adoptProof(other, joinBranches(stray), history()).kind).toBe('misplaced');
  });

  it('takes the earlier of two forks, in whichever order they come', () => {
    const first = joinBranches([p1, c1]);
    const change = adoptProof(forked(), first, history());
    expect(change).toMatchObject({ kind: 'shrunk', log: { last: null, forks: first } });
    expect(adoptProof(change.log, proof, history())).toEqual({ kind: 'known', log: change.log });
  });
});

describe('a walk', () => {
  it('costs as many look-ups as the branch beside the trunk is long, not the log', () => {
    const long = branch(null, 400, 7);
    const side = branch(long[9]!, 3, 8);
    const shelf = new Shelf([...long, ...side], long.at(-1)!);
    const change = append(makeLog(NAME, long.at(-1)!), side[2]!, shelf);
    expect(change.log.last).toBe(long[9]!.id);
    expect(shelf.lookUps).toBeLessThan(30);
  });

  it('finds in few steps that the place is gone from the disk, and what is missing', () => {
    const long = branch(null, 400, 7);
    const shelf = new Shelf(long.slice(250), null);
    for (const [index, each] of long.entries()) if (index >= 250) shelf.trunk[index] = each;
    const log = makeLog(NAME, long.at(-1)!);
    const missing = long[249]!.id;
    expect(adoptProof(log, joinBranches([p1, c1]), shelf)).toEqual({
      kind: 'unknown',
      log,
      missing,
    });
    expect(shelf.lookUps).toBeLessThan(20);
  });

  it('looks nothing up when a message follows the last one', () => {
    const shelf = new Shelf();
    expect(append(makeLog(NAME, a4), a5, shelf).kind).toBe('newer');
    expect(shelf.lookUps).toBe(0);
  });

  it('stops at its limit and leaves the log alone', () => {
    const bare = new Shelf(all);
    const log = makeLog(NAME, a5);
    expect(append(log, b4, bare, 5)).toEqual({ kind: 'too-far', log });
    expect(append(log, b4, bare, 50).kind).toBe('forked');
    expect(merge(log, makeLog(NAME, b4), bare, 5)).toEqual({ ok: false, reason: 'too-far' });
  });

  it('names the message that it lacks', () => {
    const torn = new Shelf(all.filter((each) => each !== a3));
    const log = makeLog(NAME, a5);
    expect(append(log, b4, torn)).toEqual({ kind: 'unknown', log, missing: a3.id });
  });
});

describe('relations in a log', () => {
  it('the prefix of two branches is where they part, and none if at the first message', () => {
    const at = (one: LogMessage, other: LogMessage) => logPrefix(one, other, history());
    expect(at(a5, b4)).toEqual({ ok: true, value: { id: p2.id, sequence: 2 } });
    expect(at(a5, a3)).toEqual({ ok: true, value: { id: a3.id, sequence: 3 } });
    expect(at(a5, c1)).toEqual({ ok: true, value: START });
  });

  it('two messages prove a fork exactly when they are beside each other', () => {
    const at = (one: LogMessage, other: LogMessage) => forkBetween(one, other, history());
    expect(at(a5, b4)).toEqual({ ok: true, value: joinBranches([a3, b3]) });
    expect(at(a5, p1)).toEqual({ ok: true, value: null });
    expect(at(a5, a5)).toEqual({ ok: true, value: null });
    const other = makeMessage({ previous: null, author: AUTHORS[1], mark: 1 });
    expect(at(a5, other)).toEqual({ ok: true, value: null });
  });

  it('a range holds what one has behind it and the other has not', () => {
    const range = (after: LogMessage | null, upTo: LogMessage) => [
      ...rangeInLog(after, upTo, history()),
    ];
    expect(range(p1, a4)).toEqual([a4, a3, p2]);
    expect(range(null, a3)).toEqual([a3, p2, p1]);
    expect(range(a4, a4)).toEqual([]);
    expect(range(a4, p1)).toEqual([]);
    expect(range(b4, a4)).toEqual([a4, a3]);
    expect(range(c1, p1)).toEqual([p1]);
  });

  it('a range says how it ended', () => {
    const end = (shelf: Shelf, stepsMax: number) => {
      const range = rangeInLog(null, a5, shelf, stepsMax);
      for (let next = range.next(); ; next = range.next()) if (next.done) return next.value;
    };
    expect(end(history(), 5)).toEqual({ ok: true, value: 5 });
    expect(end(history(), 4)).toEqual({ ok: false, reason: 'too-far' });
    const torn = new Shelf(all.filter((each) => each !== p2));
    expect(end(torn, 5)).toEqual({ ok: false, reason: 'unknown', missing: p2.id });
  });

  it('a causal history gives what is here and says how it ended', () => {
    const listen = makeMessage({ previous: null, author: AUTHORS[1], dependencies: [a4], mark: 1 });
    const walk = (shelf: Shelf, messagesMax: number) => {
      const given: LogMessage[] = [];
      const past = causalHistory([listen.id, listen.id], shelf, messagesMax);
      for (let next = past.next(); ; next = past.next()) {
        if (next.done) return { count: given.length, end: next.value };
        given.push(next.value);
      }
    };
    const whole = new Shelf([...all, listen]);
    expect(walk(whole, 5)).toEqual({ count: 5, end: { ok: true, value: 5 } });
    expect(walk(whole, 4)).toEqual({ count: 4, end: { ok: false, reason: 'too-far' } });
    const torn = new Shelf([a4, a3, listen]);
    const end = { ok: false, reason: 'unknown', missing: p2.id };
    expect(walk(torn, 5)).toEqual({ count: 3, end });
  });
});

describe('a fork proof', () => {
  const branches = Array.from({ length: FORK_BRANCHES_MAX + 2 }, (_, mark) =>
    makeMessage({ previous: p2, mark: mark + 10 }),
  );

  it('keeps the lowest ids, in order, whatever order they come in', () => {
    const lowest = branches.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, FORK_BRANCHES_MAX);
    expect(joinBranches(branches).branches).toEqual(lowest);
    expect(joinBranches(branches.toReversed())).toEqual(joinBranches(branches));
  });

  it('takes two different messages of one place', () => {
    const single = { ok: false, reason: 'fork-single' };
    expect(makeForkProof([])).toEqual(single);
    expect(makeForkProof([a3, a3])).toEqual(single);
    const mixed = { ok: false, reason: 'fork-mixed' };
    const aliens = [
      a4,
      makeMessage({ previous: p2, author: AUTHORS[1], mark: 1 }),
      makeMessage({ previous: p2, group: OTHER_GROUP, mark: 1 }),
      makeMessage({ previous: p2, sequence: 9, mark: 1 }),
      makeMessage({ previous: p1, sequence: a3.sequence, mark: 1 }),
    ];
    for (const alien of aliens) expect(makeForkProof([a3, alien])).toEqual(mixed);
    const orphans = [1, 2].map((mark) => ({
      ...makeMessage({ previous: p2, mark }),
      previous: null,
    }));
    expect(makeForkProof(orphans)).toEqual(mixed);
  });

  it('convicts by the author’s own signatures alone', () => {
    const proof = joinBranches([a3, b3]);
    expect(checkForkProof(verifier, proof)).toEqual({ ok: true, value: proof });
    const forgery = makeMessage({ previous: p2, mark: 5, signer: AUTHORS[1] });
    const forged = { ok: false, reason: 'fork-forged' };
    expect(checkForkProof(verifier, joinBranches([a3, forgery]))).toEqual(forged);
    expect(checkForkProof(verifier, joinBranches([b3, forgery]))).toEqual(forged);
  });

  it('travels with at most its branches, each of the longest header', () => {
    const others = Array.from({ length: OWNERS_MAX }, (_, mark) =>
      makeMessage({ previous: null, author: AUTHORS[1], mark }),
    );
    const widest = joinBranches(
      [1, 2, 3, 4].map((mark) => makeMessage({ previous: p2, dependencies: others, mark })),
    );
    const bytes = encodeForkProof(widest);
    expect(bytes.length).toBeLessThanOrEqual(FORK_PROOF_BYTES_MAX);
    expect(decodeForkProof(hash, bytes)).toEqual({ ok: true, value: widest });
    const long = decodeForkProof(hash, new Uint8Array(FORK_PROOF_BYTES_MAX + 1));
    expect(long).toEqual({ ok: false, reason: 'fork-malformed', detail: 'too long' });
  });

  it('has one form: other orders, doubles, counts and places are refused', () => {
    const proof = joinBranches([a3, b3]);
    const spoilt = (messages: readonly LogMessage[]) => {
      const read = decodeForkProof(hash, encodeForkProof({ ...proof, branches: messages }));
      return read.ok ? 'read' : read.reason;
    };
    expect(spoilt(proof.branches)).toBe('read');
    expect(spoilt(proof.branches.toReversed())).toBe('fork-malformed');
    expect(spoilt([a3, a3])).toBe('fork-malformed');
    expect(spoilt([a3])).toBe('fork-single');
    expect(spoilt([])).toBe('fork-single');
    expect(spoilt(branches.toSorted((a, b) => (a.id < b.id ? -1 : 1)))).toBe('fork-malformed');
    expect(spoilt([a3, a4].sort((a, b) => (a.id < b.id ? -1 : 1)))).toBe('fork-mixed');
  });
});
