/**
 * The SIC-DAG checks that run over packed sets of ids.
 *
 * A window is the part of one Sync Group's tree of Metablocks that a decision looks at: node `i`
 * has the predecessor `predecessors[i]`, an index below `i`, or -1 where the window begins.
 *
 * Every method throws RangeError when an index is out of bounds or a packed array has a wrong
 * length.
 *
 * @source consensus.md 1 («on one chain, rivals»), 2 (rule 3); features A12, A20, A21.
 */
export interface Conflicts {
  /**
   * Is node `ancestor` on the way from node `descendant` to its root? A node is not its own
   * ancestor.
   */
  isAncestor(predecessors: Int32Array, ancestor: number, descendant: number): boolean;

  /** Neither the same node, nor one an ancestor of the other. */
  areRivals(predecessors: Int32Array, a: number, b: number): boolean;

  /**
   * The first node, in window order, that is a rival of node `of`.
   * @returns its index, or -1.
   */
  firstRival(predecessors: Int32Array, of: number): number;

  /**
   * The first id that stands a second time.
   * @param ids 32 bytes each.
   * @returns the index of the second standing, or -1.
   */
  firstDuplicate(ids: Uint8Array): number;

  /**
   * The first Block that does not continue its Causal Group by exactly 1.
   *
   * @param issuers Per Block, in order: a small index of its issuer.
   * @param sequences Per Block: its causal sequence, below 2^53.
   * @param highest Per issuer index: the highest causal sequence before these Blocks (HFCS, 0 if
   * none).
   * @returns the index of the Block, or -1. `highest` is not changed.
   */
  firstGap(issuers: Uint32Array, sequences: Float64Array, highest: Float64Array): number;

  /**
   * Chooses at most `max` parents: those with the highest Issuing Hashes (compared as big-endian
   * numbers), ties to the lower index.
   *
   * @param issuingHashes 32 bytes each.
   * @returns the chosen indices, highest Issuing Hash first.
   * @source features A21; seed 000, 6930.
   */
  chooseParents(issuingHashes: Uint8Array, max: number): Uint32Array;
}
