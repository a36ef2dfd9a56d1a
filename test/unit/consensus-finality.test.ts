import { describe, expect, it } from 'vitest';
import { describe as describeState, nextDeadline } from '../../src/consensus/metablockchain.ts';
import { KeyedSigner } from '../sim/keyed-signer.ts';
import {
  blockOf,
  certificateOf,
  groupOf,
  kindsOf,
  metablockOf,
  only,
  Participant,
  signersOf,
  votesOf,
} from './consensus-fixture.ts';

const signers = signersOf(4);
const group = groupOf(signers);
const [first, second, third, fourth] = [signers[0]!, signers[1]!, signers[2]!, signers[3]!];

/** A Participant that knows a Metablock with a Block of the first owner, and its empty child. */
function observer(signer = fourth) {
  const participant = new Participant(signer, [group]);
  const block = blockOf(first, group, null);
  const metablock = metablockOf(first, group, null, [block]);
  const child = metablockOf(first, group, metablock, []);
  participant.block(block);
  return { participant, block, metablock, child };
}

describe('finality', () => {
  it('comes with a Quorum on the child, never with one on the Metablock itself', () => {
    const { participant, metablock, child, block } = observer();
    participant.metablock(metablock);
    participant.metablock(child);
    participant.certificate(certificateOf(first, group, metablock));
    const finalizable = participant.certificate(certificateOf(second, group, metablock));
    expect(kindsOf(finalizable)).not.toContain('finalize');
    expect(votesOf(finalizable)).toEqual([`${child.id}@0`]);
    participant.certificate(certificateOf(first, group, child));
    const final = only(participant.certificate(certificateOf(second, group, child)), 'finalize');
    expect(final).toHaveLength(1);
    expect(final[0]).toMatchObject({ metablock: { id: metablock.id }, blocks: [{ id: block.id }] });
    expect(final[0]!.head.issuers.get(first.id)).toEqual({ sequence: 1, block: block.id });
  });

  it('does not come with votes of different Ballots', () => {
    const { participant, metablock, child } = observer();
    participant.metablock(metablock);
    participant.metablock(child);
    const effects = [
      ...participant.certificate(certificateOf(first, group, child, 0)),
      ...participant.certificate(certificateOf(second, group, child, 1)),
      ...participant.certificate(certificateOf(third, group, child, 2)),
    ];
    expect(kindsOf(effects)).not.toContain('finalize');
  });

  it('counts a vote of one owner once', () => {
    const { participant, metablock, child } = observer();
    participant.metablock(metablock);
    participant.metablock(child);
    const twice = [1, 2, 3].flatMap(() =>
      participant.certificate(certificateOf(first, group, child)),
    );
    expect(kindsOf(twice)).not.toContain('finalize');
    expect(kindsOf(twice).filter((kind) => kind === 'accepted')).toHaveLength(1);
  });

  it('makes whole chains final, the oldest first, from Certificates of the last alone', () => {
    const participant = new Participant(fourth, [group]);
    let block = blockOf(first, group, null);
    let metablock = metablockOf(first, group, null, [block]);
    const ids = [metablock.id];
    participant.block(block);
    participant.metablock(metablock);
    for (let level = 1; level < 64; level++) {
      block = blockOf(first, group, block);
      metablock = metablockOf(signers[level % 3]!, group, metablock, [block]);
      ids.push(metablock.id);
      participant.block(block);
      participant.metablock(metablock);
    }
    const effects = [first, second, third].flatMap((signer) =>
      participant.certificate(certificateOf(signer, group, metablock, 7)),
    );
    const final = only(effects, 'finalize').map((effect) => effect.metablock.id);
    expect(final).toEqual(ids.slice(0, -1));
    const [state] = describeState(participant.state);
    expect(state).toMatchObject({ finalizedLevel: 62, head: { level: 63 }, ballot: 7 });
  });

  it('comes to those who only hold the chain, and they never vote', () => {
    const participant = new Participant(new KeyedSigner('a stranger'), [group]);
    const { block, metablock, child } = observer();
    const effects = [...participant.block(block), ...participant.metablock(metablock)];
    effects.push(...participant.metablock(child));
    for (const signer of [first, second, third]) {
      effects.push(...participant.certificate(certificateOf(signer, group, metablock)));
      effects.push(...participant.certificate(certificateOf(signer, group, child)));
    }
    expect(only(effects, 'finalize')).toHaveLength(1);
    expect(kindsOf(effects).filter((kind) => kind.startsWith('send'))).toEqual([]);
    expect(nextDeadline(participant.state)).toBeNull();
  });

  it('at one moment says nothing of how long links take, and keeps nobody from learning it', () => {
    const { participant, metablock, child } = observer();
    for (const each of [metablock, child]) {
      participant.metablock(each);
      for (const signer of [first, second, third]) {
        participant.certificate(certificateOf(signer, group, each));
      }
    }
    expect(participant.state.groups.get(group.id)!.roundTripMs).toBeGreaterThan(0);
  });

  it('leaves nothing to wake up for', () => {
    const { participant, metablock, child } = observer();
    participant.metablock(metablock);
    participant.metablock(child);
    for (const each of [metablock, child]) {
      for (const signer of [first, second]) {
        participant.certificate(certificateOf(signer, group, each));
      }
    }
    expect(describeState(participant.state)[0]).toMatchObject({ open: false, awaited: [] });
    expect(nextDeadline(participant.state)).toBeNull();
  });
});

