import type { GossipLog, LogLevel } from './contract.ts';

/** Lines that may come at once, and how often one more may. */
const BURST = 20;
const REFILL_MS = 3_000;

/**
 * Lets a stranger cause a line, but not a flood: beyond a burst the lines are counted, and the next
 * one that gets through says how many were not written.
 */
export class LogBudget {
  private readonly log: GossipLog;
  private readonly nowMs: () => number;
  private lines = BURST;
  private refilledMs: number;
  private unwritten = 0;

  constructor(log: GossipLog, nowMs: () => number) {
    this.log = log;
    this.nowMs = nowMs;
    this.refilledMs = nowMs();
  }

  write(
    level: LogLevel,
    event: string,
    fields: Readonly<Record<string, string | number | boolean>>,
  ): void {
    const refills = Math.floor((this.nowMs() - this.refilledMs) / REFILL_MS);
    if (refills > 0) {
      this.lines = Math.min(BURST, this.lines + refills);
      this.refilledMs += refills * REFILL_MS;
    }
    if (this.lines === 0) {
      this.unwritten += 1;
      return;
    }
    this.lines -= 1;
    this.log(
      level,
      event,
      this.unwritten === 0 ? fields : { ...fields, unwritten: this.unwritten },
    );
    this.unwritten = 0;
  }
}
