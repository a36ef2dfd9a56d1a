import type { ConsensusState } from '../consensus/metablockchain.ts';
import { CausalTips } from '../dataflow/block-stack.ts';
import type { Delivery, GossipItem } from '../gossip/item.ts';
import type { Block, BlockId } from '../model/block.ts';
import type { MetablockId } from '../model/metablock.ts';
import type { AvatarId, GroupId, PactId } from '../model/sync-group.ts';
import { KnownForks } from './known-forks.ts';
import type { RefusedLogs } from './refused-logs.ts';
import { Registry } from './registry.ts';

/** A part that a decision waits for. */
export interface Want {
  readonly group: GroupId;
  readonly blocks: readonly BlockId[];
  readonly metablocks: readonly MetablockId[];
}

/** What became final in a turn, for counters and followers. */
export interface FinalizedBlock {
  readonly group: GroupId;
  readonly block: BlockId;
  readonly issuer: AvatarId;
  readonly entryCount: number;
}

/** A Sync Group whose Pact has not come yet. */
export interface WaitingGroup {
  readonly pact: PactId;
  readonly owners: readonly AvatarId[];
}

/** What a Participant decides from; replaced as a whole when a turn's commit succeeded. */
export interface Memory {
  readonly tips: CausalTips;
  readonly registry: Registry;
  readonly forks: KnownForks;
  readonly refused: RefusedLogs;
  consensus: ConsensusState;
  waiting: readonly WaitingGroup[];
}

/**
 * One pass of the loop: everything it changes stays here until the store has committed, then it is
 * merged, and only then sent. A turn that is dropped has never been.
 *
 * @source architecture: persist, then speak.
 */
export class Turn {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly tips: CausalTips;
  readonly registry: Registry;
  readonly forks: KnownForks;
  consensus: ConsensusState;
  waiting: readonly WaitingGroup[];

  /** Own things and others', in the order in which they were made durable. */
  readonly sends: GossipItem[] = [];
  /** What peers sent and was judged good. */
  readonly relays: Delivery[] = [];
  /** Who sent what an honest Participant does not. */
  readonly blame: { readonly peer: AvatarId; readonly reason: string }[] = [];
  readonly wants: Want[] = [];
  /** Invalid Blocks that would have continued their logs. */
  readonly refused: Block[] = [];
  /** Wanted things that were found here, so that each is handed in once. */
  readonly answered = new Set<string>();
  readonly finalized: FinalizedBlock[] = [];
  /** Groups in which something became final. */
  readonly settled = new Set<GroupId>();
  /** Metablocks that became final for some group. */
  generations = 0;
  readonly afterCommit: (() => void)[] = [];

  private readonly memory: Memory;

  constructor(memory: Memory, nowMs: number, wallMs: number) {
    this.memory = memory;
    this.nowMs = nowMs;
    this.wallMs = wallMs;
    this.tips = new CausalTips(memory.tips);
    this.registry = new Registry(memory.registry);
    this.forks = new KnownForks(memory.forks);
    this.consensus = memory.consensus;
    this.waiting = memory.waiting;
  }

  /** The commit succeeded: what the turn decided now holds. */
  merge(): void {
    this.tips.merge();
    this.registry.merge();
    this.forks.merge();
    for (const block of this.refused) this.memory.refused.add(block);
    this.memory.consensus = this.consensus;
    this.memory.waiting = this.waiting;
    for (const act of this.afterCommit) act();
  }
}
