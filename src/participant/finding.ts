import { isIP } from 'node:net';
import { urlOf } from '../gossip/links/tcp-url.ts';
import type {
  Announcement,
  Discovery,
  DiscoveryHandler,
  DiscoveryRun,
  Found,
} from '../ports/discovery.ts';

/** Others found on the local network that are dialled at once; who comes later is passed over. */
export const FOUND_MAX = 64;

export interface FindingParts {
  readonly discovery: Discovery;
  /** Of the World, in hex. */
  readonly tag: string;
  readonly gossip: {
    dial(url: string): void;
    forget(url: string): void;
  };
  /** URLs that were dialled without being found: they are dialled whoever comes and goes. */
  readonly known: readonly string[];
  readonly onTrouble: (error: Error) => void;
}

/** Dials whoever on the local network announces our World. */
export class Finding implements DiscoveryHandler {
  private readonly parts: FindingParts;
  private readonly found = new Set<string>();
  private run: DiscoveryRun | null = null;
  private isStopped = false;

  constructor(parts: FindingParts) {
    this.parts = parts;
  }

  /** @param listening URLs at which we accept links. */
  async start(listening: readonly string[]): Promise<void> {
    const run = await this.parts.discovery.start(announcementsOf(listening, this.parts.tag), this);
    if (this.isStopped) run.stop();
    else this.run = run;
  }

  stop(): void {
    this.isStopped = true;
    this.run?.stop();
    this.run = null;
  }

  onFound(found: Found): void {
    const url = this.urlOf(found);
    if (url === null || this.found.has(url) || this.found.size >= FOUND_MAX) return;
    this.found.add(url);
    this.parts.gossip.dial(url);
  }

  onLost(found: Found): void {
    const url = this.urlOf(found);
    if (url !== null && this.found.delete(url)) this.parts.gossip.forget(url);
  }

  onTrouble(error: Error): void {
    this.parts.onTrouble(error);
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
