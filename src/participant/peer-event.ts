import type { PeerEvent } from '../gossip/contract.ts';
import { toHex32 } from '../model/bytes.ts';
import type { Core } from './core.ts';
import { type Directory, decodeHello } from './directory.ts';
import type { Loop } from './loop.ts';

export interface PeerRoom {
  readonly core: Core;
  readonly directory: Directory;
  readonly loop: Loop;
  readonly halt: (reason: string) => void;
}

/** Who came and who went. */
export function observePeer(event: PeerEvent, { core, directory, loop, halt }: PeerRoom): void {
  switch (event.kind) {
    case 'up': {
      const name = decodeHello(event.session.hello);
      const id = toHex32(event.session.avatar);
      const avatar = { id, name, seenAtMs: core.timers.wallMs() };
      const { peer, remote } = event;
      core.log.info('peer-up', { peer, name, remote });
      if (directory.observe(avatar)) {
        loop.enqueue(() => core.store.putAvatar(avatar));
      }
      return;
    }
    case 'down':
      core.log.info('peer-down', { peer: event.peer, reason: event.reason });
      return;
    case 'own-avatar-seen':
      if (event.self) {
        core.log.warn('dialled-self', { remote: event.remote });
      } else {
        halt(`another device at ${event.remote} has this Participant's key`);
      }
      return;
    default:
      event satisfies never;
  }
}
