import { LinkError } from '../../ports/link.ts';
import { parseQuietHours, type QuietHours } from './quiet-hours.ts';

/** What one end may send over a link, and when. */
export interface LinkBudget {
  /** Null: no bound. */
  readonly bytesPerSecond: number | null;
  readonly quiet: QuietHours | null;
}

/** Least and most that may be asked for, in bits a second. */
const BITS_MIN = 100;
const BITS_MAX = 1_000_000_000;

/**
 * Takes `max_bits_per_second=9600` and `quiet=22:00-06:00` out of the query of a link's URL.
 *
 * @returns the URL without them, and null where there was neither.
 * @throws LinkError LINK_URL
 */
export function splitBudget(url: string): { url: string; budget: LinkBudget | null } {
  const [head = '', ...rest] = url.split('?');
  let bytesPerSecond: number | null = null;
  let quiet: QuietHours | null = null;
  const others: string[] = [];
  for (const pair of rest.length === 0 ? [] : rest.join('?').split('&')) {
    const [name, value = ''] = pair.split('=', 2);
    if (name === 'max_bits_per_second') bytesPerSecond = parseBits(url, value) / 8;
    else if (name === 'quiet') quiet = parseQuiet(url, value);
    else others.push(pair);
  }
  const isNone = bytesPerSecond === null && quiet === null;
  return {
    url: isNone ? url : [head, ...(others.length === 0 ? [] : [others.join('&')])].join('?'),
    budget: isNone ? null : { bytesPerSecond, quiet },
  };
}

/** Gives a URL the budget of another. */
export function joinBudget(url: string, budgeted: string): string {
  const pairs = budgeted.split('?').slice(1).join('?').split('&');
  const own = pairs.filter((pair) => /^(max_bits_per_second|quiet)=/.test(pair));
  return own.length === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${own.join('&')}`;
}

function parseBits(url: string, text: string): number {
  const bits = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (bits >= BITS_MIN && bits <= BITS_MAX) return bits;
  const permitted = `a whole number from ${BITS_MIN} to ${BITS_MAX}`;
  throw new LinkError('LINK_URL', `${url}: max_bits_per_second is ${permitted}`);
}

function parseQuiet(url: string, text: string): QuietHours {
  const quiet = parseQuietHours(text);
  if (quiet !== null) return quiet;
  throw new LinkError('LINK_URL', `${url}: quiet hours are HH:MM-HH:MM, as 22:00-06:00`);
}
