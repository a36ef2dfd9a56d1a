import { randomBytes } from 'node:crypto';
import type { Service } from 'bonjour-service';
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

/**
 * Discovery by mDNS: `_vertebra._tcp` and `_vertebra._udp`, with the World's tag as text. The
 * package is read in only when this is used.
 */
export class MdnsDiscovery implements Discovery {
  async start(own: readonly Announcement[], handler: DiscoveryHandler): Promise<DiscoveryRun> {
    const { Bonjour } = await import('bonjour-service');
    const bonjour = new Bonjour(undefined, (error: Error) => handler.onTrouble(error));
    const name = randomBytes(NAME_BYTES).toString('hex');
    for (const { scheme, port, tag } of own) {
      bonjour.publish({
        name: `${name}-${port}`,
        host: `${name}.local`,
        type: TYPE,
        protocol: scheme,
        port,
        txt: { tag },
        probe: false,
      });
    }
    for (const scheme of SCHEMES) {
      const browser = bonjour.find({ type: TYPE, protocol: scheme });
      const tell = (service: Service, act: (found: Found) => void) => {
        const found = service.name.startsWith(`${name}-`) ? null : foundOf(scheme, service);
        if (found !== null) act(found);
      };
      browser.on('up', (service) => tell(service, (found) => handler.onFound(found)));
      browser.on('down', (service) => tell(service, (found) => handler.onLost(found)));
    }
    return { stop: () => bonjour.unpublishAll(() => bonjour.destroy()) };
  }
}

/** The address is where the word came from, whatever it says: nobody names another's. */
function foundOf(scheme: FoundScheme, service: Service): Found | null {
  const host = service.referer?.address;
  const tag: unknown = service.txt?.tag;
  if (host === undefined || typeof tag !== 'string') return null;
  return { scheme, host, port: service.port, tag };
}
