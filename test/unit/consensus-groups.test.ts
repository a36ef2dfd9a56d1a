import { describe, expect, it } from 'vitest';
import { describe as describeState } from '../../src/consensus/metablockchain.ts';
import type { Generation, Level } from '../../src/model/numbers.ts';
import {
  blockOf,
  certificateOf,
  groupOf,
  metablockOf,
  only,
  Participant,
  signersOf,
  signMetablock,
} from './consensus-fixture.ts';

const signers = signersOf(4);
const [first, second, third] = [signers[0]!, signers[1]!, signers[2]!];
const door = groupOf([first, second, third], 'door');
const lamp = groupOf([first, second, third], 'lamp');

describe('several groups', () => {
  it('travel in one Metablock and one Certificate where the turn is the same', () => {
    const participant = new Participant(second, [door, lamp]);
    const blocks = [door, lamp].map((group) => blockOf(first, group, null));
    for (const block of blocks) participant.block(block);
    const effects = participant.wait(40);
    const [metablock, child] = only(effects, 'send-metablock').map((each) => each.metablock);
    expect(metablock!.predecessors.map((each) => each.group)).toEqual([door.id, lamp.id].sort());
    expect([...metablock!.blocks].sort()).toEqual(blocks.map((block) => block.id).sort());
    expect(child!.predecessors.map((each) => each.metablock)).toEqual([
      metablock!.id,
      metablock!.id,
    ]);
    const [certificate, ...more] = only(effects, 'send-certificate');
    expect(more).toEqual([]);
    expect(certificate!.certificate.entries).toHaveLength(2);
  });

  it('of different priorities travel apart, the higher one first', () => {
    const lampFirst = (pact: string) => (pact === lamp.pact ? 'high' : 'low');
    const participant = new Participant(second, [door, lamp], { priorityOf: lampFirst });
    const blocks = [door, lamp].map((group) => blockOf(first, group, null));
    for (const block of blocks) participant.block(block);
    const sent = only(participant.wait(40), 'send-metablock').map((each) => each.metablock);
    const carrying = sent.filter((each) => each.blocks.length > 0);
    expect(carrying.map((each) => each.blocks)).toEqual([[blocks[1]!.id], [blocks[0]!.id]]);
    expect(carrying.map((each) => each.predecessors.length)).toEqual([1, 1]);
  });

  it('become final one by one: the one does not wait for the other', () => {
    const participant = new Participant(third, [door, lamp]);
    const blocks = [door, lamp].map((group) => blockOf(first, group, null));
    for (const block of blocks) participant.block(block);
    const predecessors = [door, lamp]
      .map((group) => ({ group: group.id, metablock: null }))
      .sort((a, b) => (a.group < b.group ? -1 : 1));
    const metablock = signMetablock(first, {
      generation: 0 as Generation,
      predecessors,
      blocks: blocks.map((block) => block.id),
      issuer: first.id,
    });
    participant.metablock(metablock);
    const child = metablockOf(first, door, metablock, []);
    participant.metablock(child);
    const effects = [first, second].flatMap((signer) =>
      participant.certificate(certificateOf(signer, door, child)),
    );
    const final = only(effects, 'finalize');
    expect(final).toHaveLength(1);
    expect(final[0]).toMatchObject({ head: { group: door.id }, blocks: [{ id: blocks[0]!.id }] });
    const open = describeState(participant.state).map(({ group, open }) => [group, open]);
    expect(Object.fromEntries(open)).toEqual({ [door.id]: false, [lamp.id]: true });
  });

  it('are judged apart: a Metablock may be well formed for one and not for the other', () => {
    const participant = new Participant(third, [door, lamp]);
    const good = blockOf(first, door, null);
    const gap = blockOf(first, lamp, blockOf(first, lamp, null));
    for (const block of [good, gap]) participant.block(block);
    const metablock = signMetablock(first, {
      generation: 0 as Generation,
      predecessors: [door, lamp]
        .map((group) => ({ group: group.id, metablock: null }))
        .sort((a, b) => (a.group < b.group ? -1 : 1)),
      blocks: [good.id, gap.id],
      issuer: first.id,
    });
    participant.metablock(metablock);
    expect(participant.group(door).nodes.has(metablock.id)).toBe(true);
    expect(participant.group(lamp).nodes.has(metablock.id)).toBe(false);
  });

  it('are no lie where the issuer owns but one: a second delivery is quiet', () => {
    const others = groupOf([second, third], 'others');
    const participant = new Participant(third, [door, others]);
    const block = blockOf(first, door, null);
    participant.block(block);
    const metablock = signMetablock(first, {
      generation: 0 as Generation,
      predecessors: [door, others]
        .map((group) => ({ group: group.id, metablock: null }))
        .sort((a, b) => (a.group < b.group ? -1 : 1)),
      blocks: [block.id],
      issuer: first.id,
    });
    expect(participant.metablock(metablock).map((each) => each.kind)).toContain('accepted');
    expect(participant.metablock(metablock)).toEqual([]);
  });

  it('need the header of every Block, also of groups that are not known here', () => {
    const participant = new Participant(third, [door]);
    const other = groupOf([first, second], 'elsewhere');
    const blocks = [blockOf(first, door, null), blockOf(first, other, null)];
    const metablock = signMetablock(first, {
      generation: 0 as Generation,
      predecessors: [door, other]
        .map((group) => ({ group: group.id, metablock: null }))
        .sort((a, b) => (a.group < b.group ? -1 : 1)),
      blocks: blocks.map((block) => block.id),
      issuer: first.id,
    });
    participant.block(blocks[0]!);
    participant.metablock(metablock);
    expect(describeState(participant.state)[0]!.held).toBe(1);
    expect(only(participant.wait(100), 'want')[0]!.blocks).toEqual([blocks[1]!.id]);
    participant.block(blocks[1]!, false);
    expect(participant.group(door).nodes.get(metablock.id)!.blocks).toEqual([blocks[0]]);
  });

  it('refuse a Block of a group that the Metablock does not name', () => {
    const participant = new Participant(third, [door, lamp]);
    const blocks = [blockOf(first, door, null), blockOf(first, lamp, null)];
    for (const block of blocks) participant.block(block);
    participant.metablock(metablockOf(first, door, null, blocks));
    expect(only(participant.wait(100), 'want')[0]!.blocks).toEqual([blocks[1]!.id]);
    const effects = participant.block(blocks[1]!);
    expect(only(effects, 'refused').map((each) => each.reason)).toEqual(['metablock-malformed']);
  });

  it('travel apart where their Generations lie further apart than one may leap', () => {
    const participant = new Participant(second, [door, lamp]);
    const block = blockOf(first, door, null);
    const far = signMetablock(first, {
      generation: (2 ** 32 - 1) as Generation,
      predecessors: [{ group: door.id, metablock: null }],
      blocks: [block.id],
      issuer: first.id,
    });
    participant.block(block);
    participant.metablock(far);
    for (const signer of [first, third]) participant.certificate(certificateOf(signer, door, far));
    participant.block(blockOf(third, lamp, null));
    const prepared = only(participant.wait(100), 'send-metablock').map((each) => each.metablock);
    expect(prepared.map((each) => each.predecessors.length)).toEqual(prepared.map(() => 1));
    expect(new Set(prepared.flatMap((each) => each.predecessors[0]!.group)).size).toBe(2);
  });

  it('end where no Generation is left, and take nobody down', () => {
    const participant = new Participant(second, [door, lamp]);
    const block = blockOf(first, door, null);
    const last = signMetablock(first, {
      generation: Number.MAX_SAFE_INTEGER as Generation,
      predecessors: [{ group: door.id, metablock: null }],
      blocks: [block.id],
      issuer: first.id,
    });
    const issuers = new Map([[first.id, { sequence: block.sequence, block: block.id }]]);
    const head = { group: door.id, metablock: last.id, level: 0 as Level, issuers, handOver: null };
    participant.store.apply({ kind: 'store-metablock', metablock: last });
    participant.store.apply({ kind: 'finalize', metablock: last, blocks: [block], head });
    participant.restart();
    for (const signer of [first, third]) participant.certificate(certificateOf(signer, door, last));
    for (const group of [door, lamp]) participant.block(blockOf(third, group, null));
    const prepared = only(participant.wait(100), 'send-metablock').map((each) => each.metablock);
    expect(new Set(prepared.map((each) => each.predecessors[0]!.group))).toEqual(
      new Set([lamp.id]),
    );
  });

  it('are added once, and those of a single owner not at all', () => {
    const participant = new Participant(first, [door]);
    participant.feed({ kind: 'group', group: door });
    participant.feed({ kind: 'group', group: lamp });
    participant.feed({ kind: 'group', group: groupOf([first], 'own') });
    expect(describeState(participant.state).map((each) => each.group)).toEqual(
      [door.id, lamp.id].sort(),
    );
  });
});
