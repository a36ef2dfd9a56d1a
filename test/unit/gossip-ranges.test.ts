import { describe, expect, it } from 'vitest';
import { answerRange } from '../../src/gossip/answers.ts';
import { compare } from '../../src/gossip/anti-entropy.ts';
import type { Message, Range } from '../../src/gossip/messages.ts';
import { Ranges } from '../../src/gossip/ranges.ts';
import type { GroupDigest } from '../../src/gossip/source.ts';
import type { Hex32 } from '../../src/model/bytes.ts';
import type { Ballot, CausalSequence, Level } from '../../src/model/numbers.ts';
import type { AvatarId, GroupId } from '../../src/model/sync-group.ts';
import { Holder } from './gossip-holder.ts';
import { idOf, payloadOf } from './gossip-samples.ts';

const GROUP = idOf('group');
const [A, B, C] = [idOf('a'), idOf('b'), idOf('c')];
const VOTERS = [A, B] as const;

/** Written as `'5:headname a3 b7'`: level, head, causal sequences; `-` where there is none. */
function placeOf(text: string, group: GroupId = GROUP): GroupDigest {
  const [chain = '-', ...tips] = text.split(' ');
  const [level = '-', head] = chain.split(':');
  return {
    group,
    finalized:
      level === '-' ? null : { level: Number(level) as Level, metablock: idOf(`m ${level}`) },
    head: head === undefined ? null : idOf(head),
    ballot: 0 as Ballot,
    issuers: tips.map((tip) => ({
      issuer: idOf(tip[0]!),
      sequence: Number.parseInt(tip.slice(1), 10) as CausalSequence,
      block: idOf(tip),
    })),
  };
}

const NAMES = new Map<Hex32, string>([A, B, C].map((each, index) => [each, 'abc'[index]!]));

/** The other way round: `'chain 6'`, `'a 4'`. */
function named(range: Range): string {
  const what = range.range === 'chain' ? 'chain' : (NAMES.get(range.issuer) ?? 'nobody');
  return `${what} ${range.from}`;
}

describe('two places in a group, compared', () => {
  it.each<[mine: string, theirs: string, lacking: string[]]>([
    ['-', '-', []],
    ['-', '- a3', ['a 1']],
    ['- a3', '- a3 b1', ['b 1']],
    ['- a3', '- a2', []],
    ['- a2', '- a9', ['a 3']],
    ['-', '4:x', ['chain 0']],
    ['4:x', '7:y', ['chain 5']],
    ['7:y', '4:x', []],
    ['4:x', '4:x', []],
    ['4:x', '4:y', ['chain 5']],
    ['4', '4:y', ['chain 5']],
    ['4:x', '4', []],
    ['3:x a5', '9:z a8 c2', ['chain 4', 'a 6', 'c 1']],
  ])('we at %s, they at %s: we lack %j', (mine, theirs, lacking) => {
    const own = new Map([[GROUP, placeOf(mine)]]);
    expect(compare(own, [placeOf(theirs)]).ranges.map(named)).toEqual(lacking);
  });

  it('stand alike, but on a new link what is open is asked for', () => {
    const own = new Map([[GROUP, placeOf('4:x')]]);
    const fresh = new Set([GROUP]);
    expect(compare(own, [placeOf('4:x')], fresh).ranges.map(named)).toEqual(['chain 5']);
    expect(compare(own, [placeOf('4')], fresh).ranges).toEqual([]);
  });

  it('show a fork where the same sequence is another Block', () => {
    const own = new Map([[GROUP, placeOf('- a3')]]);
    const theirs = placeOf('- a3');
    const forked = { ...theirs, issuers: [{ ...theirs.issuers[0]!, block: idOf('other') }] };
    expect(compare(own, [forked])).toEqual({ ranges: [], forks: [idOf('other')], proofs: [] });
    expect(compare(own, [theirs]).forks).toEqual([]);
  });

  it('ask for proofs while they know of a fork, or of an earlier one, that we do not', () => {
    const tip = placeOf('- a3').issuers[0]!;
    const at = (fork?: number, block = tip.block) => {
      const sequence = (fork === undefined ? 3 : fork - 1) as CausalSequence;
      const place = fork === undefined ? {} : { fork: fork as CausalSequence };
      return { ...placeOf('- a3'), issuers: [{ ...tip, sequence, block, ...place }] };
    };
    const asks = (own: GroupDigest, theirs: GroupDigest) =>
      compare(new Map([[GROUP, own]]), [theirs]).proofs;
    expect(asks(at(), at(3))).toEqual([GROUP]);
    expect(asks(at(3), at())).toEqual([]);
    expect(asks(at(3), at(2))).toEqual([GROUP]);
    expect(asks(at(2), at(3))).toEqual([]);
    expect(asks(at(3), at(3))).toEqual([]);
    expect(asks(at(3), at(3, idOf('other')))).toEqual([GROUP]);
  });

  it('fetch nothing of a log at or after its fork', () => {
    const tip = placeOf('- a3').issuers[0]!;
    const forked = { ...tip, sequence: 1 as CausalSequence, fork: 2 as CausalSequence };
    const own = { ...placeOf('- a3'), issuers: [forked] };
    expect(compare(new Map([[GROUP, own]]), [placeOf('- a3')]).ranges).toEqual([]);
  });
});

