import { compareText, toHex } from '../../model/bytes.ts';
import type { Timers } from '../../ports/clock.ts';
import type { Note } from './mqtt-note.ts';

/** Others at one broker that are remembered. */
const OTHERS_MAX = 1_024;

/** Whoever has not been heard of for so many times the interval is forgotten. */
const SILENT_INTERVALS = 3;

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
  readonly onFound: (inbox: string) => void;
  readonly onLost: (inbox: string, why: string) => void;
}

/**
 * Who else is at a broker, as far as anybody said. Of two, the lower inbox has to open the link.
 *
 * A process that joins again, or a new process of the same Avatar, ends what was there of the old;
 * what was said before that, and only comes now, changes nothing.
 */
export class Meeting {
  private readonly parts: MeetingParts;
  private readonly others = new Map<string, Other>();

  constructor(parts: MeetingParts) {
    this.parts = parts;
  }

  /** Inboxes of those that are here. */
  get present(): string[] {
    return [...this.others].filter(([, other]) => other.isHere).map(([inbox]) => inbox);
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
    if (compareText(this.parts.inbox, inbox) < 0) this.parts.onFound(inbox);
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
    for (const inbox of this.present) this.lose(inbox, 'the broker was lost');
    this.others.clear();
  }

  private lose(inbox: string, why: string): void {
    const other = this.others.get(inbox);
    if (other !== undefined) other.isHere = false;
    this.parts.onLost(inbox, why);
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
