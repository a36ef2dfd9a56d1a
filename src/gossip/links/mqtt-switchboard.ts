import { fromHex, toHex } from '../../model/bytes.ts';
import type { Random, Timers } from '../../ports/clock.ts';
import { type Link, LinkError } from '../../ports/link.ts';
import { abortOf } from './called-off.ts';
import { MqttHall } from './mqtt-hall.ts';
import { MqttLink } from './mqtt-link.ts';
import type { Note } from './mqtt-note.ts';
import { deriveLinkKeys, LINK_ID_BYTES, PacketOpener, PacketSeal } from './mqtt-seal.ts';

/** Links and openings at one broker; far more than a mesh keeps peers. */
const LINKS_MAX = 1_024;

/** Ids of the two ends: `own` was chosen here, `your` by the receiver of a note. */
export interface NoteIds {
  readonly ownId: Uint8Array;
  readonly yourId: Uint8Array;
}

export interface SwitchboardParts {
  /** 32 hex digits. */
  readonly inbox: string;
  readonly brokerKey: Uint8Array;
  readonly timers: Timers;
  readonly doubtMs: number;
  readonly random: Random;
  readonly urlOf: (inbox: string) => string;
  readonly sendNote: (kind: 'open' | 'accept' | 'refuse', inbox: string, ids: NoteIds) => void;
  readonly publish: (inbox: string, bytes: Uint8Array) => number;
  readonly retire: (number: number) => void;
  readonly othersCount: () => number;
  readonly onDoubt: () => void;
  /** A link or an opening is over. */
  readonly onLess: () => void;
}

interface Opening {
  readonly inbox: string;
  readonly done: (link: Link) => void;
  readonly failed: (error: LinkError) => void;
}

interface Plugged {
  readonly link: MqttLink;
  readonly inbox: string;
  readonly otherId: string;
}

/** Tells the links that share one connection apart: opens, accepts, and hands out what comes. */
export class Switchboard {
  /** Takes links that others open; null: nobody does. */
  onLink: ((link: Link) => void) | null = null;

  private readonly parts: SwitchboardParts;
  /** By the id of our end, in hex. */
  private readonly links = new Map<string, Plugged>();
  private readonly openings = new Map<string, Opening>();
  private readonly hall: MqttHall;

  constructor(parts: SwitchboardParts) {
    this.parts = parts;
    const { othersCount, publish } = parts;
    this.hall = new MqttHall({ othersCount, publish: (bytes) => publish('all', bytes) });
  }

  get isEmpty(): boolean {
    return this.links.size === 0 && this.openings.size === 0;
  }

  /** @throws LinkError LINK_REFUSED, LINK_RESET, or the reason of the signal. */
  open(inbox: string, signal: AbortSignal): Promise<Link> {
    const ownId = this.parts.random.bytes(LINK_ID_BYTES);
    const key = toHex(ownId);
    return new Promise<Link>((resolve, reject) => {
      const onAbort = () => failed(abortOf(signal, this.parts.urlOf(inbox)));
      const settle = () => {
        signal.removeEventListener('abort', onAbort);
        this.openings.delete(key);
        this.parts.onLess();
      };
      const failed = (error: LinkError) => {
        settle();
        // Nobody answered: perhaps it is the broker.
        if (error.code === 'LINK_TIMEOUT') this.parts.onDoubt();
        reject(error);
      };
      const done = (link: Link) => {
        settle();
        resolve(link);
      };
      if (signal.aborted) throw abortOf(signal, this.parts.urlOf(inbox));
      signal.addEventListener('abort', onAbort);
      this.openings.set(key, { inbox, done, failed });
      this.parts.sendNote('open', inbox, { ownId, yourId: new Uint8Array(LINK_ID_BYTES) });
    });
  }

  onNote(note: Note): void {
    if (note.kind === 'open') this.accept(note);
    else if (note.kind === 'accept') this.accepted(note);
    else if (note.kind === 'refuse') this.refused(note);
  }

