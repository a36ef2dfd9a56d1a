import { toHex } from '../../model/bytes.ts';
import type { Random, Timers } from '../../ports/clock.ts';
import { NO_LINK, type Note } from './mqtt-note.ts';
import { LINK_ID_BYTES } from './mqtt-seal.ts';
import type { NoteIds } from './mqtt-switchboard.ts';

interface Question {
  readonly id: string;
  readonly settle: (isBack: boolean | null) => void;
}

/**
 * Asks a broker for a message of our own. Whatever holds one up, be it access rules, a lost
 * subscription or a queue that stands still, and whatever the broker says of itself: this tells.
 */
export class MqttEcho {
  private readonly parts: { readonly timers: Timers; readonly random: Random; doubtMs: number };
  private question: Question | null = null;

  constructor(parts: MqttEcho['parts']) {
    this.parts = parts;
  }

  /**
   * @param publish Sends an echo note with these ids to our own inbox.
   * @returns whether it came back in time; null where another question is open, or it was called
   * off.
   */
  ask(publish: (ids: NoteIds) => void): Promise<boolean | null> {
    if (this.question !== null) return Promise.resolve(null);
    const ownId = this.parts.random.bytes(LINK_ID_BYTES);
    return new Promise((resolve) => {
      const cancel = this.parts.timers.after(this.parts.doubtMs, () => settle(false));
      const settle = (isBack: boolean | null) => {
        cancel();
        this.question = null;
        resolve(isBack);
      };
      this.question = { id: toHex(ownId), settle };
      publish({ ownId, yourId: NO_LINK });
    });
  }

  heard(note: Note): void {
    if (this.question?.id === toHex(note.ownId)) this.question.settle(true);
  }

  /** Nobody wants to know any more. */
  cancel(): void {
    this.question?.settle(null);
  }
}
