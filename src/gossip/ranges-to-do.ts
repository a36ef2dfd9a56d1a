import { PRIORITIES, type Priority } from '../model/pact.ts';
import type { Range } from './messages.ts';

/** What one peer has and we lack, the next to ask for first, within each priority. */
export class RangesToDo {
  private readonly rows: Readonly<Record<Priority, Range[]>> = { high: [], normal: [], low: [] };

  constructor(
    ranges: readonly Range[] = [],
    priorityOf: (range: Range) => Priority = () => 'normal',
  ) {
    for (const range of ranges.toReversed()) this.rows[priorityOf(range)].push(range);
  }

  /** @param isFull Priorities of which no more may be asked for now. */
  next(isFull: (priority: Priority) => boolean): Range | undefined {
    for (const priority of PRIORITIES) {
      const range = isFull(priority) ? undefined : this.rows[priority].pop();
      if (range !== undefined) return range;
    }
    return undefined;
  }
}