  /** @returns false for what belongs to no link, and is not for all. */
  onPacket(bytes: Uint8Array, isForAll: boolean): boolean {
    if (isForAll) return this.hall.receive(bytes);
    const plugged = this.links.get(toHex(bytes.subarray(0, LINK_ID_BYTES)));
    plugged?.link.receive(bytes);
    return plugged !== undefined;
  }

  /** Whoever was at this inbox is gone. @param why Null: not so, but no link to it is needed. */
  reset(inbox: string, why: string | null): void {
    const plugged = [...this.links.values()].filter((each) => each.inbox === inbox);
    if (why === null) {
      for (const { link } of plugged) link.close();
      return;
    }
    const error = new LinkError('LINK_RESET', `${this.parts.urlOf(inbox)}: ${why}`);
    for (const { link } of plugged) link.lost(error);
    for (const opening of [...this.openings.values()]) {
      if (opening.inbox === inbox) opening.failed(error);
    }
  }

  /** The connection to the broker is gone. */
  lost(error: LinkError): void {
    for (const { link } of [...this.links.values()]) link.lost(error);
    for (const opening of [...this.openings.values()]) opening.failed(error);
  }

  private accept(note: Note): void {
    const inbox = toHex(note.inbox);
    const otherId = toHex(note.ownId);
    const ids = { ownId: this.parts.random.bytes(LINK_ID_BYTES), yourId: note.ownId };
    // Messages may come twice.
    for (const each of this.links.values()) {
      if (each.inbox === inbox && each.otherId === otherId) return;
    }
    const { onLink } = this;
    if (onLink === null || this.links.size >= LINKS_MAX) {
      this.parts.sendNote('refuse', inbox, ids);
      return;
    }
    this.parts.sendNote('accept', inbox, ids);
    onLink(this.plug(note, ids.ownId, false));
  }

  private accepted(note: Note): void {
    const key = toHex(note.yourId);
    const opening = this.openings.get(key);
    if (opening !== undefined && opening.inbox === toHex(note.inbox)) {
      opening.done(this.plug(note, note.yourId, true));
    } else if (!this.links.has(key)) {
      // We gave up meanwhile.
      const ids = { ownId: note.yourId, yourId: note.ownId };
      this.parts.sendNote('refuse', toHex(note.inbox), ids);
    }
  }

  private refused(note: Note): void {
    const inbox = toHex(note.inbox);
    const key = toHex(note.yourId);
    const opening = this.openings.get(key);
    const url = this.parts.urlOf(inbox);
    if (opening?.inbox === inbox) {
      opening.failed(new LinkError('LINK_REFUSED', `${url}: it takes no links`));
    }
    const plugged = this.links.get(key);
    if (plugged?.inbox === inbox) {
      plugged.link.lost(new LinkError('LINK_RESET', `${url}: it gave up waiting`));
    }
  }

  private plug(note: Note, ownId: Uint8Array, isOpener: boolean): MqttLink {
    const { brokerKey, timers, doubtMs, urlOf, publish, retire, onDoubt } = this.parts;
    const inbox = toHex(note.inbox);
    const here = { inbox: fromHex(this.parts.inbox), id: ownId };
    const there = { inbox: note.inbox, id: note.ownId };
    const [opener, acceptor] = isOpener ? [here, there] : [there, here];
    const keys = deriveLinkKeys(brokerKey, {
      openerInbox: opener.inbox,
      acceptorInbox: acceptor.inbox,
      openerId: opener.id,
      acceptorId: acceptor.id,
    });
    const key = toHex(ownId);
    const link = new MqttLink({
      remote: urlOf(inbox),
      timers,
      doubtMs,
      seal: new PacketSeal(isOpener ? keys.toAcceptor : keys.toOpener, note.ownId),
      opener: new PacketOpener(isOpener ? keys.toOpener : keys.toAcceptor),
      publish: (bytes) => publish(inbox, bytes),
      retire,
      onDoubt,
      hall: this.hall,
      onEnd: () => {
        this.links.delete(key);
        this.parts.onLess();
      },
    });
    this.links.set(key, { link, inbox, otherId: toHex(note.ownId) });
    return link;
  }
}