describe('the order of effects', () => {
  it('puts all that is stored before all that is sent', () => {
    const { participant, metablock, child } = observer();
    participant.metablock(child);
    participant.metablock(metablock);
    const steps = [
      participant.certificate(certificateOf(first, group, metablock)),
      participant.certificate(certificateOf(second, group, metablock)),
      participant.wait(5000),
    ];
    for (const effects of steps) {
      const kinds = kindsOf(effects);
      const lastStore = kinds.findLastIndex((kind) => kind.startsWith('store'));
      const firstSend = kinds.findIndex((kind) => kind.startsWith('send'));
      if (firstSend >= 0) expect(lastStore).toBeLessThan(firstSend);
    }
    expect(steps.some((effects) => kindsOf(effects).includes('send-certificate'))).toBe(true);
  });

  it('puts vote, R, lock, Metablock and Certificate in the step that sends the Certificate', () => {
    const { participant, metablock, child } = observer();
    participant.metablock(metablock);
    participant.metablock(child);
    participant.certificate(certificateOf(first, group, metablock));
    const effects = participant.certificate(certificateOf(second, group, metablock));
    expect(votesOf(effects)).toEqual([`${child.id}@0`]);
    expect(only(effects, 'store-vote')[0]!.record).toMatchObject({
      votes: [metablock.id, child.id],
      lock: { metablock: metablock.id, ballot: 0 },
      highestCertified: 1,
      highestFinalizable: 0,
    });
    expect(only(effects, 'store-metablock').map((each) => each.metablock.id)).toContain(child.id);
    expect(only(effects, 'store-certificate').map((each) => each.certificate.certifier)).toEqual([
      first.id,
      second.id,
      fourth.id,
    ]);
  });
});

