import { type CutBody, type CutSignature, encodeCut, sealCut } from '../../../src/model/cut.ts';
import type { CausalSequence, EntrySequence, Level } from '../../../src/model/numbers.ts';
import type { SyncGroup } from '../../../src/model/sync-group.ts';
import type { Liar } from '../behaviour.ts';
import { beginningOf } from '../exchange.ts';
import type { SimNode } from '../node.ts';
import type { Prng } from '../prng.ts';
import { childOf, tellAll } from './craft.ts';

/**
 * Signs that the group stands where it does not, and offers it to begin at: with its own signature
 * alone, with forged ones, or with those of another cut. What is certified it offers too, old or
 * new, to whoever did not ask.
 */
export function makeCutter(): Liar {
  return {
    act(node, prng) {
      const group = node.store.groups.find(({ owners }) => owners.includes(node.id));
      const state = group === undefined ? undefined : node.state?.groups.get(group.id);
      const head = group === undefined ? undefined : node.store.heads.get(group.id);
      const place = group === undefined ? undefined : node.store.cuts.get(group.id);
      if (group === undefined || state === undefined || head === undefined) return;
      if (place !== undefined && prng.chance(0.3)) {
        tellAll(node, beginningOf(node.store, place));
        return;
      }
      const before = node.store.metablocks.get(head.metablock) ?? null;
      const metablock = childOf(node, state, { before, blocks: [], leap: prng.below(9) });
      const isAhead = prng.chance(0.5);
      const level = (isAhead ? head.level + 1 + prng.below(50) : head.level) as Level;
      const lastSequence = (node.store.lastSequence(group.id) + prng.below(9)) as EntrySequence;
      const tips = [{ issuer: node.id, sequence: 1 as CausalSequence, block: metablock.id }];
      const body = { group: group.id, level, metablock: metablock.id, lastSequence, tips };
      const cut = sealCut(body, sign(node, group, { body, prng }));
      tellAll(node, { kind: 'cut', cut, metablock, isAnswer: prng.chance(0.8) });
    },
  };
}

function sign(
  node: SimNode,
  group: SyncGroup,
  { body, prng }: { readonly body: CutBody; readonly prng: Prng },
): CutSignature[] {
  const own = { owner: node.id, signature: node.signer.sign(encodeCut(body)) };
  const others = group.owners.filter((owner) => owner !== node.id);
  switch (prng.below(3)) {
    case 0:
      return [own];
    case 1:
      return [own, ...others.map((owner) => ({ owner, signature: own.signature }))];
    default:
      return [own, ...(node.store.cuts.get(group.id)?.signatures ?? [])];
  }
}
