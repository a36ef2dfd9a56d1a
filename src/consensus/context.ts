import type { HashFunction } from '../model/bytes.ts';
import type { Priority } from '../model/pact.ts';
import type { AvatarId, PactId } from '../model/sync-group.ts';
import type { Conflicts } from '../ports/conflicts.ts';
import type { Signer, Verifier } from '../ports/signer.ts';
import type { ConsensusSettings } from './events.ts';
import type { VoteRules } from './vote-rules.ts';

/** What the Metablockchain needs from outside; the same for every step. */
export interface ConsensusContext {
  readonly self: AvatarId;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly hash: HashFunction;
  readonly conflicts: Conflicts;
  readonly settings: ConsensusSettings;
  /** Whose Blocks go first; absent: those of all Pacts alike. */
  readonly priorityOf?: (pact: PactId) => Priority;
  /** Observes and neither prepares nor votes, as where a second device has the same key. */
  readonly passive?: boolean;
  /** The rules of voting; others than `VOTE_RULES` only where a test breaks one. */
  readonly rules?: VoteRules;
  /** Do turns count for nothing in the vote? Only where a test shows what they are for. */
  readonly withoutTurns?: boolean;
}
