import type { GroupState } from '../../../src/consensus/group-state.ts';
import type { Node } from '../../../src/consensus/node.ts';
import {
  type Block,
  type BlockHeader,
  encodeBlockHeader,
  sealBlock,
} from '../../../src/model/block.ts';
import {
  type BallotNote,
  type Certificate,
  type CertificateEntry,
  encodeBallotNote,
  encodeCertificate,
  sealBallotNote,
  sealCertificate,
} from '../../../src/model/certificate.ts';
import {
  encodeMetablock,
  type Metablock,
  type MetablockBody,
  type MetablockId,
  sealMetablock,
} from '../../../src/model/metablock.ts';
import type { Ballot, Generation } from '../../../src/model/numbers.ts';
import type { GroupId } from '../../../src/model/sync-group.ts';
import { sha256 } from '../keyed-signer.ts';
import type { Message } from '../message.ts';
import type { SimNode } from '../node.ts';
import type { Prng } from '../prng.ts';

/** Signs whatever it says there. */
export function signMetablock(node: SimNode, body: MetablockBody): Metablock {
  const { generation, predecessors, blocks, issuer } = body;
  const bytes = encodeMetablock({ generation, predecessors, blocks, issuer });
  return sealMetablock(
    sha256,
    { generation, predecessors, blocks, issuer },
    node.signer.sign(bytes),
  );
}

export function signCertificate(
  node: SimNode,
  metablock: MetablockId,
  entries: readonly CertificateEntry[],
): Certificate {
  const body = { metablock, certifier: node.id, entries };
  return sealCertificate(body, node.signer.sign(encodeCertificate(body)));
}

export function signNote(node: SimNode, group: GroupId, ballot: Ballot): BallotNote {
  const body = { group, ballot, owner: node.id };
  return sealBallotNote(body, node.signer.sign(encodeBallotNote(body)));
}

export function signBlock(node: SimNode, header: BlockHeader): Block {
  return sealBlock(sha256, header, node.signer.sign(encodeBlockHeader(header)));
}

/** A group that it owns, as its own core sees it; undefined where there is none. */
export function pickGroup(node: SimNode, prng: Prng): GroupState | undefined {
  const owned = node.store.groups.filter(
    ({ owners }) => owners.length > 1 && owners.includes(node.id),
  );
  if (owned.length === 0) return undefined;
  return node.state?.groups.get(prng.pick(owned).id);
}

/** Metablocks of the group that stand above the finalized head, or are it. */
export function nodesOf(group: GroupState): readonly Node[] {
  return [...group.nodes.values()];
}

/** The highest Ballot that anybody is known to be at. */
export function highestBallot(group: GroupState): Ballot {
  return Math.max(group.ballot, ...group.seen.values()) as Ballot;
}

/** A child of `before`, of this group alone. */
export function childOf(
  node: SimNode,
  group: GroupState,
  plan: {
    readonly before: Metablock | null;
    readonly blocks: readonly Block[];
    readonly leap?: number;
  },
): Metablock {
  const generation = (plan.before?.generation ?? -1) + 1 + (plan.leap ?? 0);
  return signMetablock(node, {
    generation: generation as Generation,
    predecessors: [{ group: group.sync.id, metablock: plan.before?.id ?? null }],
    blocks: plan.blocks.map((block) => block.id),
    issuer: node.id,
  });
}

export function tellAll(node: SimNode, message: Message): void {
  for (const peer of node.around.peersOf(node)) node.around.send(node, peer, message);
}

export function tellSome(node: SimNode, message: Message, prng: Prng): void {
  for (const peer of node.around.peersOf(node)) {
    if (prng.chance(0.5)) node.around.send(node, peer, message);
  }
}

/** On which of two sides a peer stands; the same throughout a run. */
export function sideOf(peer: SimNode): 0 | 1 {
  return Number.parseInt(peer.id.slice(-1), 16) % 2 === 0 ? 0 : 1;
}
