import type { HashFunction } from '../model/bytes.ts';
import { accept, refuse, type Verdict } from '../model/verdict.ts';
import type { LinkCounters } from './contract.ts';
import { countMessage } from './counters.ts';
import type { FrameReadRefusal, Incoming } from './framing.ts';
import { decodeMessage } from './message-reader.ts';
import type { Message } from './messages.ts';

const NOTHING = new Uint8Array(0);

/** Turns what the frames of one link hold into messages. */
export class Inbox {
  private readonly hash: HashFunction;
  private readonly counters: LinkCounters;
  private readonly assembly: Incoming;

  constructor(parts: { readonly hash: HashFunction }, counters: LinkCounters, assembly: Incoming) {
    this.hash = parts.hash;
    this.counters = counters;
    this.assembly = assembly;
  }

  /**
   * @param plain What one frame held.
   * @returns the messages that it completes, in order, or why the link must end.
   */
  read(plain: Uint8Array): Verdict<Message[], FrameReadRefusal | 'message-malformed'> {
    const parts = this.assembly.read(plain);
    if (!parts.ok) return parts;
    const messages: Message[] = [];
    for (const bytes of parts.value) {
      const read = decodeMessage(this.hash, bytes);
      if (!read.ok) return refuse(read.reason, read.detail);
      countMessage(this.counters.messagesReceived, read.value?.name ?? 'unknown');
      if (read.value !== null) messages.push(read.value.message);
    }
    return accept(messages);
  }

  /** What has come of a message that is not whole yet. */
  get unfinished(): Uint8Array {
    return this.assembly.unfinished ?? NOTHING;
  }

  /** Gives back the room that unfinished messages take. */
  drop(): void {
    this.assembly.drop();
  }
}
