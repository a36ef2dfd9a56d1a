import type { GroupState } from '../../../src/consensus/group-state.ts';
import { headNode } from '../../../src/consensus/group-state.ts';
import type { Metablock } from '../../../src/model/metablock.ts';
import type { Liar } from '../behaviour.ts';
import type { SimNode } from '../node.ts';
import { childOf, highestBallot, pickGroup, signCertificate, tellAll } from './craft.ts';
import { grind } from './grinder.ts';

/** Metablocks that it is ahead of the head. */
const AHEAD = 8;

/**
 * Signs a long chain of its own in advance, ground for low Issuing Hashes, so that its next
 * Metablock is there before anybody else's; and votes for nothing else.
 */
export function makeCensor(): Liar {
  let chain: Metablock[] = [];
  const extend = (node: SimNode, group: GroupState) => {
    const head = headNode(group);
    const at = chain.findIndex((each) => each.id === head?.metablock.id);
    chain = chain.slice(at + 1);
    if (at < 0) chain = [];
    let tip = chain.at(-1) ?? head?.metablock ?? null;
    let carried = head?.issuers.get(node.id)?.sequence ?? 0;
    for (const { blocks } of chain) carried += blocks.length;
    while (chain.length < AHEAD) {
      const block = node.store.causalGroup(group.sync.id, node.id)[carried++];
      if (block === undefined) break;
      tip = grind(node, childOf(node, group, { before: tip, blocks: [block] }));
      chain.push(tip);
      tellAll(node, { kind: 'metablock', metablock: tip });
    }
  };
  return {
    act(node, prng) {
      const group = pickGroup(node, prng);
      if (group === undefined) return;
      const { id } = group.sync;
      const own = node.store.causalGroup(id, node.id).length;
      const final = group.finalized?.issuers.get(node.id)?.sequence ?? 0;
      for (let count = own - final; count < 2 * AHEAD; count++) node.issueBlock(group.sync);
      const now = node.state?.groups.get(id);
      if (now === undefined) return;
      extend(node, now);
      const entries = [{ group: id, ballot: highestBallot(now) }];
      for (const metablock of chain.slice(0, 3)) {
        const certificate = signCertificate(node, metablock.id, entries);
        tellAll(node, { kind: 'certificate', certificate });
      }
    },
    speak(node, _to, message) {
      const isOwn = message.kind === 'metablock' && message.metablock.issuer === node.id;
      return isOwn || message.kind === 'certificate' ? [] : [message];
    },
  };
}
