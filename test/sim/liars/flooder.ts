import type { Ballot } from '../../../src/model/numbers.ts';
import type { Liar } from '../behaviour.ts';
import {
  childOf,
  highestBallot,
  nodesOf,
  pickGroup,
  signCertificate,
  signNote,
  tellAll,
} from './craft.ts';

/** Messages at one deed; what a link lets through. */
const BURST = 8;

/** Sends as much as a link takes, all of it well formed. */
export function makeFlooder(): Liar {
  let leap = 0;
  return {
    act(node, prng) {
      const group = pickGroup(node, prng);
      if (group === undefined) return;
      node.issueBlock(group.sync);
      const nodes = nodesOf(group);
      const blocks = [...group.blocks.byId].slice(0, 4).map(([, open]) => open.block);
      for (let count = 0; count < BURST; count++) {
        const before = nodes.length === 0 ? null : prng.pick(nodes).metablock;
        const metablock = childOf(node, group, { before, blocks, leap: leap++ });
        tellAll(node, { kind: 'metablock', metablock });
        const ballot = (highestBallot(group) + prng.below(40)) as Ballot;
        const entries = [{ group: group.sync.id, ballot }];
        const certificate = signCertificate(node, metablock.id, entries);
        tellAll(node, { kind: 'certificate', certificate });
        tellAll(node, { kind: 'ballot-note', note: signNote(node, group.sync.id, ballot) });
      }
    },
  };
}
