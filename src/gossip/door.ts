import { toHex32 } from '../model/bytes.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { Random, Timers } from '../ports/clock.ts';
import {
  type Link,
  LinkError,
  type LinkKind,
  type Listening,
  type Transport,
} from '../ports/link.ts';
import type { Session, SessionFactory } from '../ports/session.ts';
import type { DialStatus } from './contract.ts';
import type { KindTotals } from './counters.ts';
import { Dialler } from './dialler.ts';
import { Entrance } from './entrance.ts';
import type { LogBudget } from './log-budget.ts';
import { paceOf } from './pace.ts';
import type { GossipSettings } from './settings.ts';
import type { Wire } from './wire.ts';

export interface DoorParts {
  readonly sessions: SessionFactory;
  readonly transports: readonly Transport[];
  readonly timers: Timers;
  readonly random: Random;
  readonly settings: GossipSettings;
  readonly totals: KindTotals;
  readonly log: LogBudget;
  readonly open: (entrance: Entrance, session: Session) => Wire;
  readonly isLinked: (peer: AvatarId, kind: LinkKind) => boolean;
  /** A link is gone, whatever became of it. */
  readonly onClosed: () => void;
}

/** Where links come in and go out, and everything until it is known who is at the other end. */
export class Door {
  refusedHandshakes = 0;

  private readonly parts: DoorParts;
  private readonly listening: Listening[] = [];
  private readonly diallers = new Map<string, Dialler>();
  /** Places where many meet that somebody wanted to be dialled. */
  private readonly places = new Map<string, Promise<Listening | null>>();
  /** All links, oldest first, and who dialled them. */
  private readonly links = new Map<Entrance, Dialler | null>();
  private isClosed = false;

  constructor(parts: DoorParts) {
    this.parts = parts;
  }

  get listeningUrls(): string[] {
    return this.listening.map((each) => each.url);
  }

  get dialling(): DialStatus[] {
    const troubled = this.listening.flatMap(({ url, trouble }): DialStatus[] => {
      if (!trouble) return [];
      const { kind } = this.transportOf(url);
      return [{ url, kind, state: 'waiting', peer: null, failures: 1, lastError: trouble }];
    });
    return [...[...this.diallers.values()].map((each) => each.status), ...troubled];
  }

  get linkCount(): number {
    return this.links.size;
  }

  get strangerCount(): number {
    let count = 0;
    for (const entrance of this.links.keys()) if (entrance.isStranger) count += 1;
    return count;
  }

  async listen(url: string): Promise<string> {
    return (await this.listenAt(url)).url;
  }

  private async listenAt(url: string): Promise<Listening> {
    const listening = await this.transportOf(url).listen(url, (link) => this.onLink(link), {
      onFound: (found) => this.dial(found),
      onLost: (lost) => this.forget(lost),
    });
    this.listening.push(listening);
    if (this.isClosed) await listening.close();
    return listening;
  }

  /** Many meet there: they are heard of, and dialled one by one. */
  private meet(url: string): void {
    if (this.places.has(url)) return;
    const place = this.listenAt(url).catch((cause: unknown) => {
      if (!(cause instanceof LinkError)) throw cause;
      // Named twice, to listen at and to dial: once is enough.
      if (cause.code !== 'LINK_IN_USE') {
        this.parts.log.write('warn', 'dial-failed', { url, reason: cause.message });
      }
      return null;
    });
    this.places.set(url, place);
  }

  private async part(url: string): Promise<void> {
    const listening = await this.places.get(url);
    this.places.delete(url);
    if (!listening) return;
    const index = this.listening.indexOf(listening);
    if (index >= 0) this.listening.splice(index, 1);
    await listening.close();
  }

