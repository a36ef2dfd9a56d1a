import { afterEach, describe, expect, test } from 'vitest';
import { InvariantError } from '../../src/model/invariant.ts';
import type {
  Ballot,
  CausalSequence,
  EntrySequence,
  Generation,
  Level,
} from '../../src/model/numbers.ts';
import { groupNumberOf, type SyncGroup } from '../../src/model/sync-group.ts';
import type { EvidenceRecord, Store, StoredVote } from '../../src/ports/store.ts';
import {
  ada,
  bert,
  blockAfter,
  blocksOf,
  certificateOf,
  cleo,
  door,
  finalize,
  forkOf,
  groupOf,
  idOf,
  introduce,
  metablockAfter,
  pactOf,
  payloadOf,
  type Stackable,
  stack,
} from './store-samples.ts';

const two = groupOf(door, ada, bert);
const alone = groupOf(door, ada);

function voteOf(group: SyncGroup, ballot: number): StoredVote {
  return {
    group: group.id,
    ballot: ballot as Ballot,
    votedBallot: ballot as Ballot,
    votes: [idOf('m1'), idOf('m2')],
    lock: ballot % 2 === 0 ? null : { metablock: idOf('m1'), ballot: ballot as Ballot },
    highestCertified: -1 as Generation,
    highestFinalizable: 4 as Generation,
  };
}

function evidenceOf(offender: typeof ada, index: number): EvidenceRecord {
  return {
    id: idOf(`evidence ${offender} ${index}`),
    group: index % 2 === 0 ? null : two.id,
    offender,
    kind: 'forked-log',
    items: [new Uint8Array([index]), new Uint8Array(0)],
    seenAtMs: index,
  };
}

const sequences = (records: readonly { block: { sequence: number } }[]) =>
  records.map(({ block }) => block.sequence);