describe('a chunk of an answer', () => {
  const settings = { chunkBytes: 10_000, chunkBlocks: 10, chunkMetablocks: 8 };
  const holder = new Holder(A);
  for (let level = 0; level < 40; level++) {
    const block = holder.issue(GROUP, payloadOf(100));
    const metablock = holder.extend(GROUP, [block], VOTERS);
    // Only every fifth keeps its votes.
    if (level % 5 !== 4 && level < 39) holder.forgetCertificates(metablock.id);
  }

  function kindsOf(range: Range): { kinds: string[]; end: Message | undefined } {
    const messages = [...answerRange(holder, range, settings)].map((each) => each.message);
    const kinds = messages.map((each) => (each.kind === 'item' ? each.item.kind : each.kind));
    return { kinds, end: messages.at(-1) };
  }

  it('of a chain ends with Certificates, at the first Level that they prove', () => {
    const { kinds, end } = kindsOf({ range: 'chain', group: GROUP, from: 0 as Level });
    expect(kinds.slice(0, 4)).toEqual(['block', 'metablock', 'block', 'metablock']);
    expect(kinds.slice(-4)).toEqual(['metablock', 'certificate', 'certificate', 'chunk-end']);
    expect(end).toMatchObject({ range: 'chain', next: 10, end: 39 });
  });

  it('at the end of the chain goes on with the head and its Certificates', () => {
    const { kinds, end } = kindsOf({ range: 'chain', group: GROUP, from: 38 as Level });
    expect(kinds).toEqual([
      'block',
      'metablock',
      'block',
      'metablock',
      'certificate',
      'certificate',
      'chunk-end',
    ]);
    expect(end).toMatchObject({ next: 39, end: 39 });
  });

  it('beyond the end of the chain is the head alone', () => {
    const { kinds, end } = kindsOf({ range: 'chain', group: GROUP, from: 90 as Level });
    expect(kinds.filter((each) => each === 'metablock').length).toBe(1);
    expect(end).toMatchObject({ next: 90, end: 90 });
  });

  it('of a causal log ends after so many Blocks', () => {
    const from = 1 as CausalSequence;
    const { kinds, end } = kindsOf({ range: 'causal', group: GROUP, issuer: A, from });
    expect(kinds).toEqual([...new Array(10).fill('block'), 'chunk-end']);
    expect(end).toMatchObject({ range: 'causal', next: 11, end: 41 });
  });

  it('of what is not here says so', () => {
    const from = 1 as CausalSequence;
    const { kinds, end } = kindsOf({ range: 'causal', group: GROUP, issuer: B, from });
    expect(kinds).toEqual(['chunk-end']);
    expect(end).toMatchObject({ next: 1, end: 1 });
  });

  it('ends after so many bytes, with the one that went beyond', () => {
    const big = new Holder(A);
    for (let count = 0; count < 5; count++) big.issue(GROUP, payloadOf(6_000));
    const range = { range: 'causal', group: GROUP, issuer: A, from: 1 as CausalSequence } as const;
    const messages = [...answerRange(big, range, settings)].map((each) => each.message);
    expect(messages.map((each) => each.kind)).toEqual(['item', 'item', 'chunk-end']);
  });
});

