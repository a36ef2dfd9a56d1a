import { Meeting } from '../../src/gossip/links/mqtt-meeting.ts';
import { NO_LINK, type Note } from '../../src/gossip/links/mqtt-note.ts';
import { fromHex } from '../../src/model/bytes.ts';
import type { Timers } from '../../src/ports/clock.ts';
import type { Link, Listening, MeetingHandler, Transport } from '../../src/ports/link.ts';
import { idOf } from './gossip-samples.ts';

/** What a meeting place is told of one that meets others there. */
export interface Guest {
  readonly inbox: string;
  readonly meeting: Meeting;
}

/** 32 hex digits, the same wherever this name is given. */
export function inboxOf(name: string): string {
  return idOf(`inbox ${name}`).slice(0, 32);
}

/** A broker's worth of talk: everybody hears of everybody, a little later. */
export class Crowd {
  private readonly timers: Timers;
  private readonly guests = new Map<string, Guest>();

  constructor(timers: Timers) {
    this.timers = timers;
  }

  join(name: string, handler: MeetingHandler, peersMax?: number): Guest {
    const inbox = inboxOf(name);
    const meeting = new Meeting({
      inbox,
      timers: this.timers,
      announceMs: 3_600_000,
      peersMax,
      onFound: (other) => handler.onFound(other),
      onLost: (other) => handler.onLost(other),
    });
    const guest = { inbox, meeting };
    const before = [...this.guests.values()];
    this.timers.after(1, () => {
      for (const other of before) {
        if (this.guests.get(other.inbox) === other) meeting.here(noteOf('answer', other.inbox));
        if (this.guests.get(inbox) === guest) other.meeting.here(noteOf('here', inbox));
      }
    });
    this.guests.set(inbox, guest);
    return guest;
  }

  leave({ inbox, meeting }: Guest): void {
    this.guests.delete(inbox);
    meeting.leave();
    for (const other of this.guests.values()) other.meeting.gone(noteOf('gone', inbox));
  }
}

function noteOf(kind: Note['kind'], inbox: string): Note {
  const bytes = fromHex(inbox);
  return { kind, inbox: bytes, joins: 1, who: bytes, ownId: NO_LINK, yourId: NO_LINK };
}

/** Links in memory between those who meet in a crowd, each at a URL `crowd:place NAME`. */
export class CrowdTransport implements Transport {
  readonly kind = 'memory';
  readonly schemes = ['crowd'];
  /** Dials of all who share this. */
  readonly tally: { dials: number };
  private readonly under: Transport;
  private readonly crowd: Crowd;
  private readonly peersMax: number;
  private readonly open = new Map<string, Link>();

  constructor(
    under: Transport,
    crowd: Crowd,
    options: { readonly tally: { dials: number }; readonly peersMax: number },
  ) {
    this.under = under;
    this.crowd = crowd;
    this.tally = options.tally;
    this.peersMax = options.peersMax;
  }

  isMeetingPlace(url: string): boolean {
    return url.startsWith('crowd:place ');
  }

  async dial(url: string, signal: AbortSignal): Promise<Link> {
    this.tally.dials += 1;
    const link = await this.under.dial(url.replace('crowd:', 'memory:'), signal);
    this.open.set(url, link);
    return link;
  }

  async listen(
    url: string,
    onLink: (link: Link) => void,
    onMet?: MeetingHandler,
  ): Promise<Listening> {
    const name = url.replace('crowd:place ', '');
    const listening = await this.under.listen(`memory:${inboxOf(name)}`, onLink);
    const handler = {
      onFound: (inbox: string) => onMet?.onFound(`crowd:${inbox}`),
      onLost: (inbox: string) => {
        onMet?.onLost(`crowd:${inbox}`);
        this.open.get(`crowd:${inbox}`)?.close();
      },
    };
    const guest = this.crowd.join(name, handler, this.peersMax);
    const close = async () => {
      this.crowd.leave(guest);
      await listening.close();
    };
    return { url, close };
  }
}
