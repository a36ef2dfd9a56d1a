import { describe, expect, it } from 'vitest';
import {
  DEFAULT_SETTINGS,
  describe as describeState,
  nextDeadline,
} from '../../src/consensus/metablockchain.ts';
import { CONSENSUS_LIMITS } from '../../src/consensus/settings.ts';
import type { MetablockId } from '../../src/model/metablock.ts';
import type { Generation } from '../../src/model/numbers.ts';
import {
  blockOf,
  certificateOf,
  groupOf,
  kindsOf,
  metablockOf,
  only,
  Participant,
  signersOf,
  signMetablock,
  votesOf,
} from './consensus-fixture.ts';

const signers = signersOf(4);
const group = groupOf(signers);
const [first, second, third, fourth] = [signers[0]!, signers[1]!, signers[2]!, signers[3]!];

describe('what refers to something unknown', () => {
  it('is held, relayed and voted for once its parts are here, in any order', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    const child = metablockOf(first, group, metablock, []);
    const steps = [
      participant.certificate(certificateOf(first, group, metablock)),
      participant.certificate(certificateOf(second, group, metablock)),
      participant.metablock(child),
      participant.metablock(metablock),
    ];
    expect(steps.map((each) => kindsOf(each).includes('accepted'))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(votesOf(steps.flat())).toEqual([]);
    expect(votesOf(participant.block(block))).toEqual([`${metablock.id}@0`, `${child.id}@0`]);
  });

  it('asks for what is missing after a moment, then less and less often, then not any more', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    const child = metablockOf(first, group, metablock, []);
    participant.metablock(child);
    expect(kindsOf(participant.wait(CONSENSUS_LIMITS.wantDelayMs - 1))).not.toContain('want');
    expect(only(participant.wait(1), 'want')).toEqual([
      { kind: 'want', group: group.id, metablocks: [metablock.id], blocks: [] },
    ]);
    const gaps: number[] = [];
    for (let due = nextDeadline(participant.state); due !== null; ) {
      gaps.push(due - participant.nowMs);
      participant.nowMs = due;
      participant.wait(0);
      due = nextDeadline(participant.state);
    }
    expect(gaps).toHaveLength(CONSENSUS_LIMITS.wantAttemptsMax);
    expect(gaps[0]).toBe(CONSENSUS_LIMITS.wantRetryMs);
    expect(gaps.toSorted((a, b) => a - b)).toEqual(gaps);
    expect(gaps.at(-1)).toBeLessThanOrEqual(CONSENSUS_LIMITS.wantRetryMaxMs);
    expect(describeState(participant.state)[0]!.held).toBe(0);
  });

  it('is asked for on and on where an honest vote, or one here, rests on it', () => {
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    const vouched = new Participant(fourth, [group]);
    vouched.block(blockOf(fourth, group, null));
    for (const signer of [first, second]) {
      vouched.certificate(certificateOf(signer, group, metablock));
    }
    const lacking = new Participant(fourth, [group]);
    lacking.block(block, false);
    lacking.metablock(metablock);
    for (const participant of [vouched, lacking]) {
      const asked = Array.from({ length: 2 * CONSENSUS_LIMITS.wantAttemptsMax }, () =>
        only(participant.wait(CONSENSUS_LIMITS.wantRetryMaxMs), 'want'),
      );
      expect(asked.map((wants) => wants.length)).toEqual(asked.map(() => 1));
    }
  });

  it('is asked for in vain so often only where nothing is open, and anew at each Ballot', () => {
    const metablock = metablockOf(first, group, null, [blockOf(first, group, null)]);
    const participant = new Participant(fourth, [group]);
    for (const ballot of [0, 1]) {
      for (const signer of [first, second]) {
        participant.certificate(certificateOf(signer, group, metablock, ballot));
      }
      const asked = Array.from({ length: 3 * CONSENSUS_LIMITS.wantAttemptsMax }, () =>
        only(participant.wait(CONSENSUS_LIMITS.wantRetryMaxMs), 'want'),
      );
      const often = asked.filter((wants) => wants.length > 0).length;
      expect(often).toBeGreaterThanOrEqual(CONSENSUS_LIMITS.wantAttemptsMax);
      expect(often).toBeLessThanOrEqual(CONSENSUS_LIMITS.wantAttemptsMax + 1);
      expect(nextDeadline(participant.state)).toBeNull();
    }
  });

  it('is not asked for once it has come', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    participant.metablock(metablockOf(first, group, null, [block]));
    participant.block(block);
    expect(only(participant.wait(1000), 'want')).toEqual([]);
  });

  it('is held no more once what it waited for became a rival of what is final', () => {
    const participant = new Participant(fourth, [group]);
    const blocks = [first, second].map((signer) => blockOf(signer, group, null));
    for (const block of blocks) participant.block(block);
    const base = metablockOf(first, group, null, [blocks[0]!]);
    const chosen = metablockOf(first, group, base, []);
    const rival = metablockOf(second, group, base, [blocks[1]!]);
    const decided = metablockOf(third, group, chosen, [blocks[1]!]);
    const aboveRival = metablockOf(second, group, rival, []);
    for (const each of [chosen, rival, decided, aboveRival]) participant.metablock(each);
    for (const signer of [first, second, third]) {
      participant.certificate(certificateOf(signer, group, decided));
    }
    const effects = participant.metablock(base);
    expect(only(effects, 'finalize').map((each) => each.metablock.id)).toEqual([
      base.id,
      chosen.id,
    ]);
    expect(describeState(participant.state)[0]).toMatchObject({ held: 0 });
  });

  it('finds room for the Entries of a Block whose header is here, however many wait', () => {
    const participant = new Participant(fourth, [group]);
    const [known, more] = [blockOf(first, group, null), blockOf(first, group, null, [group.id])];
    participant.block(known, false);
    const state = participant.group(group);
    const counts = new Map([[first.id, CONSENSUS_LIMITS.pendingBlocksMax]]);
    const full = { ...state, blocks: { ...state.blocks, counts } };
    participant.state = {
      ...participant.state,
      groups: participant.state.groups.set(group.id, full),
    };
    expect(only(participant.block(more), 'refused').map((each) => each.reason)).toEqual([
      'held-too-many',
    ]);
    expect(only(participant.block(known, true), 'refused')).toEqual([]);
    expect(participant.group(group).blocks.byId.get(known.id)!.held).toBe(true);
  });

  it('is held within bounds, and one owner does not push out another', () => {
    const participant = new Participant(fourth, [group]);
    const honest = metablockOf(second, group, null, [blockOf(second, group, null)]);
    participant.metablock(honest);
    const { heldMax } = DEFAULT_SETTINGS;
    let refused = 0;
    for (let flood = 0; flood < 2 * heldMax; flood++) {
      const unknown = metablockOf(second, group, null, [blockOf(second, group, null)]).id;
      const body = {
        generation: (flood + 10) as Generation,
        predecessors: [{ group: group.id, metablock: idLike(unknown, flood) }],
        blocks: [],
        issuer: first.id,
      };
      refused += only(participant.metablock(signMetablock(first, body)), 'refused').length;
    }
    const { held } = describeState(participant.state)[0]!;
    expect(held).toBeLessThanOrEqual(1 + heldMax / signers.length);
    expect(refused).toBe(2 * heldMax - held + 1);
    expect(participant.group(group).held.has(honest.id)).toBe(true);
  });

  it('keeps a bounded number of Certificates of each owner', () => {
    const participant = new Participant(fourth, [group]);
    const kept = metablockOf(second, group, null, [blockOf(second, group, null)]);
    participant.certificate(certificateOf(second, group, kept));
    for (let flood = 0; flood < 1000; flood++) {
      const other = { ...kept, id: idLike(kept.id, flood) };
      participant.certificate(certificateOf(first, group, other));
    }
    const { heldCertificates } = participant.group(group);
    expect(heldCertificates.size).toBeLessThanOrEqual(
      1 + DEFAULT_SETTINGS.heldMax / signers.length,
    );
    expect(heldCertificates.has(kept.id)).toBe(true);
  });

  it('keeps so many children of one head by one issuer', () => {
    const participant = new Participant(fourth, [group]);
    let block = blockOf(first, group, null);
    const reasons: string[] = [];
    for (let child = 0; child < DEFAULT_SETTINGS.candidatesPerIssuerMax + 2; child++) {
      participant.block(block);
      const blocks = [...participant.group(group).blocks.byId].map(([, open]) => open.block);
      const ordered = blocks.sort((a, b) => a.sequence - b.sequence);
      const effects = participant.metablock(metablockOf(second, group, null, ordered));
      reasons.push(...only(effects, 'refused').map((each) => each.reason));
      block = blockOf(first, group, block);
    }
    expect(reasons).toEqual(['held-too-many', 'held-too-many']);
  });

  it('makes room for what an honest owner voted for', () => {
    const participant = new Participant(fourth, [group]);
    let block = blockOf(first, group, null);
    const blocks = [block];
    for (let child = 0; child < DEFAULT_SETTINGS.candidatesPerIssuerMax; child++) {
      participant.block(block);
      participant.metablock(metablockOf(second, group, null, blocks));
      block = blockOf(first, group, block);
      blocks.push(block);
    }
    participant.block(block);
    const more = metablockOf(second, group, null, blocks);
    participant.certificate(certificateOf(first, group, more));
    expect(only(participant.metablock(more), 'refused')).toHaveLength(1);
    participant.certificate(certificateOf(third, group, more));
    expect(only(participant.metablock(more), 'accepted')).toHaveLength(1);
  });
});

describe('what is long decided', () => {
  it('is quiet: late votes and Metablocks are not even judged', () => {
    const participant = new Participant(fourth, [group]);
    const block = blockOf(first, group, null);
    const metablock = metablockOf(first, group, null, [block]);
    const child = metablockOf(first, group, metablock, []);
    const next = blockOf(first, group, block);
    const last = metablockOf(second, group, child, [next]);
    for (const each of [block, next]) participant.block(each);
    for (const each of [metablock, child, last]) {
      participant.metablock(each);
      for (const signer of [first, second, third]) {
        participant.certificate(certificateOf(signer, group, each));
      }
    }
    expect(describeState(participant.state)[0]).toMatchObject({ finalizedLevel: 1 });
    expect(participant.metablock(metablock)).toEqual([]);
    expect(participant.certificate(certificateOf(third, group, metablock, 5))).toEqual([]);
    const rival = metablockOf(second, group, null, [block]);
    expect(kindsOf(participant.metablock(rival))).toEqual([]);
  });
});

/** An id that nobody has, one of many. */
function idLike(id: MetablockId, index: number): MetablockId {
  return (index.toString(16).padStart(8, '0') + id.slice(8)) as MetablockId;
}
