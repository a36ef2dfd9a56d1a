import { LinkError } from '../../ports/link.ts';

/** A serial device, and how it is spoken to: 8N1. */
export interface SerialAddress {
  /** An absolute path, for instance `/dev/ttyUSB0`. */
  readonly path: string;
  /** Bits a second. */
  readonly baud: number;
  /** Are RTS and CTS wired, so that each end can hold the other back? */
  readonly rtscts: boolean;
}

export const BAUD_MIN = 300;
export const BAUD_MAX = 4_000_000;
const BAUD = 115_200;

const FORM = 'a serial cable is serial:///dev/ttyUSB0?baud=115200, perhaps with &rtscts=1';

/**
 * Reads `serial:///dev/ttyUSB0?baud=115200`.
 *
 * @throws LinkError LINK_URL, with what is wrong and what it should look like.
 */
export function parseSerialUrl(url: string): SerialAddress {
  const wrong = (why: string) => new LinkError('LINK_URL', `${url}: ${why}; ${FORM}`);
  if (!URL.canParse(url)) throw wrong('no URL');
  const parsed = new URL(url);
  if (parsed.protocol !== 'serial:') throw wrong(`scheme ${parsed.protocol} is not serial:`);
  if (parsed.host !== '' || parsed.username !== '') throw wrong('a cable has no host');
  if (parsed.hash !== '') throw wrong('nothing follows the settings');
  if (!/^(\/[A-Za-z0-9._:+@-]+)+$/.test(parsed.pathname)) throw wrong('no device');
  const settings = new Map<string, string>();
  for (const [name, value] of parsed.searchParams) {
    if (!['baud', 'rtscts'].includes(name)) throw wrong(`no setting is called ${name}`);
    if (settings.has(name)) throw wrong(`${name} stands there twice`);
    if (name === 'rtscts' && value !== '0' && value !== '1') throw wrong('rtscts is 0 or 1');
    settings.set(name, value);
  }
  const baud = settings.get('baud') ?? String(BAUD);
  if (!/^\d{1,7}$/.test(baud) || Number(baud) < BAUD_MIN || Number(baud) > BAUD_MAX) {
    throw wrong(`baud is a number from ${BAUD_MIN} to ${BAUD_MAX}`);
  }
  return {
    path: parsed.pathname,
    baud: Number(baud),
    rtscts: settings.get('rtscts') === '1',
  };
}

/** One way to write an address. */
export function serialUrlOf({ path, baud, rtscts }: SerialAddress): string {
  return `serial://${path}?baud=${baud}${rtscts ? '&rtscts=1' : ''}`;
}
