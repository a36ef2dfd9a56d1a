import { LinkError } from '../../ports/link.ts';

/** A broker, and perhaps one Participant behind it. `host` is without the brackets of IPv6. */
export interface MqttAddress {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Certificates to trust instead of those that Node knows; an absolute path. */
  readonly caFile: string | null;
  /** 32 hex digits: the inbox of one Participant. Null: the place where all meet. */
  readonly inbox: string | null;
}

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const IPV6 = /^\[[0-9A-Fa-f:.]{2,45}\]$/;
const PORT = 1883;
const TLS_PORT = 8883;

const FORMS = 'a broker is mqtt://host:1883 or mqtts://host:8883?ca=/path/ca.pem';
const LOGIN = 'user and password are no part of a URL: set mqtt_user and mqtt_password_file';

/**
 * Reads `mqtt://host:port` and `mqtts://host:port?ca=/path`, each perhaps with an inbox behind it.
 *
 * @throws LinkError LINK_URL, with what is wrong and what it should look like, never a password.
 */
export function parseMqttUrl(url: string): MqttAddress {
  const shown = url.replace(/\/\/[^/?#]*@/, '//');
  const wrong = (why: string) => new LinkError('LINK_URL', `${shown}: ${why}; ${FORMS}`);
  if (!URL.canParse(url)) throw wrong('no URL');
  const parsed = new URL(url);
  const { protocol, hostname, pathname } = parsed;
  if (protocol !== 'mqtt:' && protocol !== 'mqtts:') throw wrong(`scheme ${protocol} is not mqtt:`);
  if (parsed.username !== '' || parsed.password !== '') throw wrong(LOGIN);
  const isIpv6 = IPV6.test(hostname);
  if (!isIpv6 && !NAME.test(hostname)) throw wrong('no host');
  const isTls = protocol === 'mqtts:';
  const port = parsed.port === '' ? (isTls ? TLS_PORT : PORT) : Number(parsed.port);
  if (port === 0) throw wrong('no port is 0');
  if (parsed.hash !== '') throw wrong('nothing follows but ca=');
  const inbox = /^\/([0-9a-f]{32})$/.exec(pathname)?.[1] ?? null;
  if (inbox === null && pathname !== '' && pathname !== '/') throw wrong('no topic follows a port');
  const caFile = readCaFile(parsed.searchParams, wrong);
  if (caFile !== null && !isTls) throw wrong('ca is for mqtts: alone');
  return { host: isIpv6 ? hostname.slice(1, -1) : hostname, port, isTls, caFile, inbox };
}

function readCaFile(query: URLSearchParams, wrong: (why: string) => LinkError): string | null {
  const [first, ...others] = [...query];
  if (first === undefined) return null;
  const [name, path] = first;
  if (name !== 'ca' || others.length > 0) throw wrong('nothing follows but ca=');
  if (!path.startsWith('/')) throw wrong('ca is an absolute path');
  return path;
}

/** One way to write an address. `inbox` null: of the broker alone. */
export function mqttUrlOf(address: MqttAddress, inbox: string | null): string {
  const { host, port, isTls, caFile } = address;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  const query = caFile === null ? '' : `?ca=${encodeURI(caFile)}`;
  const path = inbox === null ? '' : `/${inbox}`;
  return `mqtt${isTls ? 's' : ''}://${shownHost}:${port}${path}${query}`;
}
