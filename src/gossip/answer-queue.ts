import {
  type Answer,
  answerBlocks,
  answerForks,
  answerMetablocks,
  answerRange,
  type Outgoing,
} from './answers.ts';
import type { Message } from './messages.ts';
import type { GossipSettings } from './settings.ts';
import type { GossipSource } from './source.ts';

export type Request = Message & {
  kind: 'want-blocks' | 'want-metablocks' | 'want-range' | 'want-forks';
};

/** What one peer asked for, answered one after the other: single things before ranges. */
export class AnswerQueue {
  private readonly source: GossipSource;
  private readonly settings: GossipSettings;
  private single: Answer[] = [];
  private ranges: Answer[] = [];

  constructor(source: GossipSource, settings: GossipSettings) {
    this.source = source;
    this.settings = settings;
  }

  /** @returns false when too many wait: this one gets no answer, and is asked again. */
  add(request: Request): boolean {
    if (this.single.length + this.ranges.length >= this.settings.requestsMax) return false;
    if (request.kind === 'want-blocks') {
      this.single.push(answerBlocks(this.source, request.ids));
    } else if (request.kind === 'want-metablocks') {
      this.single.push(answerMetablocks(this.source, request.ids));
    } else if (request.kind === 'want-forks') {
      this.single.push(answerForks(this.source, request.group));
    } else {
      this.ranges.push(answerRange(this.source, request, this.settings));
    }
    return true;
  }

  /** @returns the next thing to send, or null when all is answered. */
  pull(): Outgoing | null {
    for (const queue of [this.single, this.ranges]) {
      while (queue[0] !== undefined) {
        const step = queue[0].next();
        if (!step.done) return step.value;
        queue.shift();
      }
    }
    return null;
  }

  clear(): void {
    this.single = [];
    this.ranges = [];
  }
}
