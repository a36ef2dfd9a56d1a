import { describe, expect, it } from 'vitest';
import { AnswerQueue } from '../../src/gossip/answer-queue.ts';
import { Digests } from '../../src/gossip/digests.ts';
import { hashDigest } from '../../src/gossip/message-writer.ts';
import type { Message } from '../../src/gossip/messages.ts';
import { GOSSIP_SETTINGS } from '../../src/gossip/settings.ts';
import type { Digest } from '../../src/gossip/source.ts';
import { Wanted } from '../../src/gossip/wanted.ts';
import type { CausalSequence } from '../../src/model/numbers.ts';
import type { AvatarId } from '../../src/model/sync-group.ts';
import { Holder } from './gossip-holder.ts';
import { hash, idOf, payloadOf } from './gossip-samples.ts';

const GROUP = idOf('group');
const [PEER, OTHER] = [idOf('peer'), idOf('other')];

/** Digests whose time and place a test sets. */
function telling() {
  const holder = new Holder(idOf('self'));
  const told: { atMs: number; kind: Message['kind'] }[] = [];
  const plans: { atMs: number; groups: number }[] = [];
  let issuers = 0;
  let nowMs = 0;
  let dueMs = Number.POSITIVE_INFINITY;
  const digests = new Digests({
    source: holder,
    hash,
    settings: { digestBusyMs: 5_000, settleMs: 500 },
    paceOf: () => ({
      isSlow: false,
      isTerse: false,
      digestMs: 30_000,
      digestBusyMs: 5_000,
      settleMs: 500,
    }),
    send: (_peer, { kind }) => told.push({ atMs: nowMs, kind }),
    wake: (atMs) => {
      dueMs = Math.min(dueMs, atMs);
    },
    onDifference: (_peer, groups) => {
      plans.push({ atMs: nowMs, groups: groups.size });
      issuers = [...groups.values()].reduce((sum, each) => sum + each.issuers.length, 0);
    },
    onAgreement: () => undefined,
  });
  const advanceTo = (endMs: number) => {
    while (dueMs <= endMs) {
      nowMs = Math.max(nowMs, dueMs);
      dueMs = Number.POSITIVE_INFINITY;
      digests.tick(nowMs);
    }
    nowMs = endMs;
  };
  const change = () => {
    holder.issue(GROUP);
    digests.changed(nowMs);
  };
  const countOf = (kind: Message['kind']) => told.filter((each) => each.kind === kind).length;
  const issuerCount = () => issuers;
  return { digests, holder, told, plans, advanceTo, change, countOf, issuerCount };
}

function placeOf(name: string): Digest {
  const holder = new Holder(idOf(name));
  holder.issue(GROUP);
  return holder.digest();
}

const hashOf = (digest: Digest) => hashDigest(hash, digest);

describe('where we stand', () => {
  it('is told whole on a new link', () => {
    const { digests, told } = telling();
    digests.addPeer(PEER, 0);
    expect(told.map((each) => each.kind)).toEqual(['digest-short', 'digest']);
  });

  it('is told in short when a change came to rest', () => {
    const { digests, told, advanceTo, change } = telling();
    digests.addPeer(PEER, 0);
    advanceTo(1_000);
    change();
    advanceTo(1_400);
    change();
    advanceTo(60_000);
    expect(told.slice(2)).toEqual([{ atMs: 1_900, kind: 'digest-short' }]);
  });

  it('is told now and then while it does not come to rest', () => {
    const { digests, countOf, advanceTo, change } = telling();
    digests.addPeer(PEER, 0);
    for (let ms = 0; ms < 60_000; ms += 100) {
      change();
      advanceTo(ms);
    }
    expect(countOf('digest-short')).toBeGreaterThanOrEqual(11);
    expect(countOf('digest-short')).toBeLessThanOrEqual(14);
    expect(countOf('digest')).toBe(1);
  });

  it('is not told to one that just said the very same', () => {
    const { digests, holder, countOf, advanceTo, change } = telling();
    digests.addPeer(PEER, 0);
    advanceTo(1_000);
    change();
    digests.onShort(PEER, hashOf(holder.digest()), 1_000);
    advanceTo(20_000);
    expect(countOf('digest-short')).toBe(1);
  });

  it('is told whole to one that differs for longer than news takes, once', () => {
    const { digests, countOf, advanceTo } = telling();
    digests.addPeer(PEER, 0);
    advanceTo(10_000);
    for (let ms = 10_000; ms < 100_000; ms += 1_000) {
      digests.onShort(PEER, hashOf(placeOf('a')), ms);
      advanceTo(ms);
    }
    expect(countOf('digest')).toBe(2);
  });

  it('is not told whole more than once a second, whatever a peer says', () => {
    const { digests, countOf, advanceTo, change } = telling();
    digests.addPeer(PEER, 0);
    for (let ms = 0; ms < 10_000; ms += 10) {
      if (ms % 50 === 0) change();
      const place = placeOf(`liar ${ms}`);
      digests.onShort(PEER, hashOf(place), ms);
      digests.onFull(PEER, place, ms);
      advanceTo(ms);
    }
    expect(countOf('digest')).toBeLessThanOrEqual(11);
  });
});

