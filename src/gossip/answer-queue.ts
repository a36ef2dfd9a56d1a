import {
  type Answer,
  answerBlocks,
  answerForks,
  answerMetablocks,
  answerRange,
  type Outgoing,
} from './answers.ts';
import type { BlocksUnderway } from './blocks-underway.ts';
import type { Message } from './messages.ts';
import { aboutMessage } from './outbox.ts';
import type { GossipSettings } from './settings.ts';
import type { GossipSource } from './source.ts';

/** An answer, and when it was asked for on the clock of `BlocksUnderway`. */
interface Pending {
  readonly answer: Answer;
  readonly mark: number;
}

export type Request = Message & {
  kind: 'want-blocks' | 'want-metablocks' | 'want-range' | 'want-forks';
};

/** What one peer asked for, answered one after the other: single things before ranges. */
export class AnswerQueue {
  private readonly source: GossipSource;
  private readonly settings: GossipSettings;
  private readonly blocks: BlocksUnderway | null;
  private single: Pending[] = [];
  private ranges: Pending[] = [];

  /** @param blocks What is on its way to the peer already; null where that may be lost. */
  constructor(
    source: GossipSource,
    settings: GossipSettings,
    blocks: BlocksUnderway | null = null,
  ) {
    this.source = source;
    this.settings = settings;
    this.blocks = blocks;
  }

  /** @returns false when too many wait: this one gets no answer, and is asked again. */
  add(request: Request): boolean {
    if (this.single.length + this.ranges.length >= this.settings.requestsMax) return false;
    const mark = this.blocks?.mark ?? 0;
    const queue = request.kind === 'want-range' ? this.ranges : this.single;
    queue.push({ answer: this.answerTo(request), mark });
    return true;
  }

  /** @returns the next thing to send, or null when all is answered. */
  pull(): Outgoing | null {
    for (const queue of [this.single, this.ranges]) {
      while (queue[0] !== undefined) {
        const { answer, mark } = queue[0];
        const step = answer.next();
        if (step.done) queue.shift();
        else if (!this.isUnderway(step.value, mark)) return step.value;
      }
    }
    return null;
  }

  clear(): void {
    this.single = [];
    this.ranges = [];
  }

  private answerTo(request: Request): Answer {
    switch (request.kind) {
      case 'want-blocks':
        return answerBlocks(this.source, request.ids);
      case 'want-metablocks':
        return answerMetablocks(this.source, request.ids);
      case 'want-forks':
        return answerForks(this.source, request.group);
      case 'want-range':
        return answerRange(this.source, request, this.settings);
      default:
        return request satisfies never;
    }
  }

  /** Was the Block on its way when it was asked for, or is it since? */
  private isUnderway({ message }: Outgoing, mark: number): boolean {
    const { block } = aboutMessage(message);
    return block !== undefined && this.blocks?.promise(block, mark) === true;
  }
}
