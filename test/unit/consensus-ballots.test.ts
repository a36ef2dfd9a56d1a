import { describe, expect, it } from 'vitest';
import {
  DEFAULT_SETTINGS,
  describe as describeState,
  nextDeadline,
} from '../../src/consensus/metablockchain.ts';
import { CONSENSUS_LIMITS } from '../../src/consensus/settings.ts';
import { type Ballot, NO_GENERATION } from '../../src/model/numbers.ts';
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
const { ballotTimeoutMs } = DEFAULT_SETTINGS;

function note(participant: Participant, signer = second, ballot = 1) {
  return participant.feed({ kind: 'ballot-note', note: noteOf(signer, group, ballot) });
}

function ballotOf(participant: Participant): number {
  return describeState(participant.state)[0]!.ballot;
}

describe('the timer of a Ballot', () => {
  it('runs only while something is open', () => {
    const participant = new Participant(fourth, [group]);
    expect(nextDeadline(participant.state)).toBeNull();
    participant.block(blockOf(first, group, null));
    expect(nextDeadline(participant.state)).not.toBeNull();
  });

  it('moves to the next Ballot, says so and votes for the head again', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    participant.block(block);
    participant.metablock(metablock);
    participant.certificate(certificateOf(first, group, metablock));
    participant.certificate(certificateOf(second, group, metablock));
    expect(ballotOf(participant)).toBe(0);
    participant.wait(ballotTimeoutMs - 1);
    expect(ballotOf(participant)).toBe(0);
    const effects = participant.wait(1);
    expect(only(effects, 'send-ballot-note').map((each) => each.note.ballot)).toEqual([1]);
    expect(votesOf(effects)).toEqual([`${metablock.id}@1`]);
    expect(only(effects, 'store-vote')[0]!.record).toMatchObject({ ballot: 1, votedBallot: 1 });
  });

  it('starts only once a Quorum is known to be at the Ballot', () => {
    const participant = new Participant(fourth, [group]);
    participant.block(blockOf(first, group, null));
    participant.wait(ballotTimeoutMs);
    expect(ballotOf(participant)).toBe(1);
    participant.wait(1_000_000);
    note(participant, first, 1);
    expect(ballotOf(participant)).toBe(1);
    note(participant, second, 1);
    participant.wait(2 * ballotTimeoutMs - 1);
    expect(ballotOf(participant)).toBe(1);
    participant.wait(1);
    expect(ballotOf(participant)).toBe(2);
  });

  it('doubles with every Ballot without a new Level, up to its bound', () => {
    const participant = new Participant(fourth, [group]);
    participant.block(blockOf(first, group, null));
    const lengths: number[] = [];
    for (let ballot = 0; ballot < 9; ballot++) {
      for (const signer of [first, second]) note(participant, signer, ballot);
      const startMs = participant.nowMs;
      while (ballotOf(participant) === ballot) {
        participant.nowMs = Math.max(participant.nowMs + 1, nextDeadline(participant.state)!);
        participant.wait(0);
      }
      lengths.push(participant.nowMs - startMs);
    }
    expect(lengths.slice(0, 3)).toEqual([250, 500, 1000]);
    expect(lengths.at(-1)).toBe(DEFAULT_SETTINGS.ballotTimeoutMaxMs);
  });

  it('stays within its bound also where owners prepare at once, Ballot after Ballot', () => {
    const participant = new Participant(fourth, [group]);
    for (const signer of [first, second]) {
      const block = blockOf(signer, group, null);
      participant.block(block);
      participant.metablock(metablockOf(signer, group, null, [block]));
    }
    let longestMs = 0;
    for (let ballot = 0; ballot < 40; ballot++) {
      for (const signer of [first, second]) note(participant, signer, ballot);
      const startMs = participant.nowMs;
      while (ballotOf(participant) === ballot) {
        participant.nowMs = Math.max(participant.nowMs + 1, nextDeadline(participant.state)!);
        participant.wait(0);
      }
      longestMs = Math.max(longestMs, participant.nowMs - startMs);
    }
    expect(longestMs).toBe(4 * DEFAULT_SETTINGS.ballotTimeoutMaxMs);
  });

  it('begins anew with a new Level, and not with a vote for an old one', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    participant.block(block);
    participant.metablock(metablock);
    participant.nowMs += ballotTimeoutMs - 10;
    for (const signer of [first, second]) {
      participant.certificate(certificateOf(signer, group, metablock));
    }
    participant.wait(ballotTimeoutMs - 1);
    expect(ballotOf(participant)).toBe(0);
    participant.certificate(certificateOf(third, group, metablock));
    participant.wait(1);
    expect(ballotOf(participant)).toBe(1);
  });

  it('never runs for a Participant that only holds the chain', () => {
    const stranger = new Participant(signers[0]!, [groupOf(signers.slice(1))]);
    const others = groupOf(signers.slice(1));
    stranger.block(blockOf(second, others, null));
    expect(nextDeadline(stranger.state)).toBeNull();
  });
});

