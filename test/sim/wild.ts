import type { ConsensusEffect } from '../../src/consensus/events.ts';
import { copyGroupState, type GroupState } from '../../src/consensus/group-state.ts';
import { hasOwnChild } from '../../src/consensus/metablock-intake.ts';
import { step } from '../../src/consensus/metablockchain.ts';
import { hasVoted, type Node } from '../../src/consensus/node.ts';
import { choosePending } from '../../src/consensus/pending-blocks.ts';
import { castVote, whatForbids } from '../../src/consensus/voting.ts';
import { Work } from '../../src/consensus/work.ts';
import { encodeMetablock, sealMetablock } from '../../src/model/metablock.ts';
import { type Ballot, type Generation, NO_GENERATION } from '../../src/model/numbers.ts';
import type { Behaviour } from './behaviour.ts';
import { sha256 } from './keyed-signer.ts';
import type { SimNode } from './node.ts';
import type { Prng } from './prng.ts';

/** Votes for anything and prepares on anything, at random, within the rules of voting. */
export const WILD: Behaviour = {
  act(node, prng) {
    if (node.state === null) return;
    const held = node.store.groups.filter((group) => group.owners.includes(node.id));
    if (held.length === 0) return;
    const work = new Work(node.context, node.state, node.localMs);
    const group = work.open(prng.pick(held).id);
    if (group === undefined) return;
    if (prng.chance(0.15)) prepareWild(node, work, group, prng);
    else voteWild(node, work, group, prng);
  },
};

function voteWild(node: SimNode, work: Work, group: GroupState, prng: Prng): void {
  const { ballot: own } = group;
  const highest = Math.max(own, ...group.seen.values());
  // Owners that never meet at a Ballot decide nothing, so new ones are rare.
  const ballot = (prng.chance(0.05) ? own + 1 : prng.pick([own, highest])) as Ballot;
  for (const candidate of prng.shuffle([...group.nodes.values()])) {
    const { id } = candidate.metablock;
    if (hasVoted(candidate, node.id, ballot)) continue;
    if (whatForbids(work, group, { metablock: id, ballot }) !== null) continue;
    castVote(work, group, candidate, ballot);
    const { state, effects } = work.finish();
    node.commit(state, effects, { event: null, from: null });
    return;
  }
}

/** On any Metablock, not on the head alone; one child of each, as everybody. */
function prepareWild(node: SimNode, work: Work, group: GroupState, prng: Prng): void {
  const anywhere: (Node | null)[] = [...group.nodes.values()];
  if (group.finalized === null) anywhere.push(null);
  if (anywhere.length === 0) return;
  const before = prng.pick(anywhere);
  const at = before?.metablock.id ?? null;
  if (hasOwnChild(work, group, at) || node.state === null) return;
  const probe = { ...copyGroupState(group), head: at };
  const blocks = choosePending(probe, 1 + prng.below(3));
  if (blocks.length === 0 && before?.carries !== true) return;
  const body = {
    generation: ((before?.metablock.generation ?? NO_GENERATION) + 1) as Generation,
    predecessors: [{ group: group.sync.id, metablock: at }],
    blocks: blocks.map((block) => block.id),
    issuer: node.id,
  };
  const metablock = sealMetablock(sha256, body, node.signer.sign(encodeMetablock(body)));
  const taken = step(node.context, node.state, { kind: 'metablock', metablock }, node.localMs);
  const effects: ConsensusEffect[] = [
    { kind: 'store-metablock', metablock },
    ...taken.effects,
    { kind: 'send-metablock', metablock },
  ];
  node.commit(taken.state, effects, { event: null, from: null });
}
