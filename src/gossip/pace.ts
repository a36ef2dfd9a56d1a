import type { Link } from '../ports/link.ts';
import { GOSSIP_LIMITS, type GossipSettings } from './settings.ts';

/** A link that carries so much or more, in bytes a second, is like any other. */
const SLOW_BYTES_PER_SECOND = 32 * 1024;

/** What a handshake with its greetings, and a request with its answer's beginning, may take. */
const HANDSHAKE_BYTES = 2_000;
const REQUEST_BYTES = 4_000;

/**
 * Bytes that the link could have carried while this end gives one sign of life and says where it
 * stands, which is some 200 with all that links and their acknowledgements put around it: a
 * ten-thousandth of what the link carries.
 */
const IDLE_BYTES = 2_000_000;

/** Longest time between two signs of life: where links notice for themselves that they died. */
const IDLE_LONGEST_MS = 3_600_000;
/** And elsewhere. */
const IDLE_UNWATCHED_MS = 600_000;

/** While there is traffic, signs of life and digests take a hundredth of the link each at most. */
const BUSY_PING_BYTES = 4_000;
const BUSY_DIGEST_BYTES = 6_400;
const FIRST_PING_BYTES = 1_000;

/** A link in use is asked at least so often: what a round trip took long ago says little. */
const BUSY_PING_MS = 4_000;
/** A new link is asked after so long, then after twice as long, and so on. */
const FIRST_PING_MS = 1_000;

/** A Block that takes longer, in seconds, does not go with what is urgent. */
const SMALL_SECONDS = 0.02;
const SMALL_BYTES = 16 * 1024;
/** Nor does it where more than this waits there. */
const SMALL_WAITING_BYTES = 64 * 1024;

/** Seconds of the link that are read ahead, that one chunk takes, and that relays may wait. */
const AHEAD_SECONDS = 1;
const CHUNK_SECONDS = 20;
const QUEUE_SECONDS = 60;

/** News of the urgent lane that wait for the end of quiet hours, in bytes. */
const QUIET_NEWS_BYTES = 1_048_576;

const AHEAD_BYTES_MIN = 1_024;
const CHUNK_BYTES_MIN = 4_096;
const QUEUE_BYTES_MIN = 64 * 1024;

/** Ids in one request: what a second carries. */
const ID_BYTES = 32;
const IDS_MIN = 4;

/** How one link is used: the settings, and what they mean where a link carries little. */
export interface Pace extends GossipSettings {
  /** So slow that what another way brings should not cross it. */
  readonly isSlow: boolean;
  /** Slow, and nothing is lost while it is up: what was said once need not be said again. */
  readonly isTerse: boolean;
  /** Known and little, or null. */
  readonly bytesPerSecond: number | null;
  readonly firstPingMs: number;
  readonly busyPingMs: number;
  /** The largest Block that is sent with what is urgent, and how much of that may wait. */
  readonly smallBytes: number;
  readonly smallWaitingBytes: number;
  /** News of the urgent lane beyond it are left to anti-entropy. */
  readonly urgentNewsBytesMax: number;
  /** Ids in one request. */
  readonly idsMax: number;
}

/**
 * Stretches times and cuts sizes by what a link carries, so that nobody takes a slow one for a dead
 * one, what is urgent waits for little, and no more is promised than can be kept.
 */
export function paceOf(
  settings: GossipSettings,
  link: Pick<Link, 'kind' | 'bytesPerSecond' | 'isOrdered' | 'isQuiet'>,
): Pace {
  const rate = link.bytesPerSecond;
  // One that is quiet at times ends for no queue of news.
  const newsMax = link.isQuiet === undefined ? Number.POSITIVE_INFINITY : QUIET_NEWS_BYTES;
  if (rate === null) return { ...settings, ...UNPACED, urgentNewsBytesMax: newsMax };
  const msOf = (bytes: number) => (bytes * 1_000) / rate;
  const bytesIn = (seconds: number, least: number) => Math.max(least, Math.floor(rate * seconds));
  const longestMs = link.kind === 'serial' ? IDLE_LONGEST_MS : IDLE_UNWATCHED_MS;
  const idleMs = Math.min(longestMs, msOf(IDLE_BYTES));
  const queueBytes = bytesIn(QUEUE_SECONDS, QUEUE_BYTES_MIN);
  const isSlow = rate < SLOW_BYTES_PER_SECOND;
  return {
    ...settings,
    isSlow,
    isTerse: isSlow && link.isOrdered,
    bytesPerSecond: rate,
    handshakeMs: settings.handshakeMs + msOf(HANDSHAKE_BYTES),
    answerMs: settings.answerMs + msOf(REQUEST_BYTES),
    settleMs: settings.settleMs + msOf(HANDSHAKE_BYTES),
    pingMs: Math.max(settings.pingMs, idleMs),
    digestMs: Math.max(settings.digestMs, idleMs),
    digestBusyMs: Math.max(settings.digestBusyMs, msOf(BUSY_DIGEST_BYTES)),
    firstPingMs: Math.max(FIRST_PING_MS, msOf(FIRST_PING_BYTES)),
    busyPingMs: Math.max(BUSY_PING_MS, msOf(BUSY_PING_BYTES)),
    smallBytes: Math.min(SMALL_BYTES, bytesIn(SMALL_SECONDS, 0)),
    smallWaitingBytes: Math.min(SMALL_WAITING_BYTES, bytesIn(SMALL_SECONDS, 0)),
    bulkLowBytes: Math.min(settings.bulkLowBytes, bytesIn(AHEAD_SECONDS, AHEAD_BYTES_MIN)),
    chunkBytes: Math.min(settings.chunkBytes, bytesIn(CHUNK_SECONDS, CHUNK_BYTES_MIN)),
    bulkQueueBytesMax: Math.min(settings.bulkQueueBytesMax, queueBytes),
    urgentNewsBytesMax: Math.min(settings.urgentQueueBytesMax, queueBytes, newsMax),
    rangesPerPeerMax: isSlow ? 1 : settings.rangesPerPeerMax,
    idsMax: Math.min(GOSSIP_LIMITS.idsMax, Math.max(IDS_MIN, Math.floor(rate / ID_BYTES))),
  };
}

const UNPACED = {
  isSlow: false,
  isTerse: false,
  bytesPerSecond: null,
  firstPingMs: FIRST_PING_MS,
  busyPingMs: BUSY_PING_MS,
  smallBytes: SMALL_BYTES,
  smallWaitingBytes: SMALL_WAITING_BYTES,
  idsMax: GOSSIP_LIMITS.idsMax,
} as const;
