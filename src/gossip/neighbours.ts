import type { Peer } from './peers.ts';
import { GOSSIP_LIMITS } from './settings.ts';

/** Tells all peers whom we are linked to, once for all that changes in one turn. */
export class Neighbours {
  private readonly parts: {
    readonly peers: () => Iterable<Peer>;
    readonly defer: (work: () => void) => void;
  };
  private isDue = false;
  private isStopped = false;

  constructor(parts: Neighbours['parts']) {
    this.parts = parts;
  }

  tellSoon(): void {
    if (this.isDue || this.isStopped) return;
    this.isDue = true;
    this.parts.defer(() => {
      this.isDue = false;
      const all = [...this.parts.peers()];
      // Whoever is linked over a slow link alone should have what is new from others.
      const near = all.filter(({ wire }) => !wire.pace.isSlow);
      const peers = near.map((each) => each.avatar).slice(0, GOSSIP_LIMITS.neighboursMax);
      for (const { wire } of all) wire.send('urgent', { kind: 'neighbours', peers });
    });
  }

  stop(): void {
    this.isStopped = true;
  }
}
