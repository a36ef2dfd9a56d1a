import { OWNERS_MAX } from '../model/sync-group.ts';
import type { ConsensusSettings } from './events.ts';

/** What an agent starts with where nobody says otherwise. @source consensus.md 2, 4, 5. */
export const DEFAULT_SETTINGS: ConsensusSettings = {
  predecessorsMax: 64,
  blocksPerMetablockMax: 1024,
  turnMs: 40,
  prepareIntervalMs: 100,
  prepareBlockCount: 100,
  ballotTimeoutMs: 250,
  ballotTimeoutMaxMs: 30_000,
  candidatesPerIssuerMax: 4,
  heldMax: 1024,
};

/** Bounds and times that nobody needs to configure; milliseconds and counts. */
export const CONSENSUS_LIMITS = {
  /** A missing part may be on its way: it is asked for after this time only. */
  wantDelayMs: 15,
  /** Then asked for again after this time, doubled each time up to `wantRetryMaxMs`. */
  wantRetryMs: 250,
  wantRetryMaxMs: 10_000,
  /** Asked for so often, what waits is dropped unless a vote here, or an honest one, needs it. */
  wantAttemptsMax: 8,
  /** Ids of each kind in one `want`. */
  wantIdsMax: 256,
  /**
   * Held Metablocks of one group beyond which their predecessors come by catching up, not by want.
   */
  wantChainMax: 32,
  /** Block Headers of one issuer and group that are not final. */
  pendingBlocksMax: 65_536,
  /** Least room for undecided Metablocks of one issuer in a group: a chunk of catching up fits. */
  undecidedMin: 128,
  /**
   * Finalized Metablocks of a group whose ids are remembered, so that late news of them is quiet.
   */
  recentFinalMax: 64,
  /** Metablocks of a group remembered as rivals of a finalized one, too old, or malformed. */
  dismissedMax: 128,
  /** Blocks remembered by their group alone: finalized ones, and those of foreign groups. */
  foreignBlocksMax: 16_384,
  /** Ballots at which one owner's votes for one Metablock are kept. */
  ballotsPerVoterMax: 16,
  /** How far above one's own a Ballot may be. */
  ballotJumpMax: 2 ** 32,
  /** Above it a Ballot is followed one by one: none ever comes to 2^53. */
  ballotMax: 2 ** 52,
  /** Doublings of the time-out; the bound of the time-out itself is reached long before. */
  timeoutDoublingsMax: 24,
  ownersMax: OWNERS_MAX,
} as const;