/** What holds for every store. `open` gives a new and empty one. */
export function storeContract(name: string, open: () => Store): void {
  let opened: Store[] = [];

  function fresh(): Store {
    const store = open();
    opened.push(store);
    return store;
  }

  /** A store that knows the Pact `door`, a group of two owners and one of a single owner. */
  function furnished(): Store {
    const store = fresh();
    introduce(store, door, two, alone);
    return store;
  }

  afterEach(() => {
    for (const store of opened) store.close();
    opened = [];
  });

  describe(`${name}: transactions`, () => {
    test('a throw takes everything back, and the same works afterwards', () => {
      const store = fresh();
      const other = pactOf('lamp', { lit: { type: 'boolean' } });
      const [block] = blocksOf(two, ada, [[['front', true]]]);
      const attempt = (fail: boolean) =>
        store.transaction(() => {
          store.putPact(door);
          store.putPact(other);
          store.putGroup(two);
          store.putBlock(block!.block, block!.payload);
          store.putSetting('a', new Uint8Array([1]));
          store.finalize({ group: two.id, chain: null, blocks: [block!] });
          if (fail) throw new RangeError('changed my mind');
        });
      expect(() => attempt(true)).toThrow(RangeError);
      expect([store.pacts(), store.groups(), store.setting('a')]).toEqual([[], [], null]);
      expect(store.block(block!.block.id)).toBeNull();
      expect(store.lastSequence(two.id)).toBe(0);
      attempt(false);
      expect(store.pacts().map((each) => each.table)).toEqual(['door', 'lamp']);
      expect(store.lastSequence(two.id)).toBe(1);
    });

    test('return what the work returns, and reads inside see its writes', () => {
      const store = fresh();
      const read = store.transaction(() => {
        store.putSetting('a', new Uint8Array([7]));
        return store.setting('a');
      });
      expect(read).toEqual(new Uint8Array([7]));
    });

    test('a write outside one is refused, and so are one within another and a promise', () => {
      const store = furnished();
      const [block] = blocksOf(two, ada, [[['front', true]]]);
      const writes: (() => unknown)[] = [
        () => store.putSetting('a', new Uint8Array()),
        () => store.putPact(pactOf('lamp', { lit: { type: 'boolean' } })),
        () => store.putGroup(groupOf(door, cleo)),
        () => store.putBlock(block!.block, null),
        () => store.putMetablock(metablockAfter(null, [two])),
        () => store.putVote(voteOf(two, 1)),
        () => store.transaction(() => store.transaction(() => 1)),
        () => store.transaction(async () => 1),
      ];
      for (const write of writes) expect(write).toThrow(InvariantError);
      expect(store.transaction(() => 'still works')).toBe('still works');
      expect(store.block(block!.block.id)).toBeNull();
    });
  });

  describe(`${name}: what is put reads back`, () => {
    test('settings, Avatars and links; the last word counts', () => {
      const store = fresh();
      store.transaction(() => {
        store.putSetting('a', new Uint8Array([1]));
        store.putSetting('a', new Uint8Array([2]));
        store.putAvatar({ id: ada, name: 'ada', seenAtMs: 1 });
        store.putAvatar({ id: ada, name: 'Ada', seenAtMs: 2 });
        store.putAvatar({ id: bert, name: 'bert', seenAtMs: 3 });
        for (const url of ['tcp://b:1', 'tcp://a:1', 'tcp://b:1']) store.putPeerUrl(url);
      });
      expect(store.setting('a')).toEqual(new Uint8Array([2]));
      expect(store.setting('b')).toBeNull();
      expect(new Set(store.avatars())).toEqual(
        new Set([
          { id: ada, name: 'Ada', seenAtMs: 2 },
          { id: bert, name: 'bert', seenAtMs: 3 },
        ]),
      );
      expect(store.peerUrls()).toEqual(['tcp://a:1', 'tcp://b:1']);
    });

    test('Pacts and Sync Groups, each once', () => {
      const store = furnished();
      introduce(store, door, two, alone);
      expect(store.pacts()).toEqual([{ pact: door, table: 'door' }]);
      expect(store.groups()).toHaveLength(2);
      expect(store.groups()).toEqual(expect.arrayContaining([two, alone]));
    });

    test('Blocks with and without their payload, which may come later and only once', () => {
      const store = furnished();
      const [block] = blocksOf(two, ada, [[['front', true]]]);
      const { id } = block!.block;
      expect([store.block(id), store.payload(id)]).toEqual([null, null]);
      const put = (payload: Uint8Array | null) =>
        store.transaction(() => store.putBlock(block!.block, payload));
      put(null);
      expect(store.block(id)).toEqual({ block: block!.block, held: false, final: false });
      expect(store.missingPayloads(two.id, 10)).toEqual([id]);
      put(block!.payload);
      put(block!.payload);
      put(null);
      expect(store.block(id)).toEqual({ block: block!.block, held: true, final: false });
      expect(store.payload(id)).toEqual(block!.payload);
      expect(store.missingPayloads(two.id, 10)).toEqual([]);
      expect(store.blocks(two.id, ada, 1 as CausalSequence, 10)).toHaveLength(1);
    });

    test('Metablocks and Certificates, each once', () => {
      const store = furnished();
      const metablock = metablockAfter(null, [two, alone], [idOf('block')]);
      const words = [
        certificateOf(metablock.id, ada, two),
        certificateOf(metablock.id, bert, two),
        certificateOf(metablock.id, ada, two, 1),
        certificateOf(idOf('another'), ada, two),
      ];
      for (const _ of [1, 2]) {
        store.transaction(() => {
          store.putMetablock(metablock);
          for (const word of words) store.putCertificate(word);
        });
      }
      expect(store.metablock(metablock.id)).toEqual(metablock);
      expect(store.metablock(idOf('another'))).toBeNull();
      expect(store.certificates(metablock.id)).toHaveLength(3);
      expect(store.certificates(metablock.id)).toEqual(expect.arrayContaining(words.slice(0, 3)));
    });

    test('a vote takes the place of the one before it', () => {
      const store = furnished();
      store.transaction(() => {
        store.putVote(voteOf(two, 1));
        store.putVote(voteOf(alone, 7));
        store.putVote(voteOf(two, 2));
      });
      expect(store.votes()).toHaveLength(2);
      expect(store.votes()).toEqual(expect.arrayContaining([voteOf(two, 2), voteOf(alone, 7)]));
    });

    test('one fork proof for each log, when one was first seen, and how often it fell', () => {
      const store = furnished();
      const [one, two_, three] = blocksOf(two, ada, [[['a', true]], [['b', true]], [['c', true]]]);
      const late = forkOf(two, ada, three);
      const earlier = forkOf(two, ada, one);
      const ofBert = forkOf(two, bert);
      expect(store.forks()).toEqual([]);
      store.transaction(() => {
        store.putFork(late, 10);
        store.putFork(ofBert, 11);
        store.putFork(forkOf(two, ada, two_), 12);
      });
      store.transaction(() => store.putFork(earlier, 13));
      expect(store.forks()).toEqual([
        { proof: earlier, seenAtMs: 10, lowered: 2 },
        { proof: ofBert, seenAtMs: 11, lowered: 0 },
      ]);
      expect(() => store.putFork(late, 14)).toThrow(InvariantError);
    });

    test('no fork proof of a turn that was taken back', () => {
      const store = furnished();
      const attempt = () =>
        store.transaction(() => {
          store.putFork(forkOf(two, ada), 1);
          throw new RangeError('changed my mind');
        });
      expect(attempt).toThrow(RangeError);
      expect(store.forks()).toEqual([]);
    });

    test('where a log ends: past no gap, and on the branch that is final where it forks', () => {
      const store = furnished();
      const all = blocksOf(two, ada, [[['a', true]], [['b', true]], [['c', true]]]);
      const [one, second, third] = all;
      const beside = blockAfter(one!, two, ada, [['d', true]]);
      const tip = () => store.tip(two.id, ada);
      const end = ({ block }: Stackable) => {
        return { issuer: ada, sequence: block.sequence, block: block.id };
      };
      expect(tip()).toBeNull();
      stack(store, one!, third!);
      expect(tip()).toEqual(end(one!));
      stack(store, second!);
      expect(tip()).toEqual(end(third!));
      expect(store.tip(two.id, bert)).toBeNull();
      stack(store, beside);
      expect(tip()).toEqual(end(third!));
      finalize(store, two, [one!, beside]);
      expect(tip()).toEqual(end(beside));
      expect(store.frontier(two.id)).toEqual([end(beside)]);
      expect(sequences(store.blocks(two.id, ada, 2 as CausalSequence, 9))).toEqual([2, 2, 3]);
      expect(store.blocks(two.id, ada, 2 as CausalSequence, 1)[0]!.block.id).toBe(beside.block.id);
    });

    test('evidence, and no offender pushes out what stands against others', () => {
      const store = furnished();
      store.transaction(() => {
        for (let index = 0; index < 40; index++) store.putEvidence(evidenceOf(ada, index));
        store.putEvidence(evidenceOf(bert, 100));
        store.putEvidence(evidenceOf(bert, 100));
      });
      const kept = store.evidence(100);
      expect(kept.filter((each) => each.offender === ada)).toHaveLength(16);
      expect(kept.at(-1)).toEqual(evidenceOf(bert, 100));
      expect(kept[1]).toEqual(evidenceOf(ada, 1));
      expect(store.evidence(3)).toHaveLength(3);
    });

    test('bytes that were read or put are nobody else’s', () => {
      const store = furnished();
      const [block] = blocksOf(two, ada, [[['front', true]]]);
      stack(store, block!);
      store.payload(block!.block.id)!.fill(0);
      store.block(block!.block.id)!.block.bytes.fill(0);
      expect(store.payload(block!.block.id)).toEqual(block!.payload);
      expect(store.block(block!.block.id)!.block).toEqual(block!.block);
    });
  });

  describe(`${name}: the Block Stack`, () => {
    test('Blocks of one Causal Group ascend, from where and as many as asked', () => {
      const store = furnished();
      const mine = blocksOf(two, ada, Array(5).fill([['front', true]]));
      const others = blocksOf(two, bert, Array(2).fill([['back', true]]));
      stack(store, mine[2]!, mine[0]!, ...others, mine[4]!, mine[1]!, mine[3]!);
      const from = (sequence: number, limit: number) =>
        sequences(store.blocks(two.id, ada, sequence as CausalSequence, limit));
      expect(from(1, 10)).toEqual([1, 2, 3, 4, 5]);
      expect(from(2, 2)).toEqual([2, 3]);
      expect(from(6, 2)).toEqual([]);
      expect(store.blocks(alone.id, ada, 1 as CausalSequence, 10)).toEqual([]);
      expect(store.blocks(idOf('no group'), ada, 1 as CausalSequence, 10)).toEqual([]);
    });

    test('the frontier stops before a gap, and passes it when the gap is filled', () => {
      const store = furnished();
      const mine = blocksOf(two, ada, Array(4).fill([['front', true]]));
      const frontier = () =>
        store.frontier(two.id).map(({ issuer, sequence, block }) => {
          expect([issuer, block]).toEqual([ada, mine[sequence - 1]!.block.id]);
          return sequence;
        });
      stack(store, mine[1]!);
      expect(frontier()).toEqual([]);
      stack(store, mine[0]!, mine[3]!);
      expect(frontier()).toEqual([2]);
      stack(store, mine[2]!);
      expect(frontier()).toEqual([4]);
      expect(store.finalFrontier(two.id)).toEqual([]);
    });

    test('a Block that does not continue its Causal Group is no part of the frontier', () => {
      const store = furnished();
      const mine = blocksOf(two, ada, [[['front', true]], [['front', false]]]);
      const rival = blocksOf(two, ada, [[['back', true]], [['back', false]]]);
      stack(store, mine[0]!, rival[1]!);
      expect(store.frontier(two.id)).toMatchObject([{ sequence: 1, block: mine[0]!.block.id }]);
      stack(store, mine[1]!);
      expect(store.frontier(two.id)).toMatchObject([{ sequence: 2, block: mine[1]!.block.id }]);
    });

    test('pending are those that are not final, in causal order per issuer', () => {
      const store = furnished();
      const mine = blocksOf(two, ada, Array(3).fill([['front', true]]));
      const others = blocksOf(two, bert, Array(2).fill([['back', true]]));
      stack(store, mine[2]!, mine[1]!, ...others, mine[0]!);
      const pending = () =>
        [ada, bert].map((issuer) =>
          sequences(store.pendingBlocks(two.id).filter(({ block }) => block.issuer === issuer)),
        );
      expect(pending()).toEqual([
        [1, 2, 3],
        [1, 2],
      ]);
      finalize(store, two, [mine[0]!, others[0]!, mine[1]!]);
      expect(pending()).toEqual([[3], [2]]);
      expect(
        store
          .finalFrontier(two.id)
          .map(({ sequence }) => sequence)
          .sort(),
      ).toEqual([1, 2]);
      expect(store.block(mine[0]!.block.id)!.final).toBe(true);
      expect(store.block(mine[2]!.block.id)!.final).toBe(false);
    });

    test('payloads that are missing are named, as many as asked', () => {
      const store = furnished();
      const mine = blocksOf(two, ada, Array(3).fill([['front', true]]));
      store.transaction(() => {
        for (const { block } of mine) store.putBlock(block, null);
        store.putBlock(mine[1]!.block, mine[1]!.payload);
      });
      const ids = [mine[0]!, mine[2]!].map(({ block }) => block.id);
      expect(store.missingPayloads(two.id, 10)).toEqual(ids);
      expect(store.missingPayloads(two.id, 1)).toEqual(ids.slice(0, 1));
      expect(store.missingPayloads(alone.id, 10)).toEqual([]);
    });
  });

  describe(`${name}: finality`, () => {
    const rows = [
      [
        ['front', true],
        ['back', true],
      ],
      [['front', false]],
      [
        ['side', true],
        ['side', false],
        ['back', false],
      ],
    ] as const;

    test('Entries get consecutive numbers in the order of the Blocks', () => {
      const store = furnished();
      const mine = blocksOf(two, ada, rows.slice(0, 2));
      const [other] = blocksOf(two, bert, [rows[2]]);
      stack(store, ...mine, other!);
      expect(finalize(store, two, [mine[0]!])).toBe(2);
      expect(finalize(store, two, [other!, mine[1]!])).toBe(6);
      expect(store.lastSequence(two.id)).toBe(6);
      const all = store.entries(two.id, 1 as EntrySequence, 100);
      expect(all.map(({ sequence, index, block }) => [sequence, index, block])).toEqual([
        [1, 0, mine[0]!.block.id],
        [2, 1, mine[0]!.block.id],
        [3, 0, other!.block.id],
        [4, 1, other!.block.id],
        [5, 2, other!.block.id],
        [6, 0, mine[1]!.block.id],
      ]);
      const texts = all.map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes!)));
      expect(texts).toEqual([...rows[0], ...rows[2], ...rows[1]]);
      expect(all[2]).toMatchObject({ issuer: bert, atMs: other!.block.atMs });
    });

    test('Entries are read from anywhere, as many as asked', () => {
      const store = furnished();
      const mine = blocksOf(two, ada, rows);
      stack(store, ...mine);
      finalize(store, two, mine);
      for (let from = 0; from <= 7; from++) {
        for (let limit = 0; limit <= 7; limit++) {
          const read = store.entries(two.id, from as EntrySequence, limit);
          const first = Math.max(1, from);
          const count = Math.max(0, Math.min(limit, 7 - first));
          expect(read.map(({ sequence }) => sequence)).toEqual(
            Array.from({ length: count }, (_, index) => first + index),
          );
        }
      }
    });

    test('a final Block without its payload has numbers and no bytes until it comes', () => {
      const store = furnished();
      const mine = blocksOf(two, ada, rows);
      store.transaction(() => {
        for (const { block, payload } of mine) {
          store.putBlock(block, block.sequence === 2 ? null : payload);
        }
      });
      finalize(store, two, mine);
      const bytes = () => store.entries(two.id, 3 as EntrySequence, 2).map((each) => each.bytes);
      expect(bytes()).toEqual([null, expect.any(Uint8Array)]);
      store.transaction(() => {
        store.putBlock(mine[1]!.block, mine[1]!.payload);
        store.projectLate(mine[1]!.block.id, mine[1]!.entries);
      });
      expect(bytes()).toEqual([expect.any(Uint8Array), expect.any(Uint8Array)]);
      expect(store.lastSequence(two.id)).toBe(6);
    });

    test('a chain grows by one Level, and its head is the last of it', () => {
      const store = furnished();
      const mine = blocksOf(two, ada, rows);
      stack(store, ...mine);
      expect(store.finalizedHead(two.id)).toBeNull();
      finalize(store, two, mine.slice(0, 1), { id: idOf('m0'), level: 0 });
      finalize(store, two, [], { id: idOf('m1'), level: 1 });
      finalize(store, two, mine.slice(1), { id: idOf('m2'), level: 2 });
      const record = (level: number, metablock: string, lastSequence: number) => {
        return { group: two.id, level, metablock: idOf(metablock), lastSequence };
      };
      expect(store.finalizedHead(two.id)).toEqual(record(2, 'm2', 6));
      expect(store.chain(two.id, 0 as Level, 2)).toEqual([record(0, 'm0', 2), record(1, 'm1', 2)]);
      expect(store.chain(two.id, 2 as Level, 9)).toEqual([record(2, 'm2', 6)]);
      expect(store.chain(alone.id, 0 as Level, 9)).toEqual([]);
    });

    test('groups number their Entries apart', () => {
      const store = furnished();
      const [here] = blocksOf(two, ada, [rows[0]]);
      const [there] = blocksOf(alone, ada, [rows[2]]);
      stack(store, here!, there!);
      expect(finalize(store, alone, [there!])).toBe(3);
      expect(finalize(store, two, [here!])).toBe(2);
      expect(store.entries(two.id, 1 as EntrySequence, 9)).toHaveLength(2);
      expect(store.entries(idOf('no group'), 1 as EntrySequence, 9)).toEqual([]);
      expect([store.lastSequence(idOf('no group')), store.finalizedHead(idOf('none'))]).toEqual([
        0,
        null,
      ]);
    });

    test('groups whose ids begin alike are kept apart', () => {
      const store = furnished();
      const twin = { ...alone, id: alone.id.replace(/.$/, '0') as typeof alone.id };
      const third = { ...alone, id: alone.id.replace(/..$/, '11') as typeof alone.id };
      expect(groupNumberOf(twin.id)).toBe(groupNumberOf(third.id));
      introduce(store, door, twin, third);
      const all = [alone, twin, third].map((group) => blocksOf(group, ada, [rows[0]])[0]!);
      stack(store, ...all);
      [alone, twin, third].forEach((group, index) => {
        expect(finalize(store, group, [all[index]!])).toBe(2);
      });
      for (const group of [alone, twin, third]) {
        expect(store.entries(group.id, 1 as EntrySequence, 9)).toHaveLength(2);
      }
      expect(store.groups()).toHaveLength(new Set([two, alone, twin, third].map((g) => g.id)).size);
    });

    test('what may not happen does not: final twice, a Level left out, a Block unknown', () => {
      const store = furnished();
      const mine = blocksOf(two, ada, rows);
      stack(store, mine[0]!);
      finalize(store, two, [mine[0]!], { id: idOf('m0'), level: 0 });
      const attempts: (() => unknown)[] = [
        () => finalize(store, two, [mine[0]!]),
        () => finalize(store, two, [mine[1]!]),
        () => finalize(store, two, [], { id: idOf('m2'), level: 2 }),
        () => finalize(store, two, [], { id: idOf('m2'), level: 0 }),
        () => finalize(store, alone, [mine[0]!]),
        () => store.transaction(() => store.projectLate(mine[1]!.block.id, mine[1]!.entries)),
      ];
      for (const attempt of attempts) expect(attempt).toThrow(InvariantError);
      expect(store.lastSequence(two.id)).toBe(2);
    });
  });

  describe(`${name}: open Metablocks`, () => {
    const ids = (store: Store) => store.openMetablocks().map(({ id }) => id);

    /** m0 and its rival r0, what follows each of them, ascending by Generation. */
    function tree() {
      const m0 = metablockAfter(null, [two], [idOf('b0')]);
      const r0 = metablockAfter(null, [two], [idOf('c0')]);
      const m1 = metablockAfter(m0, [two], [idOf('b1')]);
      const r1 = metablockAfter(r0, [two], [idOf('c1')]);
      const m2 = metablockAfter(m1, [two]);
      return { m0, r0, m1, r1, m2 };
    }

    test('are those that may still become final, and the head', () => {
      const store = furnished();
      const { m0, r0, m1, r1, m2 } = tree();
      store.transaction(() => {
        for (const each of [m0, r0, m1, r1, m2]) store.putMetablock(each);
      });
      expect(new Set(ids(store))).toEqual(new Set([m0, r0, m1, r1, m2].map((each) => each.id)));
      finalize(store, two, [], { id: m0.id, level: 0 });
      expect(ids(store)).toEqual([m0, m1, m2].map((each) => each.id));
      finalize(store, two, [], { id: m1.id, level: 1 });
      expect(ids(store)).toEqual([m1, m2].map((each) => each.id));
      expect(store.metablock(m0.id)).toEqual(m0);
    });

    test('a rival that comes late is not one of them, nor what follows it', () => {
      const store = furnished();
      const { m0, r0, m1, r1 } = tree();
      store.transaction(() => {
        store.putMetablock(m0);
        store.putMetablock(r1);
      });
      finalize(store, two, [], { id: m0.id, level: 0 });
      expect(new Set(ids(store))).toEqual(new Set([m0.id, r1.id]));
      store.transaction(() => {
        store.putMetablock(m1);
        store.putMetablock(r0);
      });
      expect(ids(store)).toEqual([m0.id, m1.id]);
    });

    test('one of several groups is open while it is open for any', () => {
      const store = furnished();
      const other = groupOf(door, bert, cleo);
      introduce(store, door, other);
      const m0 = metablockAfter(null, [two, other]);
      const m1 = metablockAfter(m0, [two, other]);
      store.transaction(() => {
        store.putMetablock(m0);
        store.putMetablock(m1);
      });
      finalize(store, two, [], { id: m0.id, level: 0 });
      finalize(store, two, [], { id: m1.id, level: 1 });
      expect(ids(store)).toEqual([m0.id, m1.id]);
      finalize(store, other, [], { id: m0.id, level: 0 });
      finalize(store, other, [], { id: m1.id, level: 1 });
      expect(ids(store)).toEqual([m1.id]);
    });

    test('a group that is not known here keeps none of them open', () => {
      const store = furnished();
      const stranger = groupOf(door, bert, cleo);
      const m0 = metablockAfter(null, [stranger]);
      store.transaction(() => store.putMetablock(m0));
      expect(ids(store)).toEqual([]);
      introduce(store, door, stranger);
      expect(ids(store)).toEqual([m0.id]);
    });

    test('what a vote or a lock names is one of them', () => {
      const store = furnished();
      const { m0, r0, r1 } = tree();
      store.transaction(() => {
        for (const each of [m0, r0, r1]) store.putMetablock(each);
        const lock = { metablock: r0.id, ballot: 1 as Ballot };
        store.putVote({ ...voteOf(two, 1), votes: [r1.id, idOf('unheard of')], lock });
      });
      finalize(store, two, [], { id: m0.id, level: 0 });
      expect(new Set(ids(store))).toEqual(new Set([m0.id, r0.id, r1.id]));
    });
  });

  test(`${name}: a payload of one Entry or of many thousands reads back`, () => {
    const store = furnished();
    const many = Array.from({ length: 5000 }, (_, index) => [`door ${index}`, index % 2 === 0]);
    const first = blockAfter(null, alone, ada, [['only', true]]);
    const second = blockAfter(first, alone, ada, many);
    stack(store, first, second);
    expect(finalize(store, alone, [first, second])).toBe(5001);
    const read = store.entries(alone.id, 4999 as EntrySequence, 10);
    expect(read.map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes!)))).toEqual(
      many.slice(4997),
    );
    expect(store.payload(second.block.id)).toEqual(payloadOf(many));
  });
}
