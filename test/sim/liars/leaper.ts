import type { Ballot } from '../../../src/model/numbers.ts';
import type { Liar } from '../behaviour.ts';
import { highestBallot, nodesOf, pickGroup, signCertificate, signNote, tellAll } from './craft.ts';

/** Is at huge Ballots, and votes there. */
export function makeLeaper(): Liar {
  return {
    act(node, prng) {
      const group = pickGroup(node, prng);
      if (group === undefined) return;
      const leap = prng.pick([1, 2, 10, 2 ** 20, 2 ** 32, 2 ** 32 + 1, 2 ** 52]);
      const ballot = (highestBallot(group) + leap) as Ballot;
      tellAll(node, { kind: 'ballot-note', note: signNote(node, group.sync.id, ballot) });
      const nodes = nodesOf(group);
      if (nodes.length === 0 || prng.chance(0.5)) return;
      const entries = [{ group: group.sync.id, ballot }];
      const certificate = signCertificate(node, prng.pick(nodes).metablock.id, entries);
      tellAll(node, { kind: 'certificate', certificate });
    },
    speak(_node, _to, message) {
      if (message.kind !== 'digest') return [message];
      const groups = message.groups.map((digest) => ({ ...digest, ballot: (2 ** 40) as Ballot }));
      return [{ ...message, groups }];
    },
  };
}
