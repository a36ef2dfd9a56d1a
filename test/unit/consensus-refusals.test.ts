import { describe, expect, it } from 'vitest';
import type { ConsensusEffect, RefusalReason } from '../../src/consensus/events.ts';
import { CONSENSUS_LIMITS } from '../../src/consensus/settings.ts';
import {
  METABLOCK_BLOCKS_MAX,
  type Metablock,
  type MetablockBody,
  PREDECESSORS_MAX,
} from '../../src/model/metablock.ts';
import type { Generation } from '../../src/model/numbers.ts';
import { KeyedSigner } from '../sim/keyed-signer.ts';
import {
  blockOf,
  certificateOf,
  groupOf,
  kindsOf,
  metablockOf,
  noteOf,
  only,
  Participant,
  signersOf,
  signMetablock,
} from './consensus-fixture.ts';

const signers = signersOf(4);
const group = groupOf(signers);
const [first, second, fourth] = [signers[0]!, signers[1]!, signers[3]!];
const stranger = new KeyedSigner('a stranger');

function reasonsOf(effects: readonly ConsensusEffect[]): RefusalReason[] {
  expect(kindsOf(effects)).not.toContain('accepted');
  return only(effects, 'refused').map((each) => each.reason);
}

/** A Participant that knows the first Blocks of two owners. */
function knowing() {
  const participant = new Participant(fourth, [group]);
  const one = blockOf(first, group, null);
  const two = blockOf(first, group, one);
  const other = blockOf(second, group, null);
  for (const block of [one, two, other]) participant.block(block);
  return { participant, one, two, other };
}

function body(some: Partial<MetablockBody>): MetablockBody {
  return {
    generation: 0 as Generation,
    predecessors: [{ group: group.id, metablock: null }],
    blocks: [],
    issuer: first.id,
    ...some,
  };
}

describe('a Metablock is refused', () => {
  it('when its signature is not that of its issuer', () => {
    const { participant, one } = knowing();
    const forged = signMetablock(second, body({ blocks: [one.id] }));
    expect(reasonsOf(participant.metablock(forged))).toEqual(['metablock-forged']);
  });

  it('when its issuer owns none of its groups', () => {
    const { participant, one } = knowing();
    const foreign = signMetablock(stranger, body({ blocks: [one.id], issuer: stranger.id }));
    expect(reasonsOf(participant.metablock(foreign))).toEqual(['metablock-not-by-owner']);
  });

  it('when it names too many predecessors', () => {
    const { participant, one } = knowing();
    const many = (count: number) => {
      const others = Array.from({ length: count - 1 }, (_, index) => ({
        group: (index.toString(16).padStart(4, '0') + group.id.slice(4)) as typeof group.id,
        metablock: null,
      }));
      const predecessors = [...others, { group: group.id, metablock: null }];
      const sorted = predecessors.sort((a, b) => (a.group < b.group ? -1 : 1));
      return signMetablock(first, body({ predecessors: sorted, blocks: [one.id] }));
    };
    expect(reasonsOf(participant.metablock(many(PREDECESSORS_MAX + 1)))).toEqual([
      'metablock-too-many-predecessors',
    ]);
    expect(kindsOf(participant.metablock(many(PREDECESSORS_MAX)))).toContain('accepted');
  });

  const malformed: [string, (known: ReturnType<typeof knowing>) => Metablock][] = [
    ['when a Block stands in it twice', ({ one }) => metablockOf(first, group, null, [one, one])],
    ['when it leaves a gap', ({ two }) => metablockOf(first, group, null, [two])],
    [
      'when it turns a Causal Group round',
      ({ one, two }) => metablockOf(first, group, null, [two, one]),
    ],
    ['when it carries nothing and closes nothing', () => metablockOf(first, group, null, [])],
    [
      'when it has more Blocks than any may carry',
      ({ one }) => ({
        ...metablockOf(first, group, null, [one]),
        blocks: Array.from({ length: METABLOCK_BLOCKS_MAX + 1 }, () => one.id),
      }),
    ],
    [
      'when its Generation leaps too far',
      ({ one }) =>
        signMetablock(first, body({ generation: (2 ** 32) as Generation, blocks: [one.id] })),
    ],
  ];

  it.each(malformed)('%s', (_law, make) => {
    const known = knowing();
    expect(reasonsOf(known.participant.metablock(make(known)))).toEqual(['metablock-malformed']);
  });

  it('when its Generation is not above that of its predecessor', () => {
    const { participant, one, two } = knowing();
    const before = metablockOf(first, group, null, [one]);
    participant.metablock(before);
    const predecessors = [{ group: group.id, metablock: before.id }];
    const level = signMetablock(
      second,
      body({ predecessors, blocks: [two.id], issuer: second.id }),
    );
    expect(reasonsOf(participant.metablock(level))).toEqual(['metablock-malformed']);
  });

  it('when a Block does not follow the one before it on this chain', () => {
    const { participant, one } = knowing();
    const fork = { ...blockOf(first, group, blockOf(first, group, null, [one.id])) };
    participant.block(fork);
    const before = metablockOf(first, group, null, [one]);
    participant.metablock(before);
    const after = metablockOf(second, group, before, [fork]);
    expect(reasonsOf(participant.metablock(after))).toEqual(['metablock-malformed']);
  });

  it('when a child of it was: nothing that waits for a malformed one is kept', () => {
    const { participant, two } = knowing();
    const bad = metablockOf(first, group, null, [two]);
    const child = metablockOf(second, group, bad, []);
    participant.metablock(child);
    expect(participant.group(group).held.size).toBe(1);
    participant.metablock(bad);
    expect(participant.group(group).held.size).toBe(0);
    expect(participant.metablock(bad)).toEqual([]);
  });
});

describe('a Certificate is refused', () => {
  const metablock = metablockOf(first, group, null, [blockOf(first, group, null)]);

  it('when its signature is not that of its certifier', () => {
    const { participant } = knowing();
    const forged = { ...certificateOf(second, group, metablock), certifier: first.id };
    expect(reasonsOf(participant.certificate(forged))).toEqual(['certificate-forged']);
  });

  it('when its certifier owns no group that it names', () => {
    const { participant } = knowing();
    const foreign = certificateOf(stranger, group, metablock);
    expect(reasonsOf(participant.certificate(foreign))).toEqual(['certificate-not-by-owner']);
  });

  it('when its Ballot leaps beyond all bounds', () => {
    const { participant } = knowing();
    const { ballotJumpMax } = CONSENSUS_LIMITS;
    const leap = certificateOf(second, group, metablock, ballotJumpMax + 1);
    expect(reasonsOf(participant.certificate(leap))).toEqual(['certificate-ballot-too-high']);
    const near = certificateOf(second, group, metablock, ballotJumpMax);
    expect(kindsOf(participant.certificate(near))).toContain('accepted');
  });
});

describe('a ballot note is refused', () => {
  it('when its signature is not that of its owner', () => {
    const { participant } = knowing();
    const note = { ...noteOf(second, group, 1), owner: first.id };
    expect(reasonsOf(participant.feed({ kind: 'ballot-note', note }))).toEqual([
      'ballot-note-forged',
    ]);
  });

  it('when it comes from nobody who owns the group', () => {
    const { participant } = knowing();
    const note = noteOf(stranger, group, 1);
    expect(reasonsOf(participant.feed({ kind: 'ballot-note', note }))).toEqual([
      'ballot-note-not-by-owner',
    ]);
  });
});
