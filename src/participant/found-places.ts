/**
 * Others found on the local network that are dialled at once. They dial as many, so that where a
 * hundred announce themselves few have all their places taken.
 */
export const FOUND_MAX = 24;

/** Others that wait for one of these places to become free. */
export const WAITING_MAX = 256;

/** Of those, and of the places, what one address may have: a few Participants, over TCP and UDP. */
export const PER_HOST_MAX = 8;

/** Where others wait, a place is lost by who has not been reached for so long: never, or since. */
export const TRIAL_MS = 60_000;
export const LAPSE_MS = 24 * 3_600_000;

interface Place {
  readonly host: string;
  /** When it got its place. */
  readonly sinceMs: number;
  /** When somebody of our World was last met there; null: never. */
  reachedMs: number | null;
}

export interface FoundPlacesParts {
  readonly dial: (url: string) => void;
  readonly forget: (url: string) => void;
  /** At least 0, less than 1. */
  readonly fraction: () => number;
}

/**
 * Whom of those found we dial. Anybody on the local network can announce anything, from as many
 * addresses as they like, so a place is on trial until somebody of our World answered there, and
 * goes on to whoever waits when nobody does; who did answer keeps it for a day. Where too many
 * wait, a new one takes the turn of any other: who goes on announcing is heard in the end, and who
 * sends a thousand false names at once drives nobody out that was reached.
 */
export class FoundPlaces {
  private readonly parts: FoundPlacesParts;
  private readonly places = new Map<string, Place>();
  /** Hosts by URL, whoever waits longest first. */
  private readonly waiting = new Map<string, string>();

  constructor(parts: FoundPlacesParts) {
    this.parts = parts;
  }

  add(url: string, host: string, nowMs: number): void {
    if (this.places.has(url) || this.waiting.has(url)) return;
    if (!this.makeRoomFor(host)) return;
    if (this.places.size < FOUND_MAX) this.place(url, host, nowMs);
    else {
      if (this.waiting.size >= WAITING_MAX)
        this.waiting.delete(this.anyOf([...this.waiting.keys()]));
      this.waiting.set(url, host);
    }
  }

  remove(url: string): void {
    this.waiting.delete(url);
    if (this.places.delete(url)) this.parts.forget(url);
  }

  /**
   * @param met URLs at which somebody of our World was met, and whether they are there now.
   * @param full Those of them at which there was no place for us: whoever waits takes theirs.
   */
  sweep(met: ReadonlyMap<string, boolean>, full: ReadonlySet<string>, nowMs: number): void {
    for (const [url, place] of this.places) {
      const isThere = met.get(url);
      if (isThere !== undefined) place.reachedMs = isThere ? nowMs : (place.reachedMs ?? nowMs);
    }
    const over = [...this.places].filter(([url, place]) => full.has(url) || isOver(place, nowMs));
    for (const [url, { host }] of over.slice(0, this.waiting.size)) {
      this.remove(url);
      // Behind all the others it has another turn.
      this.waiting.set(url, host);
    }
    this.fill(nowMs);
  }

  private fill(nowMs: number): void {
    for (const [url, host] of this.waiting) {
      if (this.places.size >= FOUND_MAX) return;
      this.waiting.delete(url);
      this.place(url, host, nowMs);
    }
  }

  private place(url: string, host: string, nowMs: number): void {
    this.places.set(url, { host, sinceMs: nowMs, reachedMs: null });
    this.parts.dial(url);
  }

  /** An address that has its share gives up one that was never reached, if there is one. */
  private makeRoomFor(host: string): boolean {
    const places = [...this.places].filter(([, place]) => place.host === host);
    const waiting = [...this.waiting].filter(([, each]) => each === host);
    if (places.length + waiting.length < PER_HOST_MAX) return true;
    const untried = places.filter(([, place]) => place.reachedMs === null);
    const urls = [...waiting, ...untried].map(([url]) => url);
    if (urls.length === 0) return false;
    this.remove(this.anyOf(urls));
    return true;
  }

  /** @param urls At least one. */
  private anyOf(urls: readonly string[]): string {
    return urls[Math.floor(this.parts.fraction() * urls.length)] ?? '';
  }
}

function isOver({ sinceMs, reachedMs }: Place, nowMs: number): boolean {
  if (reachedMs === null) return nowMs - sinceMs >= TRIAL_MS;
  return nowMs - reachedMs >= LAPSE_MS;
}
