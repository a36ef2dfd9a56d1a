import { LinkError } from '../../ports/link.ts';
import { parseQuietHours, type QuietHours } from './quiet-hours.ts';

/** What one end may send over a link, when, and in which form. */
export interface LinkBudget {
  /** Null: no bound. */
  readonly bytesPerSecond: number | null;
  readonly quiet: QuietHours | null;
  /** Is it to be compressed, where the other end wants that too? */
  readonly compress: boolean;
}

/** Least and most that may be asked for, in bits a second. */
const BITS_MIN = 100;
const BITS_MAX = 1_000_000_000;

/**
 * Takes `max_bits_per_second=9600`, `quiet=22:00-06:00` and `compress=1` out of the query of a
 * link's URL.
 *
 * @returns the URL without them, and null where there was none.
 * @throws LinkError LINK_URL
 */
export function splitBudget(url: string): { url: string; budget: LinkBudget | null } {
  const [head = '', ...rest] = url.split('?');
  let bytesPerSecond: number | null = null;
  let quiet: QuietHours | null = null;
  let compress: boolean | null = null;
  const others: string[] = [];
  for (const pair of rest.length === 0 ? [] : rest.join('?').split('&')) {
    const [name, value = ''] = pair.split('=', 2);
    if (name === 'max_bits_per_second') bytesPerSecond = parseBits(url, value) / 8;
    else if (name === 'quiet') quiet = parseQuiet(url, value);
    else if (name === 'compress') compress = parseSwitch(url, value);
    else others.push(pair);
  }
  const isNone = bytesPerSecond === null && quiet === null && compress === null;
  return {
    url: isNone ? url : [head, ...(others.length === 0 ? [] : [others.join('&')])].join('?'),
    budget: isNone ? null : { bytesPerSecond, quiet, compress: compress === true },
  };
}

/** Gives a URL the budget of another. */
export function joinBudget(url: string, budgeted: string): string {
  const pairs = budgeted.split('?').slice(1).join('?').split('&');
  const own = pairs.filter((pair) => /^(max_bits_per_second|quiet|compress)=/.test(pair));
  return own.length === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${own.join('&')}`;
}

function parseBits(url: string, text: string): number {
  const bits = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (bits >= BITS_MIN && bits <= BITS_MAX) return bits;
  const permitted = `a whole number from ${BITS_MIN} to ${BITS_MAX}`;
  throw new LinkError('LINK_URL', `${url}: max_bits_per_second is ${permitted}`);
}

function parseSwitch(url: string, text: string): boolean {
  if (/^[01]$/.test(text) && !/^udp:/.test(url)) return text === '1';
  const why = /^udp:/.test(url)
    ? 'frames that may be lost are not compressed'
    : 'compress is 0 or 1';
  throw new LinkError('LINK_URL', `${url}: ${why}`);
}

function parseQuiet(url: string, text: string): QuietHours {
  const quiet = parseQuietHours(text);
  if (quiet !== null) return quiet;
  throw new LinkError('LINK_URL', `${url}: quiet hours are HH:MM-HH:MM, as 22:00-06:00`);
}
