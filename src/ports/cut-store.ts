import type { Cut, CutBody } from '../model/cut.ts';
import type { Metablock } from '../model/metablock.ts';
import type { EntrySequence } from '../model/numbers.ts';
import type { GroupId } from '../model/sync-group.ts';

/** Where groups may be cut and were cut. Part of `Store`: what holds there holds here. */
export interface CutStore {
  /**
   * Notes that the group stands here now, so that it may be cut here once a Quorum signed.
   *
   * @param atMs The issuer's clock at the last Block below.
   */
  putCutPlace(body: CutBody, atMs: number): void;
  /** Adds signatures to a place that was noted; of each owner the first. */
  signCut(cut: Cut): void;
  /** The place after this Entry, with whatever signatures are here; null where none are. */
  cutAt(group: GroupId, lastSequence: EntrySequence): Cut | null;
  /** The statement that was noted there, signed or not. */
  cutPlace(group: GroupId, lastSequence: EntrySequence): CutBody | null;

  /** The cut below which nothing is here; null where all is. */
  base(group: GroupId): Cut | null;
  /**
   * The newest certified place that is beyond one of the bounds, above the present base; null for
   * none.
   */
  beyond(group: GroupId, bounds: CutBounds): Cut | null;
  /** From now on what lies below counts as gone; `sweep` throws it away, rows included. */
  cutBelow(cut: Cut): void;
  /**
   * Takes a certified cut for the place where the group stands, without what is below. Rows from
   * before stay until the group is cut again.
   *
   * @param metablock That of the cut; null for a sole owner's group.
   */
  installCut(cut: Cut, metablock: Metablock | null): void;
  extent(group: GroupId): GroupExtent;
}

/** A place is beyond a bound where it is at or below it; null: no such bound. */
export interface CutBounds {
  readonly lastSequence: number | null;
  /** Bytes of Blocks below it, counted from the first ever. */
  readonly bytes: number | null;
  readonly atMs: number | null;
}

export interface GroupExtent {
  /** The first Entry that is still here. */
  readonly first: EntrySequence;
  readonly last: EntrySequence;
  /** Bytes of final Blocks since the first ever, and of those below the base. */
  readonly bytes: number;
  readonly bytesBelow: number;
}
