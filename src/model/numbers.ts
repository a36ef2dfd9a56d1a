/**
 * A Metablock's number in the SIC-DAG: 0 for a first one, else 1 + the highest of its predecessors.
 */
export type Generation = number & { readonly __unit: 'Generation' };

/** The attempt number of a Sync Group. Never falls, is never reset. */
export type Ballot = number & { readonly __unit: 'Ballot' };

/** Place of a Metablock in the chain of one Sync Group: 0 for the first. */
export type Level = number & { readonly __unit: 'Level' };

/** Place of a Block in its Causal Group: 0 none, 1 the first, then +1. */
export type CausalSequence = number & { readonly __unit: 'CausalSequence' };

/** Place of a Finalized Entry in its Sync Group: 1 the first, then +1. */
export type EntrySequence = number & { readonly __unit: 'EntrySequence' };

/** HCG and HFG before the first Metablock, so that Generation 0 can be certified. */
export const NO_GENERATION = -1 as Generation;

export const NO_SEQUENCE = 0 as CausalSequence;
