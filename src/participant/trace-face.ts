import type { AvatarId, GroupId } from '../model/sync-group.ts';

/** One Finalized Entry, and which owners of its Sync Group are known to have it. @source F7 */
export interface TraceReport {
  readonly pact: string;
  readonly group: GroupId;
  readonly sequence: number;
  readonly block: string;
  /** Place in its Block, from 0. */
  readonly index: number;
  readonly issuer: AvatarId;
  readonly issuerName: string | null;
  readonly atMs: number;
  /** The Metablock that made it final; null in a group of one owner. */
  readonly metablock: string | null;
  readonly owners: readonly TraceOwner[];
}

export interface TraceOwner {
  readonly avatar: AvatarId;
  readonly name: string | null;
  /**
   * How it is known that the owner has the Entry: it is this Participant, it issued the Entry, it
   * certified the Metablock, or it is linked and its digest says so. `unknown`: no such word is
   * here.
   */
  readonly state: 'here' | 'issued' | 'certified' | 'holds' | 'unknown';
}
