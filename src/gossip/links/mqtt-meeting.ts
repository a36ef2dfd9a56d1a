import { compareText, toHex } from '../../model/bytes.ts';
import type { Timers } from '../../ports/clock.ts';
import type { Note } from './mqtt-note.ts';
import { Overlay } from './overlay.ts';

/** Others at one broker that are remembered. */
const OTHERS_MAX = 1_024;

/** Whoever has not been heard of for so many times the interval is forgotten. */
const SILENT_INTERVALS = 3;

/** While so few are here, links are opened as soon as somebody is heard of; then a moment later. */
const FEW = 16;
const MOMENT_MS = 1_000;

interface Other {
  readonly who: string;
  joins: number;
  isHere: boolean;
  heardMs: number;
}

export interface MeetingParts {
  /** 32 hex digits. */
  readonly inbox: string;
  readonly timers: Timers;
  readonly announceMs: number;
  /** Most peers that one may have. */
  readonly peersMax: number | undefined;
  /** It is for us to open a link to it. */
  readonly onFound: (inbox: string) => void;
  /** @param why Null: it is here, but we are to be linked to others from now on. */
  readonly onLost: (inbox: string, why: string | null) => void;
}

/**
 * Who else is at a broker, as far as anybody said, and with whom of them we are to be linked. Of
 * two, the lower inbox has to open the link.
 *
 * A process that joins again, or a new process of the same Avatar, ends what was there of the old;
 * what was said before that, and only comes now, changes nothing.
 */
export class Meeting {
  private readonly parts: MeetingParts;
  private readonly others = new Map<string, Other>();
  private readonly overlay: Overlay;
  /** To whom we were told to open a link. */
  private readonly met = new Set<string>();
  private cancelChoice: (() => void) | null = null;

  constructor(parts: MeetingParts) {
    this.parts = parts;
    this.overlay = new Overlay(parts.inbox, parts.peersMax);
  }

  /** Inboxes of those that are here. */
  get present(): string[] {
    return [...this.others].filter(([, other]) => other.isHere).map(([inbox]) => inbox);
  }

  /** How many those are. */
  get count(): number {
    let count = 0;
    for (const { isHere } of this.others.values()) if (isHere) count += 1;
    return count;
  }

  here(note: Note): void {
    const inbox = toHex(note.inbox);
    if (inbox === this.parts.inbox) return;
    const known = this.others.get(inbox);
    if (known !== undefined && note.joins < known.joins) return;
    if (known !== undefined && note.joins === known.joins) {
      if (known.isHere) known.heardMs = this.parts.timers.monotonicMs();
      return;
    }
    if (known?.isHere) this.lose(inbox, 'it joined again');
    const who = toHex(note.who);
    for (const [former, other] of this.others) {
      if (other.isHere && other.who === who && former !== inbox) {
        this.lose(former, 'a new process of the same Avatar joined');
      }
    }
    const heardMs = this.parts.timers.monotonicMs();
    this.others.delete(inbox);
    this.others.set(inbox, { who, joins: note.joins, isHere: true, heardMs });
    this.bound();
    this.overlay.add(inbox);
    this.chooseSoon();
  }

  gone(note: Note): void {
    const inbox = toHex(note.inbox);
    const known = this.others.get(inbox);
    if (known === undefined || note.joins < known.joins) return;
    known.joins = note.joins;
    if (known.isHere) this.lose(inbox, 'it left');
  }

  /** Forgets whoever has been silent for long. */
  sweep(): void {
    const { timers, announceMs } = this.parts;
    const oldestMs = timers.monotonicMs() - SILENT_INTERVALS * announceMs;
    for (const [inbox, other] of this.others) {
      if (other.heardMs >= oldestMs) continue;
      if (other.isHere) this.lose(inbox, 'it was silent for long');
      this.others.delete(inbox);
    }
  }

  /** We ourselves are there no more. */
  leave(): void {
    // Nobody takes the place of those that are lost.
    this.overlay.clear();
    this.met.clear();
    for (const inbox of this.present) this.lose(inbox, 'the broker was lost');
    this.others.clear();
    this.cancelChoice?.();
    this.cancelChoice = null;
  }

  private chooseSoon(): void {
    if (this.overlay.count <= FEW) this.choose();
    else this.cancelChoice ??= this.parts.timers.after(MOMENT_MS, () => this.choose());
  }

  private choose(): void {
    this.cancelChoice?.();
    this.cancelChoice = null;
    const chosen = this.overlay.choose();
    for (const inbox of [...this.met]) {
      if (chosen.has(inbox)) continue;
      this.met.delete(inbox);
      this.parts.onLost(inbox, null);
    }
    for (const inbox of chosen) {
      if (this.met.has(inbox) || compareText(this.parts.inbox, inbox) > 0) continue;
      this.met.add(inbox);
      this.parts.onFound(inbox);
    }
  }

  private lose(inbox: string, why: string): void {
    const other = this.others.get(inbox);
    if (other !== undefined) other.isHere = false;
    this.met.delete(inbox);
    this.overlay.remove(inbox);
    this.parts.onLost(inbox, why);
    this.chooseSoon();
  }

  /** Whoever left gives way, else whoever was heard of first. */
  private bound(): void {
    if (this.others.size <= OTHERS_MAX) return;
    const entries = [...this.others];
    const [inbox, other] = entries.find(([, each]) => !each.isHere) ?? entries[0]!;
    if (other.isHere) this.lose(inbox, 'too many are here');
    this.others.delete(inbox);
  }
}
