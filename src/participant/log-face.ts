import type { AvatarId, GroupId } from '../model/sync-group.ts';

/** What may be asked of the logs: every Causal Group is one, its Blocks are the messages. */
export interface LogFace {
  list(): LogReport[];
  /**
   * The last Blocks of one log, ascending; of a log that forks, those of all branches kept here.
   *
   * @param group A group id, or the beginning of one.
   * @param author Name or key prefix, as `peer list` shows; `self` is this Participant.
   * @throws RequestError `group-unknown`, `group-ambiguous`, `owner-unknown`, `owner-ambiguous`
   */
  tail(group: string, author: string, limit: number): LogBlockReport[];
  /** Logs that fork, in the order in which that was found out. */
  forks(): ForkReport[];
  /** Forks known, then those to come, each once, until the signal. */
  followForks(signal: AbortSignal): AsyncIterable<ForkReport>;
}

export interface LogReport {
  readonly group: GroupId;
  readonly pact: string;
  readonly author: AvatarId;
  readonly name: string | null;
  readonly own: boolean;
  /** The last Block that stands here without a gap, or null; of a forked log the one before. */
  readonly last: string | null;
  /** Its causal sequence. */
  readonly sequence: number;
  /** The highest causal sequence that is final. */
  readonly finalSequence: number;
  /** A log with a fork proof shrinks for ever after: it ends before its earliest fork. */
  readonly state: 'growing' | 'shrinking';
  readonly fork: ForkReport | null;
}

/** Proof that an author went on from one place of its log in several ways. */
export interface ForkReport {
  readonly group: GroupId;
  readonly pact: string;
  readonly author: AvatarId;
  readonly name: string | null;
  /** Is it this very Participant's key? Then another device has it, or this one forgot. */
  readonly own: boolean;
  /** Causal sequence of the Blocks that stand beside each other. */
  readonly sequence: number;
  /** What they all follow; null at the beginning of the log. */
  readonly previous: string | null;
  /** Ids of those Blocks. */
  readonly blocks: readonly string[];
  /** Milliseconds since 1970, by this machine's clock. */
  readonly seenAtMs: number;
}

export interface LogBlockReport {
  readonly block: string;
  readonly sequence: number;
  readonly previous: string | null;
  readonly entryCount: number;
  /** The author's clock. */
  readonly atMs: number;
  /** `covered`: at or after a fork, and not final. */
  readonly state: 'final' | 'pending' | 'covered';
  /** Are its Entries here? */
  readonly held: boolean;
}
