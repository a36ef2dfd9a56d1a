import type { Metablock, MetablockId } from '../../../src/model/metablock.ts';
import type { Generation } from '../../../src/model/numbers.ts';
import type { Liar } from '../behaviour.ts';
import { sideOf, signCertificate, signMetablock } from './craft.ts';

/** Tells one half of its peers of one Metablock, the other half of its twin, and certifies both. */
export function makeEquivocator(): Liar {
  const twins = new Map<MetablockId, Metablock>();
  return {
    act: () => {},
    speak(node, to, message) {
      if (message.kind === 'metablock' && message.metablock.issuer === node.id) {
        const { metablock } = message;
        const generation = (metablock.generation + 1) as Generation;
        const known = twins.get(metablock.id);
        const twin = known ?? signMetablock(node, { ...metablock, generation });
        twins.set(metablock.id, twin);
        return [sideOf(to) === 0 ? message : { kind: 'metablock', metablock: twin }];
      }
      if (message.kind === 'certificate' && message.certificate.certifier === node.id) {
        const twin = twins.get(message.certificate.metablock);
        if (twin === undefined || sideOf(to) === 0) return [message];
        const certificate = signCertificate(node, twin.id, message.certificate.entries);
        return [{ kind: 'certificate', certificate }];
      }
      return [message];
    },
  };
}
