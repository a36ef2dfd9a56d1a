import { describe, expect, it } from 'vitest';
import type { ConsensusEffect } from '../../src/consensus/events.ts';
import { DEFAULT_SETTINGS } from '../../src/consensus/metablockchain.ts';
import {
  blockOf,
  certificateOf,
  groupOf,
  metablockOf,
  noteOf,
  only,
  Participant,
  signersOf,
  votesOf,
} from './consensus-fixture.ts';

const signers = signersOf(4);
const group = groupOf(signers);
const [first, second, third, fourth] = [signers[0]!, signers[1]!, signers[2]!, signers[3]!];
const { turnMs } = DEFAULT_SETTINGS;

describe('a vote', () => {
  it('is for the first turn at once, for others at their turn', () => {
    const participant = new Participant(fourth, [group]);
    const blocks = [first, third].map((signer) => blockOf(signer, group, null));
    for (const block of blocks) participant.block(block);
    const late = metablockOf(third, group, null, [blocks[1]!]);
    expect(votesOf(participant.metablock(late))).toEqual([]);
    expect(votesOf(participant.wait(2 * turnMs - 1))).toEqual([]);
    expect(votesOf(participant.wait(1))).toEqual([`${late.id}@0`]);
    const early = metablockOf(first, group, null, [blocks[0]!]);
    expect(votesOf(participant.metablock(early))).toEqual([]);
  });

  it('prefers the lower turn among what is votable', () => {
    const participant = new Participant(fourth, [group]);
    const candidates = [third, second].map((signer) => {
      const block = blockOf(signer, group, null);
      participant.block(block);
      return metablockOf(signer, group, null, [block]);
    });
    for (const each of candidates) expect(votesOf(participant.metablock(each))).toEqual([]);
    expect(votesOf(participant.wait(2 * turnMs))).toEqual([`${candidates[1]!.id}@0`]);
  });

  it('waits for the Entries, and is not needed once a Quorum has spoken', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    participant.block(block, false);
    expect(votesOf(participant.metablock(metablock))).toEqual([]);
    expect(votesOf(participant.block(block, true))).toEqual([`${metablock.id}@0`]);
  });

  it('asks for the Entries that it waits for', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    participant.block(block, false);
    participant.metablock(metablockOf(first, group, null, [block]));
    expect(only(participant.wait(1000), 'want')).toEqual([
      { kind: 'want', group: group.id, metablocks: [], blocks: [block.id] },
    ]);
  });

  it('goes on above a Metablock without Entries that is Finalizable', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    const child = metablockOf(first, group, metablock, []);
    participant.block(block, false);
    participant.metablock(metablock);
    participant.metablock(child);
    const effects = [first, second, third].flatMap((signer) =>
      participant.certificate(certificateOf(signer, group, metablock)),
    );
    expect(votesOf(effects)).toEqual([`${child.id}@0`]);
  });

  it('is for the empty child of the head by its issuer at once', () => {
    const participant = new Participant(second, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    const child = metablockOf(first, group, metablock, []);
    participant.block(block);
    participant.metablock(metablock);
    participant.certificate(certificateOf(first, group, metablock));
    participant.certificate(certificateOf(third, group, metablock));
    expect(votesOf(participant.metablock(child))).toEqual([`${child.id}@0`]);
  });
});

describe('an issuer with two children of one head', () => {
  function equivocate(participant: Participant): ConsensusEffect[] {
    const blocks = [first, second].map((signer) => blockOf(signer, group, null));
    for (const block of blocks) participant.block(block, false);
    const effects = blocks.flatMap((block) =>
      participant.metablock(metablockOf(first, group, null, [block])),
    );
    for (const block of blocks) effects.push(...participant.block(block, true));
    return effects;
  }

  it('is kept as evidence, and gets a vote for neither', () => {
    const effects = equivocate(new Participant(fourth, [group]));
    expect(votesOf(effects)).toEqual([]);
    const [evidence, ...more] = only(effects, 'evidence');
    expect(more).toEqual([]);
    expect(evidence).toMatchObject({ group: group.id, offender: first.id });
    expect(evidence!.items).toHaveLength(2);
  });

  it('gets one where a Quorum has spoken', () => {
    const participant = new Participant(fourth, [group]);
    equivocate(participant);
    const decided = metablockOf(first, group, null, [blockOf(second, group, null)]);
    for (const signer of [first, second, third]) {
      participant.certificate(certificateOf(signer, group, decided));
    }
    const moved = [first, second].flatMap((signer) =>
      participant.feed({ kind: 'ballot-note', note: noteOf(signer, group, 1) }),
    );
    expect(votesOf(moved)).toEqual([`${decided.id}@1`]);
  });
});

