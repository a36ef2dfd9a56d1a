import type { ConsensusContext } from '../../src/consensus/metablockchain.ts';
import { VOTE_RULES, type VoteRule } from '../../src/consensus/vote-rules.ts';

/** A rule taken out, to see that the checker notices. */
export interface Mutation extends Pick<ConsensusContext, 'rules' | 'withoutTurns'> {
  /** A group can begin at a cut that one owner signed. */
  readonly withoutCutQuorum?: boolean;
  /** A hand-over is voted for whoever approved of it. */
  readonly withoutApprovals?: boolean;
}

export const MUTATION_NAMES = ['V1', 'V2', 'V3a', 'V3b', 'turns', 'cuts', 'approvals'] as const;
export type MutationName = (typeof MUTATION_NAMES)[number];

export function withoutRule(rule: VoteRule): Mutation {
  return { rules: { ...VOTE_RULES, [rule]: () => true } };
}

export function makeMutation(name: MutationName): Mutation {
  switch (name) {
    case 'turns':
      return { withoutTurns: true };
    case 'cuts':
      return { withoutCutQuorum: true };
    case 'approvals':
      return { withoutApprovals: true };
    default:
      return withoutRule(name);
  }
}
