import type { Block, BlockId } from '../model/block.ts';
import type { CausalSequence } from '../model/numbers.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';

/** A message of a log is a Block; its id, the hash of all of it, refers to it and proves it. */
export type MessageId = BlockId;

/**
 * What a log sees of a Block Header; a `Block` is one as it stands. Author is `issuer`, index is
 * `sequence`, payload is whatever the bytes sign besides.
 *
 * @source features E1; 2P-BFT-Log, table 1.
 */
export type LogMessage = Pick<
  Block,
  'id' | 'group' | 'issuer' | 'sequence' | 'previous' | 'dependencies' | 'signature' | 'bytes'
>;

/** Names one log: a Causal Group, so a Sync Group and one of its owners. */
export interface LogName {
  readonly group: GroupId;
  readonly author: AvatarId;
}

/**
 * The valid messages that are known here. Everything in this room reads history through it and
 * keeps none: a store satisfies it with two look-ups.
 *
 * What it answers is valid, and so are all that come before it; older ones may be gone from the
 * disk, which ends a walk as `unknown`.
 */
export interface LogHistory {
  /** A message on any branch. */
  message(id: MessageId): LogMessage | undefined;

  /**
   * The message at a place of the one branch that the store keeps in order (its stacked Blocks);
   * undefined beyond its ends. Each is the `previous` of the next. It makes a walk as long as the
   * branch beside the trunk instead of the whole log; a history without one always answers
   * undefined.
   */
  trunkAt(log: LogName, sequence: CausalSequence): MessageId | undefined;
}

/** A history and some messages that no store holds yet, such as one that has just arrived. */
export function historyWith(history: LogHistory, messages: readonly LogMessage[]): LogHistory {
  return {
    message: (id) => messages.find((each) => each.id === id) ?? history.message(id),
    trunkAt: (log, sequence) => history.trunkAt(log, sequence),
  };
}
