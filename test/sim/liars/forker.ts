import type { Block, BlockId } from '../../../src/model/block.ts';
import type { Metablock, MetablockId } from '../../../src/model/metablock.ts';
import type { Liar } from '../behaviour.ts';
import type { SimNode } from '../node.ts';
import type { Prng } from '../prng.ts';
import { sideOf, signBlock, signCertificate, signMetablock } from './craft.ts';

/** Its Causal Group has a branch for each half of its peers, from some Block on. */
export function makeForker(prng: Prng): Liar {
  const from = 1 + prng.below(4);
  const twins = new Map<BlockId, Block>();
  const metablocks = new Map<MetablockId, Metablock>();
  const twinOf = (node: SimNode, block: Block): Block => {
    const known = twins.get(block.id);
    if (known !== undefined) return known;
    if (block.issuer !== node.id || block.sequence < from) return block;
    const before = block.previous === null ? undefined : node.store.blocks.get(block.previous);
    const previous = before === undefined ? block.previous : twinOf(node, before.block).id;
    const twin = signBlock(node, { ...block, previous, atMs: block.atMs + 1 });
    twins.set(block.id, twin);
    return twin;
  };
  const twinMetablock = (node: SimNode, metablock: Metablock): Metablock => {
    const blocks = metablock.blocks.map((id) => {
      const block = node.store.blocks.get(id)?.block;
      return block === undefined ? id : twinOf(node, block).id;
    });
    const twin = signMetablock(node, { ...metablock, blocks });
    metablocks.set(metablock.id, twin);
    return twin;
  };
  return {
    act: () => {},
    speak(node, to, message) {
      if (sideOf(to) === 0) return [message];
      if (message.kind === 'block') return [{ ...message, block: twinOf(node, message.block) }];
      if (message.kind === 'metablock' && message.metablock.issuer === node.id) {
        return [{ kind: 'metablock', metablock: twinMetablock(node, message.metablock) }];
      }
      if (message.kind === 'certificate' && message.certificate.certifier === node.id) {
        const twin = metablocks.get(message.certificate.metablock);
        if (twin === undefined) return [message];
        const certificate = signCertificate(node, twin.id, message.certificate.entries);
        return [message, { kind: 'certificate', certificate }];
      }
      return [message];
    },
  };
}
