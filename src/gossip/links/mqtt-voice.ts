import { fromHex, toHex } from '../../model/bytes.ts';
import type { Random } from '../../ports/clock.ts';
import {
  decodeNote,
  encodeNote,
  INBOX_BYTES,
  NO_LINK,
  type Note,
  type NoteKind,
} from './mqtt-note.ts';
import { deriveWho, NoteSeal, SEAL_HEAD_BYTES } from './mqtt-seal.ts';
import type { NoteIds } from './mqtt-switchboard.ts';

const NO_IDS: NoteIds = { ownId: NO_LINK, yourId: NO_LINK };

export interface VoiceParts {
  readonly random: Random;
  /** 32 bytes derived from the World identifier. */
  readonly brokerKey: Uint8Array;
  /** Names the World on a broker: 8 bytes. */
  readonly tag: Uint8Array;
  /** Our Avatar id, 32 bytes. */
  readonly self: Uint8Array;
}

/**
 * How one process speaks at one broker, and what it can read there. Topics are `vb1/TAG/all`, for
 * all of the World, and `vb1/TAG/INBOX`; everybody subscribes to the first and one of the second.
 */
export class MqttVoice {
  /** 32 hex digits: random, new with each start of the process. */
  readonly inbox: string;
  readonly worldTopic: string;
  readonly ownTopic: string;
  /** How often we joined. */
  joins = 0;

  private readonly random: Random;
  private readonly notes: NoteSeal;
  private readonly who: Uint8Array;
  private readonly tag: string;

  constructor({ random, brokerKey, tag, self }: VoiceParts) {
    this.random = random;
    this.notes = new NoteSeal(brokerKey);
    this.who = deriveWho(brokerKey, self);
    this.tag = toHex(tag);
    this.inbox = toHex(random.bytes(INBOX_BYTES));
    this.worldTopic = this.topicOf('all');
    this.ownTopic = this.topicOf(this.inbox);
  }

  topicOf(inbox: string): string {
    return `vb1/${this.tag}/${inbox}`;
  }

  /** Seals a note for all that read a topic. */
  seal(kind: NoteKind, topic: string, ids = NO_IDS): Uint8Array {
    const { joins, who } = this;
    const plain = encodeNote({ kind, inbox: fromHex(this.inbox), joins, who, ...ids });
    return this.notes.seal(topic, plain, this.random.bytes(SEAL_HEAD_BYTES));
  }

  /** @returns null for what nobody of this World said. */
  open(topic: string, bytes: Uint8Array): Note | null {
    const plain = this.notes.open(topic, bytes);
    return plain && decodeNote(plain);
  }

  isOwn(note: Note): boolean {
    return toHex(note.inbox) === this.inbox;
  }
}
