import { describe, expect, it } from 'vitest';
import {
  DEFAULT_SETTINGS,
  describe as describeState,
  nextDeadline,
  restore,
} from '../../src/consensus/metablockchain.ts';
import { CONSENSUS_LIMITS } from '../../src/consensus/settings.ts';
import type { CausalSequence, Generation } from '../../src/model/numbers.ts';
import {
  blockOf,
  certificateOf,
  groupOf,
  metablockOf,
  noteOf,
  only,
  Participant,
  signersOf,
  signMetablock,
  votesOf,
} from './consensus-fixture.ts';

const signers = signersOf(4);
const group = groupOf(signers);
const [first, second, third, fourth] = [signers[0]!, signers[1]!, signers[2]!, signers[3]!];

/** A Participant that voted for one of two rivals. */
function voted() {
  const participant = new Participant(fourth, [group]);
  const blocks = [first, second].map((signer) => blockOf(signer, group, null));
  for (const block of blocks) participant.block(block);
  const [chosen, rival] = [first, second].map((signer, index) =>
    metablockOf(signer, group, null, [blocks[index]!]),
  );
  expect(votesOf(participant.metablock(chosen!))).toEqual([`${chosen!.id}@0`]);
  return { participant, chosen: chosen!, rival: rival!, blocks };
}

