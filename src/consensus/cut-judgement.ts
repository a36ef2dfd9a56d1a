import {
  CUT_INTERVAL,
  type Cut,
  type CutBody,
  isSameStatement,
  sealCut,
  signersOf,
} from '../model/cut.ts';
import type { Verify } from '../model/hand-over.ts';
import type { Metablock } from '../model/metablock.ts';
import type { AvatarId, SyncGroup } from '../model/sync-group.ts';
import type { FinalizedHead } from './events.ts';
import type { GroupState } from './group-state.ts';
import { isBeyond } from './installation.ts';

/** What came: signatures over a place, or, with its Metablock, a place to begin at. */
export interface CutOffer {
  readonly cut: Cut;
  /** The last Metablock below; null where only signatures are told, and for a sole owner. */
  readonly metablock: Metablock | null;
  /** Does it come as an answer to what was asked of a peer? */
  readonly isAnswer: boolean;
}

/** What is known here about the place that a cut speaks of. */
export interface CutStanding {
  readonly group: SyncGroup;
  /** Of the group's owners. */
  readonly quorum: number;
  /** Is all below that place final here? */
  readonly isReached: boolean;
  /** How things stand there by what is final here; null where it is no place, or not reached. */
  readonly place: CutBody | null;
  /** Owners whose signatures over that place are kept already. */
  readonly signed: readonly AvatarId[];
  /** Undefined for the group of a sole owner, which needs no agreement. */
  readonly state: Readonly<GroupState> | undefined;
}

export type CutJudgement =
  /** Nothing new, or of no use here: another peer may still offer a better one. */
  | { readonly kind: 'known' }
  /** A signature does not hold, or is not an owner's. */
  | { readonly kind: 'forged' }
  /** Signatures over what is final here too, of owners that were not kept. */
  | { readonly kind: 'signed'; readonly cut: Cut }
  /** Owners signed what is not so: their lie, and the truth. */
  | { readonly kind: 'false'; readonly cut: Cut; readonly place: CutBody }
  /** A Quorum vouches for a place beyond all that is here: the group can begin there. */
  | { readonly kind: 'beginning'; readonly head: FinalizedHead | null }
  /** About a place that is not reached here: it will show whether it is true. */
  | { readonly kind: 'ahead'; readonly cut: Cut };

const KNOWN: CutJudgement = { kind: 'known' };

/** Is this a Level at which the owners sign where the group stands? */
export function isCutLevel(level: number): boolean {
  return (level + 1) % CUT_INTERVAL === 0;
}

/**
 * Judges what a peer says about where a group stands. A beginning takes a Quorum of the group's
 * owners: more of them than liars can be, so that one who saw it final is among them; and whoever
 * offers one that is too old, or signed by too few, changes nothing.
 *
 * @source consensus.md 7; features A16.
 */
export function judgeCut(verify: Verify, standing: CutStanding, offer: CutOffer): CutJudgement {
  const { group, place, state } = standing;
  const { cut, metablock, isAnswer } = offer;
  if ((cut.metablock === null) !== (group.owners.length === 1)) return KNOWN;
  if (standing.isReached && place === null) return KNOWN;
  const fresh = place === null ? cut : withoutSigned(cut, standing.signed);
  if (fresh === null) return KNOWN;
  const signers = signersOf(fresh, group.owners, verify);
  if (signers.length < fresh.signatures.length) return { kind: 'forged' };
  if (place !== null) {
    return isSameStatement(fresh, place)
      ? { kind: 'signed', cut: fresh }
      : { kind: 'false', cut: fresh, place };
  }
  const isBeginning = isAnswer && (metablock?.id ?? null) === cut.metablock;
  if (!isBeginning || signers.length < standing.quorum) return { kind: 'ahead', cut: fresh };
  const head = headOf(cut);
  if (head !== null && (state === undefined || !isBeyond(state, head))) return KNOWN;
  return { kind: 'beginning', head };
}

function withoutSigned(cut: Cut, signed: readonly AvatarId[]): Cut | null {
  const fresh = cut.signatures.filter(({ owner }) => !signed.includes(owner));
  return fresh.length === 0 ? null : sealCut(cut, fresh);
}

function headOf(cut: Cut): FinalizedHead | null {
  if (cut.metablock === null) return null;
  const issuers = new Map(
    cut.tips.map(({ issuer, sequence, block }) => [issuer, { sequence, block }] as const),
  );
  return { group: cut.group, metablock: cut.metablock, level: cut.level, issuers, handOver: null };
}
