import type { Liar } from '../behaviour.ts';
import { nodesOf, pickGroup, signCertificate, tellAll } from './craft.ts';

/** Never prepares: votes for what others prepare, and lets its turns go by. */
export function makeIdler(): Liar {
  return {
    act(node, prng) {
      const group = pickGroup(node, prng);
      if (group === undefined) return;
      const entries = [{ group: group.sync.id, ballot: group.ballot }];
      for (const { metablock } of nodesOf(group)) {
        if (metablock.issuer === node.id) continue;
        const certificate = signCertificate(node, metablock.id, entries);
        tellAll(node, { kind: 'certificate', certificate });
      }
    },
    speak(node, _to, message) {
      const isOwn = message.kind === 'metablock' && message.metablock.issuer === node.id;
      return isOwn || message.kind === 'certificate' ? [] : [message];
    },
  };
}