describe('following', () => {
  it('asks for f + 1 owners, and goes where f + 1 are', () => {
    const participant = new Participant(fourth, [group]);
    expect(only(note(participant, first, 9), 'accepted')).toHaveLength(1);
    expect(ballotOf(participant)).toBe(0);
    const effects = note(participant, second, 5);
    expect(ballotOf(participant)).toBe(5);
    expect(only(effects, 'send-ballot-note')[0]!.note.ballot).toBe(5);
  });

  it('takes the word of a session and of a vote as well as of a note', () => {
    const participant = new Participant(fourth, [group]);
    const seen = { group: group.id, owner: first.id, ballot: 3 as Ballot };
    participant.feed({ kind: 'ballot-seen', ...seen });
    const metablock = metablockOf(first, group, null, [blockOf(first, group, null)]);
    participant.certificate(certificateOf(second, group, metablock, 4));
    expect(ballotOf(participant)).toBe(3);
  });

  it('does not follow one owner that leaps, and refuses a leap without end', () => {
    const participant = new Participant(fourth, [group]);
    const { ballotJumpMax } = CONSENSUS_LIMITS;
    expect(only(note(participant, first, ballotJumpMax + 1), 'refused')).toEqual([
      { kind: 'refused', reason: 'ballot-note-too-high', by: first.id },
    ]);
    expect(only(note(participant, first, ballotJumpMax), 'accepted')).toHaveLength(1);
    expect(ballotOf(participant)).toBe(0);
  });

  it('is followed in leaps to a bound, then one by one: none is beyond all numbers', () => {
    const pair = groupOf([first, fourth], 'pair');
    const participant = new Participant(fourth, [pair]);
    const { ballotJumpMax, ballotMax } = CONSENSUS_LIMITS;
    participant.store.apply({
      kind: 'store-vote',
      record: {
        group: pair.id,
        ballot: (ballotMax - ballotJumpMax) as Ballot,
        votedBallot: 0 as Ballot,
        votes: [],
        lock: null,
        highestCertified: NO_GENERATION,
        highestFinalizable: NO_GENERATION,
      },
    });
    participant.restart();
    const told = (ballot: number) =>
      participant.feed({ kind: 'ballot-note', note: noteOf(first, pair, ballot) });
    told(ballotMax);
    expect(ballotOf(participant)).toBe(ballotMax);
    const far = told(ballotMax + 2);
    expect(only(far, 'refused').map((each) => each.reason)).toEqual(['ballot-note-too-high']);
    expect(ballotOf(participant)).toBe(ballotMax);
    told(ballotMax + 1);
    expect(ballotOf(participant)).toBe(ballotMax + 1);
    expect(Number.isSafeInteger(2 * ballotMax - 1)).toBe(true);
  });

  it('lets R never fall, whatever comes', () => {
    const participant = new Participant(fourth, [group]);
    for (const signer of [first, second]) note(participant, signer, 5);
    expect(note(participant, first, 4)).toEqual([]);
    for (const signer of [first, second]) note(participant, signer, 3);
    expect(ballotOf(participant)).toBe(5);
  });
});

describe('who is awaited', () => {
  it('is named while something is open', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    participant.block(block);
    participant.metablock(metablock);
    participant.certificate(certificateOf(first, group, metablock));
    const [state] = describeState(participant.state);
    expect(state).toMatchObject({ open: true, pendingBlocks: 1 });
    expect(state!.awaited).toEqual([second.id, third.id]);
  });
});
