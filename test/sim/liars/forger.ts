import { sealBlock } from '../../../src/model/block.ts';
import { sealBallotNote, sealCertificate } from '../../../src/model/certificate.ts';
import { sealMetablock } from '../../../src/model/metablock.ts';
import type { Ballot, Generation } from '../../../src/model/numbers.ts';
import type { AvatarId } from '../../../src/model/sync-group.ts';
import type { Liar } from '../behaviour.ts';
import { sha256 } from '../keyed-signer.ts';
import type { Message } from '../message.ts';
import type { SimNode } from '../node.ts';
import { highestBallot, nodesOf, pickGroup, tellAll } from './craft.ts';

const REMEMBERED = 100;

/** So much above a number that another liar may have driven as far as a codec writes. */
function above(value: number, by: number): number {
  return Math.min(value + by, Number.MAX_SAFE_INTEGER);
}

/** The same message with another's name on it, or with other words above a good signature. */
function forge(node: SimNode, message: Message, name: AvatarId): Message {
  switch (message.kind) {
    case 'block': {
      const { block } = message;
      const header = { ...block, issuer: name, atMs: block.atMs + 7 };
      return { ...message, block: sealBlock(sha256, header, block.signature) };
    }
    case 'metablock': {
      const { metablock } = message;
      const generation = above(metablock.generation, 3) as Generation;
      const body = { ...metablock, generation, issuer: name };
      return { ...message, metablock: sealMetablock(sha256, body, metablock.signature) };
    }
    case 'certificate': {
      const { certificate } = message;
      const entries = certificate.entries.map(({ group, ballot }) => ({
        group,
        ballot: above(ballot, 1) as Ballot,
      }));
      const body = { metablock: certificate.metablock, certifier: name, entries };
      return { ...message, certificate: sealCertificate(body, certificate.signature) };
    }
    case 'ballot-note': {
      const ballot = above(message.note.ballot, 5) as Ballot;
      const body = { ...message.note, owner: name, ballot };
      return { ...message, note: sealBallotNote(body, node.signer.sign(message.note.bytes)) };
    }
    default:
      return message;
  }
}

/** Forges the signatures of the other owners. */
export function makeForger(): Liar {
  const heard: Message[] = [];
  return {
    act(node, prng) {
      const group = pickGroup(node, prng);
      if (group === undefined) return;
      const others = group.sync.owners.filter((owner) => owner !== node.id);
      if (heard.length > 0) tellAll(node, forge(node, prng.pick(heard), prng.pick(others)));
      // A whole Quorum for some Metablock, every signature its own.
      const nodes = nodesOf(group);
      if (nodes.length === 0) return;
      const { metablock } = prng.pick(nodes);
      const entries = [{ group: group.sync.id, ballot: highestBallot(group) }];
      for (const certifier of others) {
        const body = { metablock: metablock.id, certifier, entries };
        const certificate = sealCertificate(body, node.signer.sign(metablock.bytes));
        tellAll(node, { kind: 'certificate', certificate });
      }
    },
    hear(_node, message) {
      if (heard.length < REMEMBERED) heard.push(message);
    },
  };
}
