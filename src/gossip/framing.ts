import type { Priority } from '../model/pact.ts';
import type { Verdict } from '../model/verdict.ts';
import type { Timers } from '../ports/clock.ts';
import type { Link, LinkRepairs } from '../ports/link.ts';
import type { BlocksUnderway } from './blocks-underway.ts';
import type { CompressionRefusal } from './compression.ts';
import type { AssemblyRoom, FragmentRefusal, Tenant } from './fragment.ts';
import type { Lane } from './messages.ts';
import type { About, OutboxPace, Way } from './outbox.ts';

/** What waits to be sent over one link, and how it is put into frames. */
export interface Outgoing {
  readonly urgentBytes: number;
  readonly bulkBytes: number;
  /** Parts sent again because the link loses some; absent where it loses none. */
  readonly repeated?: number;
  bulkBytesOf(priority: Priority): number;
  /** How an item goes that nobody asked for; null where its queue is full. */
  laneFor(item: Uint8Array, priority: Priority): Way | null;
  /** Of what waits and has left; absent where messages may be lost on their way. */
  readonly blocks?: BlocksUnderway;
  push(way: Way, message: Uint8Array, about?: About): void;
  /** Gives up what waits in a lane. @param whole Also what has begun to leave. */
  take(lane: Lane, whole: boolean): Uint8Array[];
  /**
   * @param isQuiet Send nothing that can wait.
   * @returns the bytes used; 0 when nothing is to be sent now.
   */
  fill(frame: Uint8Array, isQuiet?: boolean): number;
}

/** Why no honest end sends such a frame. */
export type FrameReadRefusal = FragmentRefusal | CompressionRefusal;

/** Puts the messages of one peer together again. */
export interface Incoming {
  /** @returns the messages that the frame completes, or why the link must end. */
  read(frame: Uint8Array): Verdict<Uint8Array[], FrameReadRefusal>;
  /** What has come of a bulk message that is not whole yet; absent or empty where none is. */
  readonly unfinished?: Uint8Array;
  /** Gives back the room that unfinished messages take. */
  drop(): void;
}

export interface FramingParts {
  readonly timers: Timers;
  readonly room: AssemblyRoom;
  readonly tenant: Tenant;
  readonly pace: OutboxPace;
  /** There is something to send, though nothing was pushed. */
  readonly wake: () => void;
  /** Something was lost that is not sent again. */
  readonly onLoss: () => void;
}

/** What went wrong on a link and was mended, be it by the link itself or above it. */
export function repairsOf({ repairs }: Link, { repeated = 0 }: Outgoing): LinkRepairs | null {
  return repairs && { broken: repairs.broken, repeated: repairs.repeated + repeated };
}