  dial(url: string): void {
    if (this.isClosed || this.diallers.has(url)) return;
    const transport = this.transportOf(url);
    if (transport.isMeetingPlace?.(url)) {
      this.meet(url);
      return;
    }
    const { timers, random, settings, log, isLinked } = this.parts;
    const dialler = new Dialler(
      {
        timers,
        random,
        settings,
        isLinked,
        onLink: (by, link) => this.enter(link, by),
        onFailure: (by, error) => {
          const isFirst = by.status.failures === 0;
          log.write(isFirst ? 'info' : 'debug', 'dial-failed', { url, reason: error.message });
        },
      },
      transport,
      url,
    );
    this.diallers.set(url, dialler);
    dialler.dial();
  }

  forget(url: string): void {
    if (this.places.has(url)) void this.part(url);
    this.diallers.get(url)?.stop();
    this.diallers.delete(url);
  }

  /** A peer lost a link: whoever stood by for it dials again. */
  lost(peer: AvatarId): void {
    for (const dialler of this.diallers.values()) dialler.lost(peer);
  }

  /** Ends listeners, dials and strangers; peers are not its business. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const url of [...this.diallers.keys()]) this.forget(url);
    for (const entrance of this.links.keys()) entrance.refuse('closing', 'LINK_ABORTED');
    await Promise.all(this.listening.splice(0).map((each) => each.close()));
  }

  private transportOf(url: string): Transport {
    const scheme = /^([a-z][a-z0-9+.-]*):/.exec(url)?.[1] ?? '';
    const transport = this.parts.transports.find((each) => each.schemes.includes(scheme));
    if (transport !== undefined) return transport;
    const known = this.parts.transports.flatMap((each) => each.schemes).join(', ');
    throw new LinkError('LINK_URL', `${url}: no link of this kind; there are ${known}`);
  }

  private onLink(link: Link): void {
    if (this.strangerCount >= this.parts.settings.strangersMax) this.evict();
    this.enter(link, null);
  }

  /**
   * Of the host with the most strangers, whoever has been here longest gives way: honest ones take
   * little time, and no single host keeps the others out.
   */
  private evict(): void {
    const strangers: Entrance[] = [];
    const counts = new Map<string, number>();
    for (const [entrance, dialler] of this.links) {
      if (dialler !== null || !entrance.isStranger) continue;
      strangers.push(entrance);
      const host = hostOf(entrance);
      counts.set(host, (counts.get(host) ?? 0) + 1);
    }
    const most = Math.max(...counts.values());
    const oldest = strangers.find((each) => counts.get(hostOf(each)) === most);
    oldest?.refuse('too-many-strangers', 'LINK_DENIED');
  }

  private enter(link: Link, dialler: Dialler | null): void {
    const { sessions, timers, totals, settings } = this.parts;
    const initiator = link.begins ?? dialler !== null;
    const carriage = link.isOrdered ? 'ordered' : 'loose';
    const handshake = initiator ? sessions.initiate(carriage) : sessions.respond(carriage);
    const parts = {
      timers,
      totals,
      handshakeMs: paceOf(settings, link).handshakeMs,
      onSession: (each: Entrance, session: Session) => {
        dialler?.met(toHex32(session.peer.avatar));
        return this.parts.open(each, session);
      },
      onClosed: (each: Entrance, reason: string, isRefused: boolean) => {
        this.links.delete(each);
        if (isRefused) this.onRefused(each, reason);
        dialler?.ended(reason);
        this.parts.onClosed();
      },
    };
    const entrance = new Entrance(parts, link, handshake, initiator);
    this.links.set(entrance, dialler);
    entrance.start();
    if (this.isClosed) entrance.refuse('closing', 'LINK_ABORTED');
  }

  private onRefused(entrance: Entrance, reason: string): void {
    if (this.isClosed) return;
    this.refusedHandshakes += 1;
    const { remote } = entrance.link;
    const level = reason === 'closed-by-peer' ? 'info' : 'warn';
    const opened = entrance.initiator ? 'here' : 'there';
    this.parts.log.write(level, 'handshake-refused', { remote, reason, opened });
  }
}

/** Where a link comes from, without the port, of which a host has many. */
function hostOf({ link }: Entrance): string {
  return link.remote.replace(/:\d+$/, '');
}
