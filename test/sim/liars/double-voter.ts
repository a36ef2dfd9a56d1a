import type { Ballot } from '../../../src/model/numbers.ts';
import type { Liar } from '../behaviour.ts';
import { highestBallot, nodesOf, pickGroup, signCertificate, tellAll, tellSome } from './craft.ts';

/** Certifies everything at every Ballot, rivals as well; now to all, now to some. */
export function makeDoubleVoter(): Liar {
  return {
    act(node, prng) {
      const group = pickGroup(node, prng);
      if (group === undefined) return;
      const highest = highestBallot(group);
      const ballot = prng.pick([highest, highest, highest + 1, prng.below(highest + 1)]) as Ballot;
      const entries = [{ group: group.sync.id, ballot }];
      for (const { metablock } of nodesOf(group)) {
        const certificate = signCertificate(node, metablock.id, entries);
        if (prng.chance(0.5)) tellAll(node, { kind: 'certificate', certificate });
        else tellSome(node, { kind: 'certificate', certificate }, prng);
      }
    },
  };
}