describe('ranges', () => {
  /** A fetcher whose own place a test sets, and what it asked of whom. */
  function fetching(
    settings: { rangesPerPeerMax?: number; slow?: { peer: AvatarId; bytesPerSecond: number } } = {},
  ) {
    const holder = new Holder(idOf('self'));
    let places: GroupDigest[] = [];
    holder.digest = () => places;
    const asked: string[] = [];
    const wakes: number[] = [];
    const ranges = new Ranges({
      source: holder,
      paceOf: (peer) => ({
        rangesPerPeerMax: settings.rangesPerPeerMax ?? 4,
        answerMs: 5_000,
        isSlow: settings.slow?.peer === peer,
        bytesPerSecond: settings.slow?.peer === peer ? settings.slow.bytesPerSecond : null,
      }),
      send: (peer: AvatarId, message: Message) => {
        if (message.kind === 'want-range') asked.push(`${NAMES.get(peer)}: ${named(message)}`);
      },
      wake: (atMs) => wakes.push(atMs),
    });
    const observe = (peer: AvatarId, ...texts: string[]) => {
      const groups = texts.map((text, index) => placeOf(text, index === 0 ? GROUP : idOf(text)));
      ranges.observe(peer, new Map(groups.map((each) => [each.group, each])));
    };
    const end = (peer: AvatarId, issuer: AvatarId, at: { next: number; end: number; ms: number }) =>
      ranges.endChunk(
        peer,
        { kind: 'chunk-end', range: 'causal', group: GROUP, issuer, next: at.next, end: at.end },
        at.ms,
      );
    const stand = (...texts: string[]) => {
      places = texts.map((text) => placeOf(text));
    };
    return { ranges, asked, wakes, observe, end, stand };
  }

  it('are asked of one peer each, and of different peers at once', () => {
    const { ranges, asked, observe } = fetching();
    observe(A, '- a9 b9 c9');
    observe(B, '- a9 b9 c9');
    ranges.plan(0);
    expect(asked.map((each) => each.slice(3)).sort()).toEqual(['a 1', 'b 1', 'c 1']);
    expect(new Set(asked.map((each) => each[0]))).toEqual(new Set(['a', 'b']));
    ranges.plan(10);
    expect(asked.length).toBe(3);
  });

  it('go on from chunk to chunk to the end', () => {
    const { ranges, asked, observe, end } = fetching();
    observe(B, '- a9');
    ranges.plan(0);
    expect(end(B, A, { next: 4, end: 10, ms: 10 })).toBe(true);
    expect(end(B, A, { next: 8, end: 10, ms: 20 })).toBe(true);
    expect(end(B, A, { next: 10, end: 10, ms: 30 })).toBe(true);
    expect(asked).toEqual(['b: a 1', 'b: a 4', 'b: a 8']);
    expect(ranges.openCount).toBe(0);
  });

  it('bring the chain first, and Blocks that it left out after it', () => {
    const { ranges, asked, observe, stand } = fetching();
    observe(B, '6:x a5');
    ranges.plan(0);
    expect(asked).toEqual(['b: chain 0']);
    stand('6:x a3');
    const chunk = { kind: 'chunk-end', range: 'chain', group: GROUP, issuer: null } as const;
    ranges.endChunk(B, { ...chunk, next: 7, end: 7 }, 100);
    ranges.plan(200);
    expect(asked).toEqual(['b: chain 0', 'b: a 4']);
  });

  it('that nobody asked for are no answer', () => {
    const { ranges, observe, end } = fetching();
    observe(B, '- a9');
    ranges.plan(0);
    expect(end(C, A, { next: 4, end: 10, ms: 1 })).toBe(false);
    expect(end(B, C, { next: 4, end: 10, ms: 1 })).toBe(false);
    expect(end(B, A, { next: 4, end: 10, ms: 1 })).toBe(true);
    expect(end(B, A, { next: 3, end: 10, ms: 1 })).toBe(false);
  });

  it('are asked of another peer when one does not answer', () => {
    const { ranges, asked, observe } = fetching();
    observe(A, '- c9');
    observe(B, '- c9');
    ranges.plan(0);
    ranges.tick(4_999);
    expect(asked.length).toBe(1);
    ranges.tick(5_000);
    expect(new Set(asked.map((each) => each[0])).size).toBe(2);
  });

  it('are asked of another peer when one goes away', () => {
    const { ranges, asked, observe } = fetching();
    observe(A, '- c9');
    observe(B, '- c9');
    ranges.plan(0);
    ranges.removePeer(asked[0]![0] === 'a' ? A : B, 10);
    expect(new Set(asked.map((each) => each[0])).size).toBe(2);
  });

  it('of a peer that promises what it has not do not keep us from those who have it', () => {
    const { ranges, asked, observe, end } = fetching();
    observe(A, '- c999999');
    ranges.plan(0);
    for (let ms = 0; ms < 60_000; ms += 500) {
      end(A, C, { next: 1, end: 999_999, ms });
      ranges.tick(ms);
    }
    // One promise kept for a minute costs a handful of questions.
    expect(asked.length).toBeLessThan(10);
    end(A, C, { next: 1, end: 999_999, ms: 60_000 });
    observe(B, '- c9');
    ranges.plan(61_000);
    expect(asked.at(-1)).toBe('b: c 1');
  });

  it.each(['chunk-ends', 'answers'])(
    'of a peer that sends %s and nothing of use pass to another',
    (kind) => {
      const { ranges, asked, observe, end } = fetching();
      observe(A, '- c999999');
      ranges.plan(0);
      observe(B, '- c9');
      for (let ms = 4_000; ms < 100_000; ms += 4_000) {
        if (kind === 'answers') ranges.progress(A, ms);
        else end(A, C, { next: ms, end: 999_999, ms });
        ranges.tick(ms);
      }
      expect(asked).toContain('b: c 1');
    },
  );

  it('that bring us on stay with their peer, however long they take', () => {
    const { ranges, asked, observe, end, stand } = fetching();
    observe(A, '- c999999');
    ranges.plan(0);
    observe(B, '- c9');
    for (let ms = 4_000; ms < 200_000; ms += 4_000) {
      stand(`- c${ms - 1}`);
      end(A, C, { next: ms, end: 999_999, ms });
      ranges.tick(ms);
    }
    expect(asked.filter((each) => each.startsWith('b'))).toEqual([]);
  });

  it('that were to no avail are thought of again when their time comes', () => {
    const { ranges, asked, wakes, observe, end } = fetching();
    observe(B, '- c9');
    ranges.plan(0);
    end(B, C, { next: 10, end: 10, ms: 100 });
    expect(wakes).toEqual([5_000, 1_100]);
    ranges.tick(1_099);
    expect(asked.length).toBe(1);
    ranges.tick(1_100);
    expect(asked.length).toBe(2);
    end(B, C, { next: 10, end: 10, ms: 1_200 });
    ranges.tick(3_199);
    expect(asked.length).toBe(2);
    ranges.tick(3_200);
    expect(asked.length).toBe(3);
  });

  it('keep to the number that one peer may be asked for at once', () => {
    const { ranges, asked, observe } = fetching({ rangesPerPeerMax: 2 });
    observe(B, '- a9 b9 c9');
    ranges.plan(0);
    expect(asked.length).toBe(2);
  });

  it('cross a slow link only where nobody on a better one has them or gives them', () => {
    const slow = { peer: B, bytesPerSecond: 960 };
    const { ranges, asked, observe } = fetching({ slow });
    observe(A, '- c9');
    observe(B, '- b5 c9');
    ranges.plan(0);
    expect(asked).toEqual(['a: c 1', 'b: b 1']);
    ranges.tick(4_999);
    expect(asked).toEqual(['a: c 1', 'b: b 1']);
    ranges.tick(5_000);
    expect(asked).toEqual(['a: c 1', 'b: b 1', 'b: c 1']);
  });

  it('of which a long Block is under way stay with their peer, a slow drip does not', () => {
    for (const [bytes, stays] of [
      [960 * 4, true],
      [40, false],
    ] as const) {
      const slow = { peer: A, bytesPerSecond: 960 };
      const { ranges, asked, observe } = fetching({ slow });
      observe(A, '- c9');
      ranges.plan(0);
      for (let ms = 4_000; ms < 500_000; ms += 4_000) {
        ranges.progress(A, ms, bytes);
        ranges.tick(ms);
      }
      expect(asked.length === 1).toBe(stays);
    }
  });

  it('are not late while nothing is read', () => {
    const { ranges, asked, observe } = fetching();
    observe(A, '- c9');
    observe(B, '- c9');
    ranges.plan(0);
    ranges.pause(0);
    ranges.tick(100_000);
    ranges.resume(100_000);
    ranges.tick(104_999);
    expect(asked.length).toBe(1);
    ranges.tick(105_000);
    expect(asked.length).toBe(2);
  });

  it('already here when their turn comes are not asked for', () => {
    const { ranges, asked, observe, end, stand } = fetching({ rangesPerPeerMax: 1 });
    observe(B, '- a9 c9');
    ranges.plan(0);
    stand('- a9 c9');
    end(B, A, { next: 10, end: 10, ms: 10 });
    end(B, C, { next: 10, end: 10, ms: 10 });
    expect(asked.length).toBe(1);
  });
});
