import type { Priority } from '../model/pact.ts';
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

/** What of one priority was asked for: single things before ranges. */
interface Waiting {
  readonly single: Pending[];
  readonly ranges: Pending[];
}

/** What one peer asked for, answered one after the other within each priority. */
export class AnswerQueue {
  private readonly source: GossipSource;
  private readonly settings: GossipSettings;
  private readonly blocks: BlocksUnderway | null;
  private readonly waiting: Readonly<Record<Priority, Waiting>> = {
    high: { single: [], ranges: [] },
    normal: { single: [], ranges: [] },
    low: { single: [], ranges: [] },
  };

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
    if (this.count >= this.settings.requestsMax) return false;
    const mark = this.blocks?.mark ?? 0;
    const { single, ranges } = this.waiting[this.priorityOf(request)];
    const queue = request.kind === 'want-range' ? ranges : single;
    queue.push({ answer: this.answerTo(request), mark });
    return true;
  }

  /** @returns the next thing of this priority to send, or null when all of it is answered. */
  pull(priority: Priority): Outgoing | null {
    const { single, ranges } = this.waiting[priority];
    for (const queue of [single, ranges]) {
      while (queue[0] !== undefined) {
        const { answer, mark } = queue[0];
        const step = answer.next();
        if (step.done) queue.shift();
        else if (!this.isUnderway(step.value, mark)) return step.value;
      }
    }
    return null;
  }

  private get count(): number {
    const all = Object.values(this.waiting);
    return all.reduce((count, { single, ranges }) => count + single.length + ranges.length, 0);
  }

  private priorityOf(request: Request): Priority {
    if (request.kind === 'want-range') return this.source.priorityOf(request.group);
    // Votes wait for Metablocks and fork proofs, whatever they are about.
    if (request.kind !== 'want-blocks') return 'high';
    // What is asked for at once is of one priority; of what is not here it does not matter.
    for (const id of request.ids) {
      const block = this.source.block(id);
      if (block !== null) return this.source.priorityOf(block.group);
    }
    return 'normal';
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
