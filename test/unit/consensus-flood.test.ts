import { describe, expect, it } from 'vitest';
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
} from './consensus-fixture.ts';

/** A bystander of a group who knows a Metablock, its empty child, and hears votes for them. */
function bystander(owners: number) {
  const signers = signersOf(owners);
  const group = groupOf(signers);
  const participant = new Participant(new KeyedSigner('a stranger'), [group]);
  const block = blockOf(signers[0]!, group, null);
  const metablock = metablockOf(signers[0]!, group, null, [block]);
  const child = metablockOf(signers[0]!, group, metablock, []);
  participant.block(block);
  participant.metablock(metablock);
  participant.metablock(child);
  const vote = (owner: number, ballot: number, at = metablock) =>
    participant.certificate(certificateOf(signers[owner]!, group, at, ballot));
  const kept = () => {
    const { tallies } = participant.group(group).nodes.get(metablock.id)!;
    return [...tallies.values()].reduce((sum, tally) => sum + tally.certificates.size, 0);
  };
  return { participant, group, metablock, child, vote, kept };
}

describe('votes at higher Ballots', () => {
  it('of one owner keep none of its votes from making a Quorum', () => {
    const { vote } = bystander(4);
    for (let ballot = 2; ballot < 30; ballot++) vote(0, ballot);
    expect(kindsOf(vote(0, 1))).not.toContain('accepted');
    for (const owner of [1, 2]) vote(owner, 1);
    expect(kindsOf(vote(0, 1))).toContain('accepted');
    expect(kindsOf(vote(0, 1))).not.toContain('accepted');
  });

  it('of two liars among seven keep none of their votes from making a Quorum', () => {
    const { participant, group, metablock, child, vote } = bystander(7);
    const [liars, honest] = [
      [0, 1],
      [2, 3, 4],
    ];
    for (const ballot of [1, ...Array.from({ length: 40 }, (_, index) => index + 2)]) {
      for (const liar of liars!) vote(liar, ballot);
    }
    for (const owner of honest!) vote(owner, 1);
    // What was pushed out is heard again, from whoever kept it.
    for (const liar of liars!) vote(liar, 1);
    expect(participant.group(group).nodes.get(metablock.id)?.finalizableBallots).toEqual([1]);
    for (const owner of [0, 1]) for (let b = 50; b < 90; b++) vote(owner, b, child);
    for (const owner of [2, 3, 4, 0]) vote(owner, 1, child);
    expect(only(vote(1, 1, child), 'finalize')).toHaveLength(1);
  });

  it('that came before the others push out none of a Ballot that is near a Quorum', () => {
    const { participant, group, metablock, vote } = bystander(7);
    for (const owner of [0, 2, 3, 4]) vote(owner, 1);
    for (let ballot = 2; ballot < 60; ballot++) vote(0, ballot);
    vote(1, 1);
    expect(participant.group(group).nodes.get(metablock.id)?.finalizableBallots).toEqual([1]);
  });

  it('by all and for ever take no more room than the bound, and come to rest', () => {
    const { vote, kept } = bystander(7);
    for (let ballot = 1; ballot <= 200; ballot++) {
      for (const owner of [0, 1, 2, 3]) vote(owner, ballot);
    }
    expect(kept()).toBeLessThanOrEqual(7 * 3 * 16);
    let accepted = 0;
    for (let pass = 0; pass < 3; pass++) {
      accepted = 0;
      for (let ballot = 1; ballot <= 200; ballot++) {
        for (const owner of [0, 1, 2, 3]) {
          if (kindsOf(vote(owner, ballot)).includes('accepted')) accepted++;
        }
      }
    }
    expect(accepted).toBe(0);
  });

  it('of a Quorum each time are passed on once each, however many Ballots there were', () => {
    const { vote, participant, group, metablock } = bystander(4);
    for (let ballot = 1; ballot <= 40; ballot++) for (const owner of [0, 1, 2]) vote(owner, ballot);
    const node = participant.group(group).nodes.get(metablock.id)!;
    expect(node.finalizableBallots).toEqual(Array.from({ length: 16 }, (_, index) => index + 25));
    for (let ballot = 1; ballot <= 40; ballot++) {
      for (const owner of [0, 1, 2]) expect(vote(owner, ballot)).toEqual([]);
    }
  });

  it('by liars alone raise no floor: an honest vote at a low Ballot counts', () => {
    const { participant, group, metablock, vote } = bystander(7);
    for (let ballot = 10; ballot < 200; ballot++) for (const liar of [0, 1]) vote(liar, ballot);
    for (const owner of [2, 3, 4, 5, 6]) vote(owner, 1);
    expect(participant.group(group).nodes.get(metablock.id)?.finalizableBallots).toEqual([1]);
  });
});