describe('an owner that certifies rivals at one Ballot', () => {
  it('is kept as evidence', () => {
    const participant = new Participant(fourth, [group]);
    const rivals = [first, second].map((signer) => {
      const block = blockOf(signer, group, null);
      participant.block(block);
      return metablockOf(signer, group, null, [block]);
    });
    for (const rival of rivals) participant.metablock(rival);
    const certificates = rivals.map((rival) => certificateOf(third, group, rival));
    const effects = certificates.flatMap((each) => participant.certificate(each));
    expect(only(effects, 'evidence')).toEqual([
      {
        kind: 'evidence',
        group: group.id,
        offender: third.id,
        items: certificates.map((each) => each.bytes),
      },
    ]);
  });

  it('is none where one is above the other', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    const child = metablockOf(first, group, metablock, []);
    participant.block(block);
    for (const each of [metablock, child]) participant.metablock(each);
    const effects = [child, metablock].flatMap((each) =>
      participant.certificate(certificateOf(third, group, each)),
    );
    expect(only(effects, 'evidence')).toEqual([]);
  });
});

describe('a Block that a fork proof covers', () => {
  it('gets no vote, unless a Quorum has spoken', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    participant.feed({
      kind: 'fork-proof',
      group: group.id,
      issuer: first.id,
      lastGood: 0 as never,
    });
    participant.block(block);
    const metablock = metablockOf(first, group, null, [block]);
    expect(votesOf(participant.metablock(metablock))).toEqual([]);
    const effects = [first, second, third].flatMap((signer) =>
      participant.certificate(certificateOf(signer, group, metablock, 1)),
    );
    expect(votesOf(effects)).toEqual([]);
    const child = metablockOf(first, group, metablock, []);
    expect(votesOf(participant.metablock(child))).toEqual([`${child.id}@1`]);
  });
});

describe('a passive Participant', () => {
  it('neither votes nor prepares nor moves its Ballot by itself', () => {
    const participant = new Participant(first, [group], { passive: true });
    const block = blockOf(first, group, null);
    const effects = [
      ...participant.block(block),
      ...participant.metablock(metablockOf(second, group, null, [block])),
      ...participant.wait(100_000),
    ];
    expect(effects.filter((each) => each.kind.startsWith('send'))).toEqual([]);
  });
});

describe('a clone', () => {
  it('keeps the own Certificates that it did not make, where they are part of a Quorum', () => {
    const participant = new Participant(first, [group], { passive: true });
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    participant.block(block);
    participant.metablock(metablock);
    for (const signer of [first, second, third]) {
      participant.certificate(certificateOf(signer, group, metablock));
    }
    expect(participant.store.certificatesOf(metablock.id)).toHaveLength(3);
  });
});

describe('quorum policies', () => {
  it('every-owner asks all of them', () => {
    const every = groupOf(signers, 'every', { quorumPolicy: 'every-owner' });
    const participant = new Participant(fourth, [every]);
    const block = blockOf(first, every, null);
    const metablock = metablockOf(first, every, null, [block]);
    const child = metablockOf(first, every, metablock, []);
    participant.block(block);
    participant.metablock(metablock);
    participant.metablock(child);
    const vote = (signer: typeof first, of: typeof metablock) =>
      participant.certificate(certificateOf(signer, every, of));
    expect([first, second].flatMap((signer) => votesOf(vote(signer, metablock)))).toEqual([]);
    expect(votesOf(vote(third, metablock))).toEqual([`${child.id}@0`]);
    const effects = [first, second, third].map((signer) => vote(signer, child));
    expect(effects.map((each) => only(each, 'finalize').length)).toEqual([0, 0, 1]);
  });

  it('strict is finalized as every-owner is', () => {
    const strict = groupOf(signers.slice(0, 2), 'strict', { quorumPolicy: 'strict' });
    const participant = new Participant(second, [strict]);
    const block = blockOf(first, strict, null);
    const metablock = metablockOf(first, strict, null, [block]);
    const child = metablockOf(first, strict, metablock, []);
    participant.block(block);
    participant.metablock(metablock);
    participant.metablock(child);
    const effects = [metablock, child].flatMap((each) =>
      participant.certificate(certificateOf(first, strict, each)),
    );
    expect(only(effects, 'finalize')).toHaveLength(1);
  });
});
