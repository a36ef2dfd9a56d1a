import type { Metablock, MetablockId } from '../../../src/model/metablock.ts';
import type { Generation } from '../../../src/model/numbers.ts';
import type { Liar } from '../behaviour.ts';
import type { SimNode } from '../node.ts';
import { signCertificate, signMetablock } from './craft.ts';

const ATTEMPTS = 8;

/** Of many Metablocks that say the same, the one with the lowest Issuing Hash. */
export function grind(node: SimNode, metablock: Metablock): Metablock {
  let lowest = metablock;
  for (let leap = 1; leap <= ATTEMPTS; leap++) {
    const generation = (metablock.generation + leap) as Generation;
    const other = signMetablock(node, { ...metablock, generation });
    if (other.issuingHash < lowest.issuingHash) lowest = other;
  }
  return lowest;
}

/** Grinds for low Issuing Hashes. */
export function makeGrinder(): Liar {
  const ground = new Map<MetablockId, Metablock>();
  return {
    act: () => {},
    speak(node, _to, message) {
      if (message.kind === 'metablock' && message.metablock.issuer === node.id) {
        const { metablock } = message;
        const best = ground.get(metablock.id) ?? grind(node, metablock);
        ground.set(metablock.id, best);
        return [{ kind: 'metablock', metablock: best }];
      }
      if (message.kind === 'certificate' && message.certificate.certifier === node.id) {
        const best = ground.get(message.certificate.metablock);
        if (best === undefined) return [message];
        const certificate = signCertificate(node, best.id, message.certificate.entries);
        return [message, { kind: 'certificate', certificate }];
      }
      return [message];
    },
  };
}