describe('where a peer stands', () => {
  it('is remembered up to a number of issuers, those told first', () => {
    const { digests, advanceTo, issuerCount } = telling();
    const issuers = Array.from({ length: 64 }, () => placeOf('a')[0]!.issuers[0]!);
    const placesOf = (from: number): Digest =>
      Array.from({ length: 128 }, (_, index) => {
        return { ...placeOf('a')[0]!, group: idOf(`group ${from + index}`), issuers };
      });
    digests.addPeer(PEER, 0);
    for (let from = 0; from < 65_536 / 64; from += 128) digests.onFull(PEER, placesOf(from), 10);
    advanceTo(1_000);
    expect(issuerCount()).toBe(65_536);
    digests.onFull(PEER, placesOf(65_536 / 64), 1_000);
    // What was there before is told anew and counts once.
    digests.onFull(PEER, placesOf(0), 1_000);
    advanceTo(2_000);
    expect(issuerCount()).toBe(65_536);
  });

  it('is compared at once on a new link, and after a moment later on', () => {
    const { digests, plans, advanceTo } = telling();
    digests.addPeer(PEER, 0);
    digests.onFull(PEER, placeOf('a'), 10);
    advanceTo(10);
    expect(plans).toEqual([{ atMs: 10, groups: 1 }]);
    advanceTo(5_000);
    digests.onFull(PEER, placeOf('b'), 5_000);
    advanceTo(5_499);
    expect(plans.length).toBe(1);
    advanceTo(5_500);
    expect(plans.length).toBe(2);
  });

  it('is still known when it goes on over another link, and compared again at once', () => {
    const { digests, plans, advanceTo } = telling();
    digests.addPeer(PEER, 0);
    digests.onFull(PEER, placeOf('a'), 10);
    advanceTo(1_000);
    digests.addPeer(PEER, 1_000);
    advanceTo(1_000);
    expect(plans.at(-1)).toEqual({ atMs: 1_000, groups: 1 });
    digests.removePeer(PEER);
    digests.addPeer(PEER, 2_000);
    advanceTo(3_000);
    expect(plans.at(-1)).toEqual({ atMs: 1_000, groups: 1 });
    expect(digests.holds(PEER, GROUP)).toBe(false);
  });

  it('that it never said is nothing', () => {
    const { digests, plans, advanceTo } = telling();
    digests.onShort(OTHER, idOf('x'), 0);
    digests.onFull(OTHER, placeOf('a'), 0);
    advanceTo(10_000);
    expect(plans).toEqual([]);
  });
});

describe('what a peer asks for', () => {
  const holder = new Holder(idOf('self'));
  const blocks = [1, 2, 3].map(() => holder.issue(GROUP, payloadOf(10)));
  const range = {
    kind: 'want-range',
    range: 'causal',
    group: GROUP,
    issuer: holder.self,
    from: 1 as CausalSequence,
  } as const;

  it('is answered up to so many requests at once, and no more', () => {
    const queue = new AnswerQueue(holder, { ...GOSSIP_SETTINGS, requestsMax: 3 });
    expect([1, 2, 3, 4].map(() => queue.add(range))).toEqual([true, true, true, false]);
    for (let count = 0; count < 4; count++) queue.pull('normal');
    queue.pull('normal');
    expect(queue.add(range)).toBe(true);
  });

  it('one by one comes before ranges', () => {
    const queue = new AnswerQueue(holder, GOSSIP_SETTINGS);
    queue.add(range);
    const first = queue.pull('normal')?.message;
    queue.add({ kind: 'want-blocks', ids: [blocks[2]!.id, idOf('nowhere')] });
    const then = [queue.pull('normal'), queue.pull('normal'), queue.pull('normal')].map(
      (each) => each?.message,
    );
    expect(first).toMatchObject({ kind: 'item', item: { block: { sequence: 1 } } });
    expect(then[0]).toMatchObject({ kind: 'item', item: { block: { sequence: 3 } } });
    expect(then[1]).toEqual({ kind: 'not-found', ids: [idOf('nowhere')] });
    expect(then[2]).toMatchObject({ kind: 'item', item: { block: { sequence: 2 } } });
  });
});

describe('what we ask for by id', () => {
  it('is not late while nothing is read', () => {
    const asked: AvatarId[] = [];
    const wanted = new Wanted({
      settings: GOSSIP_SETTINGS,
      paceOf: () => ({ answerMs: 5_000, idsMax: 512, isSlow: false }),
      send: (peer) => asked.push(peer),
      wake: () => undefined,
      priorityOf: () => 'normal',
      isHere: () => false,
      arrivals: () => new Map(),
      peersFor: () => [PEER, OTHER],
    });
    wanted.want({ group: GROUP, blocks: [idOf('x')], metablocks: [] }, 0);
    wanted.tick(100);
    wanted.pause();
    wanted.tick(60_000);
    wanted.resume(60_000);
    wanted.tick(64_999);
    expect(asked).toEqual([PEER]);
    wanted.tick(65_000);
    expect(asked).toEqual([PEER, OTHER]);
  });
});