describe('a restart', () => {
  it('casts no second, different vote at the same Ballot', () => {
    const { participant, rival } = voted();
    participant.restart();
    const effects = [...participant.metablock(rival), ...participant.wait(10_000)];
    expect(votesOf(effects).filter((vote) => vote.endsWith('@0'))).toEqual([]);
  });

  it('casts no vote at its Ballot while what it voted for there is not at hand', () => {
    const { participant, chosen, rival } = voted();
    participant.store.metablocks.delete(chosen.id);
    participant.store.forget(chosen.id);
    participant.restart();
    expect(votesOf(participant.metablock(rival))).toEqual([]);
  });

  it.each([
    [2, 1],
    [3, 0],
  ])('prepares of a log that forked %i times what it did before', (forks, count) => {
    const participant = new Participant(first, [group]);
    const blocks = [blockOf(second, group, null)];
    for (let place = 1; place < 5; place++) {
      blocks.push(blockOf(second, group, blocks[place - 1]!));
    }
    for (let nth = 1; nth <= forks; nth++) {
      const lastGood = (5 - nth) as CausalSequence;
      const pair = [blocks[lastGood]!, blocks[lastGood]!] as const;
      const fork = { group: group.id, issuer: second.id, lastGood };
      participant.store.putFork({ ...fork, blocks: pair });
      participant.feed({ kind: 'fork-proof', ...fork });
    }
    participant.restart();
    const effects = [...participant.block(blocks[0]!), ...participant.wait(10_000)];
    const carried = only(effects, 'send-metablock').filter(({ metablock }) =>
      metablock.blocks.includes(blocks[0]!.id),
    );
    expect(carried).toHaveLength(count);
  });

  it('keeps its lock, and asks for the locked Metablock where it is not at hand', () => {
    const { participant, chosen, rival } = voted();
    const child = metablockOf(first, group, chosen, []);
    participant.metablock(child);
    for (const signer of [first, second]) {
      participant.certificate(certificateOf(signer, group, chosen));
    }
    expect(participant.group(group).lock).toEqual({ metablock: chosen.id, ballot: 0 });
    participant.store.forget(chosen.id);
    participant.restart();
    expect(participant.group(group).lock).toEqual({ metablock: chosen.id, ballot: 0 });
    for (const signer of [first, second]) {
      participant.feed({ kind: 'ballot-note', note: noteOf(signer, group, 1) });
    }
    const effects = [...participant.metablock(rival), ...participant.wait(100)];
    expect(votesOf(effects)).toEqual([]);
    expect(only(effects, 'want').flatMap((each) => each.metablocks)).toContain(chosen.id);
    expect(votesOf(participant.metablock(chosen))).toEqual([`${chosen.id}@1`]);
  });

  it('asks for what it is locked on until it comes: without it there is no other vote', () => {
    const { participant, chosen } = voted();
    participant.metablock(metablockOf(first, group, chosen, []));
    for (const signer of [first, second]) {
      participant.certificate(certificateOf(signer, group, chosen));
    }
    participant.store.forget(chosen.id);
    participant.restart();
    for (let attempt = 0; attempt < 2 * CONSENSUS_LIMITS.wantAttemptsMax; attempt++) {
      const wants = only(participant.wait(CONSENSUS_LIMITS.wantRetryMaxMs), 'want');
      expect(wants.flatMap((each) => each.metablocks)).toContain(chosen.id);
    }
  });

  it('does not fall back below the Ballot that it was at', () => {
    const { participant } = voted();
    for (const signer of [first, second]) {
      participant.feed({ kind: 'ballot-note', note: noteOf(signer, group, 6) });
    }
    participant.restart();
    expect(describeState(participant.state)[0]!.ballot).toBe(6);
  });

  it('knows again what is final, the head above it and whether that is closed', () => {
    const { participant, chosen, blocks } = voted();
    const child = metablockOf(first, group, chosen, []);
    const next = metablockOf(second, group, child, [blocks[1]!]);
    const last = metablockOf(second, group, next, []);
    for (const each of [child, next]) participant.metablock(each);
    for (const each of [chosen, child, next]) {
      for (const signer of [first, second, third]) {
        participant.certificate(certificateOf(signer, group, each));
      }
    }
    const before = describeState(participant.state)[0]!;
    expect(before).toMatchObject({ finalizedLevel: 1, open: true, head: { metablock: next.id } });
    participant.restart();
    expect(describeState(participant.state)[0]).toMatchObject({
      finalized: before.finalized,
      head: before.head,
      highestCertified: before.highestCertified,
      highestFinalizable: before.highestFinalizable,
      open: true,
    });
    participant.metablock(last);
    const effects = [first, second, third].flatMap((signer) =>
      participant.certificate(certificateOf(signer, group, last)),
    );
    expect(only(effects, 'finalize').map((each) => each.metablock.id)).toEqual([next.id]);
    participant.restart();
    expect(describeState(participant.state)[0]).toMatchObject({ open: false });
    expect(nextDeadline(participant.state)).toBeNull();
  });

  it('knows a Quorum again, however often it voted for the same later', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    participant.block(block);
    participant.metablock(metablock);
    for (const signer of [first, second]) {
      participant.certificate(certificateOf(signer, group, metablock));
    }
    for (let ballot = 1; ballot <= 40; ballot++) {
      for (const signer of [first, second]) {
        participant.feed({ kind: 'ballot-note', note: noteOf(signer, group, ballot) });
      }
    }
    const durable = participant.store.read();
    expect(durable.certificates.length).toBeGreaterThan(40);
    const isOwn = (each: { certifier: string }) => each.certifier === fourth.id;
    const own = durable.certificates.filter(isOwn);
    const others = durable.certificates.filter((each) => !isOwn(each));
    for (const certificates of [durable.certificates, [...own, ...others]]) {
      const state = restore(participant.context, { ...durable, certificates }, participant.nowMs);
      const node = state.groups.get(group.id)!.nodes.get(metablock.id)!;
      expect(node.finalizableBallots).toEqual([0]);
    }
  });

  it('finds its own Metablock again and makes no second child of the head', () => {
    const participant = new Participant(first, [group]);
    const block = blockOf(first, group, null);
    expect(only(participant.block(block), 'send-metablock')).toHaveLength(2);
    participant.restart();
    const effects = [
      ...participant.block(blockOf(second, group, null)),
      ...participant.wait(DEFAULT_SETTINGS.ballotTimeoutMs - 1),
    ];
    expect(only(effects, 'send-metablock')).toEqual([]);
  });

  it('takes no rival of what is final back, whatever its Generation', () => {
    const participant = new Participant(fourth, [group]);
    const blocks = [first, second].map((signer) => blockOf(signer, group, null));
    for (const block of blocks) participant.block(block);
    const rival = signMetablock(second, {
      generation: 7 as Generation,
      predecessors: [{ group: group.id, metablock: null }],
      blocks: [blocks[1]!.id],
      issuer: second.id,
    });
    participant.metablock(rival);
    expect(votesOf(participant.wait(DEFAULT_SETTINGS.turnMs))).toEqual([`${rival.id}@0`]);
    const chosen = metablockOf(first, group, null, [blocks[0]!]);
    const child = metablockOf(first, group, chosen, []);
    for (const each of [chosen, child]) {
      participant.metablock(each);
      for (const signer of [first, second, third]) {
        participant.certificate(certificateOf(signer, group, each));
      }
    }
    expect(describeState(participant.state)[0]).toMatchObject({ finalizedLevel: 0, candidates: 1 });
    participant.restart();
    expect(describeState(participant.state)[0]).toMatchObject({ finalizedLevel: 0, candidates: 1 });
    const effects = [rival, metablockOf(second, group, rival, [])].flatMap((each) => [
      ...participant.metablock(each),
      ...[first, second, third].flatMap((signer) =>
        participant.certificate(certificateOf(signer, group, each, 1)),
      ),
    ]);
    expect(only(effects, 'finalize')).toEqual([]);
    expect(only(effects, 'alarm')).toHaveLength(1);
  });
});
