import type { GroupState } from '../../../src/consensus/group-state.ts';
import { toHex32 } from '../../../src/model/bytes.ts';
import type { Metablock } from '../../../src/model/metablock.ts';
import type { Ballot, CausalSequence, Generation } from '../../../src/model/numbers.ts';
import type { Liar } from '../behaviour.ts';
import { sha256 } from '../keyed-signer.ts';
import type { Message } from '../message.ts';
import type { SimNode } from '../node.ts';
import type { Prng } from '../prng.ts';
import {
  childOf,
  highestBallot,
  nodesOf,
  pickGroup,
  signBlock,
  signCertificate,
  signMetablock,
  tellSome,
} from './craft.ts';

function someId(prng: Prng) {
  return toHex32(sha256(new TextEncoder().encode(`nothing ${prng.below(2 ** 31)}`)));
}

function metablock(node: SimNode, group: GroupState, prng: Prng): Metablock {
  const nodes = nodesOf(group);
  const before = nodes.length === 0 ? null : prng.pick(nodes).metablock;
  const known = [...group.blocks.byId].map(([, { block }]) => block);
  const plain = childOf(node, group, { before, blocks: known.slice(0, 3) });
  return prng.pick([
    () => childOf(node, group, { before, blocks: [] }),
    () => childOf(node, group, { before, blocks: known.toReversed() }),
    () => childOf(node, group, { before, blocks: known.slice(1), leap: 2 ** 31 }),
    () => signMetablock(node, { ...plain, blocks: [someId(prng), someId(prng)] }),
    () => signMetablock(node, { ...plain, generation: 0 as Generation }),
    () => signMetablock(node, { ...plain, generation: (2 ** 53 - 1) as Generation }),
    () =>
      signMetablock(node, {
        ...plain,
        predecessors: [{ group: group.sync.id, metablock: someId(prng) }],
      }),
    () =>
      signMetablock(node, { ...plain, predecessors: [{ group: someId(prng), metablock: null }] }),
    () => childOf(node, group, { before: null, blocks: known.slice(0, 1) }),
  ])();
}

function certificate(node: SimNode, group: GroupState, prng: Prng) {
  const ballot = prng.pick([0, highestBallot(group), 2 ** 53 - 1]) as Ballot;
  const nodes = nodesOf(group);
  const of = nodes.length > 0 && prng.chance(0.5) ? prng.pick(nodes).metablock.id : someId(prng);
  const groups = [group.sync.id, someId(prng)].slice(0, 1 + prng.below(2)).sort();
  return signCertificate(
    node,
    of,
    groups.map((each) => ({ group: each, ballot })),
  );
}

function block(node: SimNode, group: GroupState, prng: Prng) {
  const last = node.store.causalGroup(group.sync.id, node.id).at(-1);
  return signBlock(node, {
    group: group.sync.id,
    issuer: node.id,
    sequence: ((last?.sequence ?? 0) + prng.pick([2, 5, 1000, 2 ** 40])) as CausalSequence,
    previous: someId(prng),
    dependencies: [someId(prng), someId(prng)].sort(),
    entryCount: 1,
    byteLength: 8,
    merkleRoot: new Uint8Array(32),
    atMs: 0,
  });
}

/** Nonsense under a good signature. */
export function makeBabbler(): Liar {
  return {
    act(node, prng) {
      const group = pickGroup(node, prng);
      if (group === undefined) return;
      const message = prng.pick<() => Message>([
        () => ({ kind: 'metablock', metablock: metablock(node, group, prng) }),
        () => ({ kind: 'metablock', metablock: metablock(node, group, prng) }),
        () => ({ kind: 'certificate', certificate: certificate(node, group, prng) }),
        () => ({ kind: 'block', block: block(node, group, prng), held: prng.chance(0.5) }),
        () => ({ kind: 'want', metablocks: [someId(prng)], blocks: [someId(prng)] }),
      ]);
      tellSome(node, message(), prng);
    },
    speak(_node, _to, message, prng) {
      if (message.kind !== 'digest' || prng.chance(0.5)) return [message];
      const groups = message.groups.map((digest) => ({
        ...digest,
        finalizedLevel: prng.below(1000) - 1,
        head: someId(prng),
        isOpen: prng.chance(0.5),
        frontier: new Map([...digest.frontier].map(([owner]) => [owner, prng.below(50)])),
      }));
      return [{ ...message, groups }];
    },
  };
}
