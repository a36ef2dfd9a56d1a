import { compareText } from '../../../src/model/bytes.ts';
import { type Approval, encodeHandOver, encodeSuccession } from '../../../src/model/hand-over.ts';
import { type AvatarId, deriveQuorum, type SyncGroup } from '../../../src/model/sync-group.ts';
import type { Liar } from '../behaviour.ts';
import type { SimNode } from '../node.ts';
import type { Prng } from '../prng.ts';

/** Once so many of its deeds. */
const RARELY = 0.1;

/**
 * Hands the group over to itself: with its own approval alone, with approvals of others that are
 * forged, or that were given for something else. It votes for what it says.
 */
export function makeUsurper(prng: Prng): Liar {
  const way = prng.pick(['alone', 'forged', 'of-another'] as const);
  const done = new Set<string>();
  return {
    act(node, chance) {
      if (!chance.chance(RARELY)) return;
      const group = node.store.groups.find(
        ({ id, owners }) => owners.length > 1 && owners.includes(node.id) && !done.has(id),
      );
      if (group === undefined || node.store.ended.has(group.id)) return;
      done.add(group.id);
      const payload = encodeHandOver(claim(node, group, way));
      const block = node.makeBlock(group, { entryCount: 0, payload });
      node.store.payloads.set(block.id, payload);
      node.publish(block);
    },
  };
}

function claim(node: SimNode, group: SyncGroup, way: 'alone' | 'forged' | 'of-another') {
  const { id, quorumPolicy, availability } = group;
  const succession = { group: id, owners: [node.id], quorumPolicy, availability };
  const own = { owner: node.id, signature: node.signer.sign(encodeSuccession(succession)) };
  const others = group.owners
    .filter((owner) => owner !== node.id)
    .slice(0, deriveQuorum(group.owners.length, quorumPolicy) - 1)
    .map((owner) => approvalOf(node, owner, way));
  const approvals = (way === 'alone' ? [own] : [own, ...others]).sort((a, b) =>
    compareText(a.owner, b.owner),
  );
  return { succession, approvals };
}

/** A signature that is not theirs, or is, but over something else. */
function approvalOf(
  node: SimNode,
  owner: AvatarId,
  way: 'forged' | 'of-another' | 'alone',
): Approval {
  const theirs = [...node.store.certificates.values()]
    .flatMap((certificates) => [...certificates.values()])
    .find(({ certifier }) => certifier === owner);
  const isForged = way === 'forged' || theirs === undefined;
  return { owner, signature: isForged ? new Uint8Array(64).fill(7) : theirs.signature };
}
