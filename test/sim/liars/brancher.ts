import type { Block, BlockId } from '../../../src/model/block.ts';
import type { Liar } from '../behaviour.ts';
import type { SimNode } from '../node.ts';
import type { Prng } from '../prng.ts';
import { signBlock } from './craft.ts';

/**
 * Its Causal Group has a branch for each of its peers, from some Block on, and whoever is to
 * prepare finds another one; it prepares nothing itself, and votes for nothing.
 */
export function makeBrancher(prng: Prng): Liar {
  const from = 1 + prng.below(3);
  const branches = new Map<SimNode, Map<BlockId, Block>>();
  const onBranch = (node: SimNode, to: SimNode, block: Block): Block => {
    const twins = branches.get(to) ?? new Map<BlockId, Block>();
    branches.set(to, twins);
    const known = twins.get(block.id);
    if (known !== undefined) return known;
    if (block.issuer !== node.id || block.sequence < from) return block;
    const before = block.previous === null ? undefined : node.store.blocks.get(block.previous);
    const previous = before === undefined ? block.previous : onBranch(node, to, before.block).id;
    const atMs = block.atMs + 1 + [...branches.keys()].indexOf(to);
    const twin = signBlock(node, { ...block, previous, atMs });
    twins.set(block.id, twin);
    return twin;
  };
  return {
    act: () => {},
    speak(node, to, message) {
      switch (message.kind) {
        case 'block':
          return [{ ...message, block: onBranch(node, to, message.block) }];
        case 'metablock':
          return message.metablock.issuer === node.id ? [] : [message];
        case 'certificate':
          return message.certificate.certifier === node.id ? [] : [message];
        default:
          return [message];
      }
    },
  };
}
