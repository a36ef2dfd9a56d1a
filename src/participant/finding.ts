import { isIP } from 'node:net';
import { type DialStatus, type Gossip, isTooMany } from '../gossip/contract.ts';
import { urlOf } from '../gossip/links/tcp-url.ts';
import type { Random, Timers } from '../ports/clock.ts';
import type {
  Announcement,
  Discovery,
  DiscoveryHandler,
  DiscoveryRun,
  Found,
} from '../ports/discovery.ts';
import { FoundPlaces } from './found-places.ts';

/** How often we look who of those dialled was reached. */
const SWEEP_MS = 30_000;

export interface FindingParts {
  readonly discovery: Discovery;
  /** Of the World, in hex. */
  readonly tag: string;
  readonly timers: Timers;
  readonly random: Pick<Random, 'fraction'>;
  readonly gossip: Pick<Gossip, 'dial' | 'forget'> & {
    status(): { readonly dialling: readonly DialStatus[] };
  };
  /** URLs that were dialled without being found: they are dialled whoever comes and goes. */
  readonly known: readonly string[];
  readonly onTrouble: (error: Error) => void;
}

/** Dials whoever on the local network announces our World. */
export class Finding implements DiscoveryHandler {
  private readonly parts: FindingParts;
  private readonly places: FoundPlaces;
  private run: DiscoveryRun | null = null;
  private isStopped = false;
  private cancelSweep: (() => void) | null = null;

  constructor(parts: FindingParts) {
    this.parts = parts;
    this.places = new FoundPlaces({
      dial: (url) => parts.gossip.dial(url),
      forget: (url) => parts.gossip.forget(url),
      fraction: () => parts.random.fraction(),
    });
  }

  /** @param listening URLs at which we accept links. */
  async start(listening: readonly string[]): Promise<void> {
    const run = await this.parts.discovery.start(announcementsOf(listening, this.parts.tag), this);
    if (this.isStopped) {
      run.stop();
      return;
    }
    this.run = run;
    this.sweepSoon();
  }

  stop(): void {
    this.isStopped = true;
    this.cancelSweep?.();
    this.run?.stop();
    this.run = null;
  }

  onFound(found: Found): void {
    const url = this.urlOf(found);
    if (url !== null) this.places.add(url, found.host, this.parts.timers.monotonicMs());
  }

  onLost(found: Found): void {
    const url = this.urlOf(found);
    if (url !== null) this.places.remove(url);
  }

  onTrouble(error: Error): void {
    this.parts.onTrouble(error);
  }

  private sweepSoon(): void {
    const { timers, gossip } = this.parts;
    this.cancelSweep = timers.after(SWEEP_MS, () => {
      const { dialling } = gossip.status();
      const met = dialling.filter(({ peer }) => peer !== null);
      const isThere = ({ state }: DialStatus) => state === 'linked' || state === 'stand-by';
      const byUrl = new Map(met.map((each) => [each.url, isThere(each)]));
      const full = met.filter(
        ({ state, lastError }) => state === 'waiting' && isTooMany(lastError),
      );
      const urls = new Set(full.map((each) => each.url));
      this.places.sweep(byUrl, urls, timers.monotonicMs());
      this.sweepSoon();
    });
  }

  /** @returns null for who is not of our World, nowhere, or dialled anyway. */
  private urlOf({ scheme, host, port, tag }: Found): string | null {
    const isSomewhere = isIP(host) !== 0 && !/^fe80:/i.test(host);
    const isPort = Number.isInteger(port) && port > 0 && port < 65_536;
    if (this.isStopped || tag !== this.parts.tag || !isSomewhere || !isPort) return null;
    const url = urlOf(scheme, { host, port });
    return this.parts.known.includes(url) ? null : url;
  }
}

/** What of these others could reach. */
function announcementsOf(listening: readonly string[], tag: string): Announcement[] {
  return listening.flatMap((url) => {
    const [, scheme, host, port] = /^(tcp|udp):\/\/(.+):(\d+)$/.exec(url) ?? [];
    if (scheme !== 'tcp' && scheme !== 'udp') return [];
    const isHere = host?.startsWith('127.') === true || host === '[::1]' || host === 'localhost';
    return isHere ? [] : [{ scheme, port: Number(port), tag }];
  });
}
