import type { ConsensusContext } from '../../src/consensus/metablockchain.ts';
import { VOTE_RULES, type VoteRule } from '../../src/consensus/vote-rules.ts';

/** A rule taken out of the core, to see that the checker notices. */
export type Mutation = Pick<ConsensusContext, 'rules' | 'withoutTurns'>;

export const MUTATION_NAMES = ['V1', 'V2', 'V3a', 'V3b', 'turns'] as const;
export type MutationName = (typeof MUTATION_NAMES)[number];

export function withoutRule(rule: VoteRule): Mutation {
  return { rules: { ...VOTE_RULES, [rule]: () => true } };
}

export function makeMutation(name: MutationName): Mutation {
  return name === 'turns' ? { withoutTurns: true } : withoutRule(name);
}