describe('a fork', () => {
  it('stops the group, keeps the proof and raises the alarm', () => {
    const participant = new Participant(fourth, [group]);
    const blocks = [first, second].map((signer) => blockOf(signer, group, null));
    for (const block of blocks) participant.block(block);
    const chains = blocks.map((block, index) => {
      const metablock = metablockOf(signers[index]!, group, null, [block]);
      return [metablock, metablockOf(signers[index]!, group, metablock, [])] as const;
    });
    const effects = chains.flatMap((chain, ballot) =>
      chain.flatMap((metablock) => [
        ...participant.metablock(metablock),
        ...[first, second, third].flatMap((signer) =>
          participant.certificate(certificateOf(signer, group, metablock, ballot)),
        ),
      ]),
    );
    const alarm = only(effects, 'alarm');
    expect(alarm).toEqual([
      { kind: 'alarm', group: group.id, metablocks: [chains[0]![0].id, chains[1]![0].id] },
    ]);
    expect(only(effects, 'finalize').map((each) => each.metablock.id)).toEqual([chains[0]![0].id]);
    expect(participant.store.certificatesOf(chains[1]![1].id)).toHaveLength(3);
    expect(describeState(participant.state)[0]!.alarm).toContain('fork');
    const later = blockOf(first, group, blocks[0]!);
    expect(participant.block(later)).toEqual([]);
    expect(nextDeadline(participant.state)).toBeNull();
    participant.restart();
    expect(describeState(participant.state)[0]!.alarm).toContain('fork');
    expect(participant.block(later)).toEqual([]);
    expect(nextDeadline(participant.state)).toBeNull();
  });

  it('shows whatever else its owners vote for: one of them pushes out no vote of another', () => {
    const participant = new Participant(fourth, [group]);
    const blocks = [first, second].map((signer) => blockOf(signer, group, null));
    for (const block of blocks) participant.block(block);
    const winner = metablockOf(first, group, null, [blocks[0]!]);
    const closing = metablockOf(first, group, winner, []);
    const rival = metablockOf(second, group, null, [blocks[1]!]);
    const child = metablockOf(second, group, rival, []);
    for (const metablock of [winner, closing, rival, child]) participant.metablock(metablock);
    const vote = (signer: typeof first, metablock: typeof winner, ballot: number) =>
      participant.certificate(certificateOf(signer, group, metablock, ballot));
    for (const signer of [first, second, third]) vote(signer, winner, 0);
    for (const signer of [first, second, third]) vote(signer, closing, 0);
    expect(describeState(participant.state)[0]).toMatchObject({ finalizedLevel: 0, alarm: null });
    for (let ballot = 1; ballot < 20; ballot++) vote(third, child, ballot);
    vote(first, child, 1);
    expect(only(vote(second, child, 1), 'alarm')).toEqual([]);
    expect(only(vote(third, child, 1), 'alarm')).toHaveLength(1);
  });

  /** One whose finalized head has Level 1, and a rival chain that is final elsewhere. */
  function forked() {
    const participant = new Participant(fourth, [group]);
    const [one, two] = [blockOf(first, group, null), blockOf(second, group, null)];
    for (const block of [one, two]) participant.block(block);
    const winner = metablockOf(first, group, null, [one]);
    const next = metablockOf(third, group, winner, [two]);
    const rival = metablockOf(second, group, null, [two]);
    const child = metablockOf(second, group, rival, []);
    const vote = (signer: typeof first, metablock: typeof winner, ballot: number) =>
      participant.certificate(certificateOf(signer, group, metablock, ballot));
    for (const metablock of [winner, next, metablockOf(third, group, next, [])]) {
      participant.metablock(metablock);
      for (const signer of [first, second, third]) vote(signer, metablock, 0);
    }
    expect(describeState(participant.state)[0]).toMatchObject({ finalizedLevel: 1, alarm: null });
    return { participant, rival, child, vote };
  }

  it('shows where what followed a rival came before it', () => {
    const { participant, rival, child, vote } = forked();
    participant.metablock(child);
    for (const signer of [first, second, third]) vote(signer, child, 1);
    expect(only(participant.metablock(rival), 'alarm')).toHaveLength(1);
  });

  it('shows where its votes came first of all, with others at higher Ballots', () => {
    const { participant, rival, child, vote } = forked();
    participant.metablock(rival);
    for (const signer of [first, second, third]) vote(signer, child, 1);
    for (const ballot of [2, 3]) for (const signer of [first, third]) vote(signer, child, ballot);
    expect(only(participant.metablock(child), 'alarm')).toHaveLength(1);
  });

  it('shows though two of seven owners cast other votes before those that make it', () => {
    const seven = signersOf(7);
    const all = groupOf(seven);
    const participant = new Participant(new KeyedSigner('a stranger'), [all]);
    const blocks = [0, 1].map((index) => blockOf(seven[index]!, all, null));
    for (const block of blocks) participant.block(block);
    const winner = metablockOf(seven[0]!, all, null, [blocks[0]!]);
    const closing = metablockOf(seven[0]!, all, winner, []);
    const rival = metablockOf(seven[1]!, all, null, [blocks[1]!]);
    const child = metablockOf(seven[1]!, all, rival, []);
    for (const metablock of [winner, closing, rival, child]) participant.metablock(metablock);
    const vote = (owner: number, metablock: typeof winner, ballot: number) =>
      participant.certificate(certificateOf(seven[owner]!, all, metablock, ballot));
    for (const metablock of [winner, closing]) {
      for (const owner of [0, 1, 2, 3, 4]) vote(owner, metablock, 0);
    }
    for (const owner of [2, 3, 4]) vote(owner, child, 1);
    for (const liar of [0, 1]) for (let ballot = 2; ballot < 9; ballot++) vote(liar, child, ballot);
    expect(only(vote(0, child, 1), 'alarm')).toEqual([]);
    expect(only(vote(1, child, 1), 'alarm')).toHaveLength(1);
  });

  it('is no fork where a rival was Finalizable and never final', () => {
    const participant = new Participant(fourth, [group]);
    const blocks = [first, second].map((signer) => blockOf(signer, group, null));
    for (const block of blocks) participant.block(block);
    const winner = metablockOf(first, group, null, [blocks[0]!]);
    const child = metablockOf(first, group, winner, []);
    const rival = metablockOf(second, group, null, [blocks[1]!]);
    const effects = [
      [rival, 0] as const,
      [winner, 1] as const,
      [child, 1] as const,
      [rival, 2] as const,
    ].flatMap(([metablock, ballot]) => [
      ...participant.metablock(metablock),
      ...[first, second, third].flatMap((signer) =>
        participant.certificate(certificateOf(signer, group, metablock, ballot)),
      ),
    ]);
    expect(only(effects, 'alarm')).toEqual([]);
    expect(only(effects, 'finalize').map((each) => each.metablock.id)).toEqual([winner.id]);
  });
});
