import type { AvatarId } from '../model/sync-group.ts';

export interface PeerReport {
  readonly avatar: AvatarId | null;
  readonly name: string | null;
  readonly url: string;
  readonly kind: string;
  /** `stand-by`: open and idle, because a better link to the same peer is in use. */
  readonly state: 'connected' | 'stand-by' | 'connecting' | 'waiting';
  readonly upMs: number;
  readonly roundTripMs: number | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Bytes of messages a second in the last minute. */
  readonly sentBytesPerSecond: number;
  readonly receivedBytesPerSecond: number;
  readonly queuedBytes: number;
  /** What the link carries at most, where that is known and little. */
  readonly bytesPerSecond: number | null;
  /** Frames that came damaged, and frames sent again; null where the wire hides it. */
  readonly brokenFrames: number | null;
  readonly repeatedFrames: number | null;
  /** News that the queue did not take, and that the database brings instead. */
  readonly droppedNews: number;
  /**
   * How many times shorter compression made what was sent and received; 1 where the other end does
   * not compress, null where this end does not.
   */
  readonly sentRatio: number | null;
  readonly receivedRatio: number | null;
  readonly lastError: string | null;
}
