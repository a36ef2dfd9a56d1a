import type { ConsensusEvent } from '../../src/consensus/events.ts';
import type { Block } from '../../src/model/block.ts';
import type { SyncGroup } from '../../src/model/sync-group.ts';
import type { Checker } from './checker.ts';
import type { Message } from './message.ts';
import type { SimNode } from './node.ts';
import type { Prng } from './prng.ts';
import type { MemoryPlan } from './scenario.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What a Participant of the simulation finds around it. */
export interface Surroundings {
  readonly time: VirtualTime;
  readonly prng: Prng;
  readonly checker: Checker;
  /** Chances of the faults, asked anew each time. */
  readonly crashChance: () => number;
  readonly peersOf: (node: SimNode) => readonly SimNode[];
  readonly send: (from: SimNode, to: SimNode, message: Message) => void;
  readonly onCrash: (node: SimNode) => void;
  readonly onBlock: (block: Block) => void;
  readonly onFinal: (node: SimNode, block: Block) => void;
  /** An own Block of a group that is over goes on as another. */
  readonly onMoved: (from: Block, to: Block) => void;
  /** A group goes on as another at this Participant. */
  readonly onGroup: (group: SyncGroup) => void;
  /** How many signatures make a cut a beginning. */
  readonly cutQuorum: (group: SyncGroup) => number;
  /** Are approvals judged before a hand-over is voted for? */
  readonly judgesApprovals: boolean;
  /** At how many Levels a group can be cut, and how many Entries are kept; null: no cuts. */
  readonly memory: MemoryPlan | null;
  /** Before each step of the core. */
  readonly onStep: (node: SimNode, event: ConsensusEvent, nowMs: number) => void;
  /** Do accepted items travel on? Only where not everybody reaches everybody. */
  readonly relays: boolean;
  /** Share of Blocks whose Entries come later than their header. */
  readonly headerFirst: number;
}
