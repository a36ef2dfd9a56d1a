import { LinkError } from '../../ports/link.ts';

/** Where a TCP URL points. `host` is without the brackets of IPv6. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const IPV6 = /^\[[0-9A-Fa-f:.]{2,45}\]$/;

/**
 * Reads `tcp://host:port`.
 *
 * @param lowestPort 0 where any free port will do (listeners), else 1.
 * @throws LinkError LINK_URL, with what is wrong and what it should look like.
 */
export function parseTcpUrl(url: string, lowestPort: 0 | 1): TcpAddress {
  return parseHostAndPort('tcp', url, lowestPort);
}

/** The same of any scheme that names a host and a port. @throws LinkError LINK_URL */
export function parseHostAndPort(
  scheme: 'tcp' | 'udp',
  url: string,
  lowestPort: 0 | 1,
): TcpAddress {
  const form = `a ${scheme.toUpperCase()} link is ${scheme}://host:port`;
  const wrong = (why: string, cause?: unknown) =>
    new LinkError('LINK_URL', `${url}: ${why}; ${form}`, { cause });
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw wrong('no URL', cause);
  }
  if (parsed.protocol !== `${scheme}:`) throw wrong(`scheme ${parsed.protocol} is not ${scheme}:`);
  if (parsed.username !== '' || parsed.password !== '') throw wrong('a link has no user');
  if (parsed.search !== '' || parsed.hash !== '') throw wrong('nothing follows the port');
  if (parsed.pathname !== '' && parsed.pathname !== '/') throw wrong('nothing follows the port');
  const isIpv6 = IPV6.test(parsed.hostname);
  if (!isIpv6 && !NAME.test(parsed.hostname)) throw wrong('no host');
  if (parsed.port === '') throw wrong('no port');
  const port = Number(parsed.port);
  if (port < lowestPort) throw wrong('port 0 is for listeners only');
  return { host: isIpv6 ? parsed.hostname.slice(1, -1) : parsed.hostname, port };
}

/** The URL of an address, as people write it. */
export function tcpUrlOf(address: TcpAddress): string {
  return urlOf('tcp', address);
}

export function urlOf(scheme: 'tcp' | 'udp', address: TcpAddress): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${scheme}://${host}:${address.port}`;
}
