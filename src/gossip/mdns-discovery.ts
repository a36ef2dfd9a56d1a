import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Bonjour, Service } from 'bonjour-service';
import type { Timers } from '../ports/clock.ts';
import type {
  Announcement,
  Discovery,
  DiscoveryHandler,
  DiscoveryRun,
  Found,
  FoundScheme,
} from '../ports/discovery.ts';

const TYPE = 'vertebra';
const SCHEMES: readonly FoundScheme[] = ['tcp', 'udp'];

/** Instances are told apart by a number drawn anew at each start, and hosts by the same. */
const NAME_BYTES = 8;

/** Where the port cannot be had, or is lost, it is tried again after so long. */
const AGAIN_MS = 30_000;
const AGAIN_MS_MAX = 600_000;

/**
 * A list of others only grows, but for good-byes that anybody may leave out: after so many of them
 * it is thrown away, and a new one begins, so much later.
 */
export const LISTED_MAX = 256;
const LIST_ANEW_MS = 60_000;

export interface MdnsOptions {
  readonly timers: Timers;
  /** Another than that of mDNS, for tests. */
  readonly port?: number;
}

/**
 * Discovery by mDNS: `_vertebra._tcp` and `_vertebra._udp`, with the World's tag as text. The
 * package is read in only when this is used.
 */
export class MdnsDiscovery implements Discovery {
  private readonly options: MdnsOptions;

  constructor(options: MdnsOptions) {
    this.options = options;
  }

  async start(own: readonly Announcement[], handler: DiscoveryHandler): Promise<DiscoveryRun> {
    const module = await import('bonjour-service');
    const run = new MdnsRun(module.Bonjour, own, { ...this.options, handler });
    run.open();
    return run;
  }
}

/** Announces and listens until it is stopped, with one socket after the other if need be. */
class MdnsRun implements DiscoveryRun {
  private readonly make: typeof Bonjour;
  private readonly own: readonly Announcement[];
  private readonly parts: MdnsOptions & { readonly handler: DiscoveryHandler };
  private readonly name = randomBytes(NAME_BYTES).toString('hex');
  /** Null between two tries, and after the end. */
  private bonjour: Bonjour | null = null;
  private readonly cancels = new Map<string, () => void>();
  private againMs = AGAIN_MS;
  private told: string | null = null;

  constructor(make: typeof Bonjour, own: readonly Announcement[], parts: MdnsRun['parts']) {
    this.make = make;
    this.own = own;
    this.parts = parts;
  }

  open(): void {
    const { port } = this.parts;
    const options = port === undefined ? {} : { port };
    const bonjour = new this.make(options, (error: Error) => this.trouble(error));
    this.bonjour = bonjour;
    // Nobody else listens to its socket, and an 'error' that nobody hears ends the process.
    const mdns: EventEmitter = bonjour['server'].mdns;
    mdns.on('error', (error: Error) => this.failed(bonjour, error));
    mdns.on('ready', () => {
      this.againMs = AGAIN_MS;
    });
    for (const announcement of this.own) this.publish(bonjour, announcement);
    for (const scheme of SCHEMES) this.look(bonjour, scheme);
  }

  stop(): void {
    this.calm();
    const { bonjour } = this;
    this.bonjour = null;
    bonjour?.unpublishAll(() => bonjour.destroy());
  }

  private publish(bonjour: Bonjour, { scheme, port, tag }: Announcement): void {
    bonjour.publish({
      name: `${this.name}-${port}`,
      host: `${this.name}.local`,
      type: TYPE,
      protocol: scheme,
      port,
      txt: { tag },
      probe: false,
    });
  }

  private look(bonjour: Bonjour, scheme: FoundScheme): void {
    const { handler, timers } = this.parts;
    const browser = bonjour.find({ type: TYPE, protocol: scheme });
    let listed = 0;
    browser.on('up', (service) => {
      if (listed >= LISTED_MAX) return;
      listed += 1;
      const found = this.foundOf(scheme, service);
      if (found !== null) handler.onFound(found);
      if (listed < LISTED_MAX) return;
      browser.stop();
      const cancel = timers.after(LIST_ANEW_MS, () => this.look(bonjour, scheme));
      this.cancels.set(scheme, cancel);
    });
    browser.on('down', (service) => {
      const found = this.foundOf(scheme, service);
      if (found !== null) handler.onLost(found);
    });
  }

  /** The socket is of no use, as where another program has the port to itself. */
  private failed(bonjour: Bonjour, error: Error): void {
    if (this.bonjour !== bonjour) return;
    this.bonjour = null;
    this.calm();
    bonjour.destroy();
    this.trouble(error);
    this.cancels.set(
      'again',
      this.parts.timers.after(this.againMs, () => this.open()),
    );
    this.againMs = Math.min(2 * this.againMs, AGAIN_MS_MAX);
  }

  /** The same is said once. */
  private trouble(error: Error): void {
    if (this.told === error.message) return;
    this.told = error.message;
    this.parts.handler.onTrouble(error);
  }

  private calm(): void {
    for (const cancel of this.cancels.values()) cancel();
    this.cancels.clear();
  }

  /**
   * The address is where the word came from, whatever it says: nobody names another's. Null for
   * ourselves, and for what lacks something.
   */
  private foundOf(scheme: FoundScheme, service: Service): Found | null {
    const host = service.referer?.address;
    const tag: unknown = service.txt?.tag;
    const isOwn = service.name.startsWith(`${this.name}-`);
    if (isOwn || host === undefined || typeof tag !== 'string') return null;
    return { scheme, host, port: service.port, tag };
  }
}
