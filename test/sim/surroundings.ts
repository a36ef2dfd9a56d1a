import type { Block } from '../../src/model/block.ts';
import type { Checker } from './checker.ts';
import type { Message } from './message.ts';
import type { SimNode } from './node.ts';
import type { Prng } from './prng.ts';
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
  /** Do accepted items travel on? Only where not everybody reaches everybody. */
  readonly relays: boolean;
  /** Share of Blocks whose Entries come later than their header. */
  readonly headerFirst: number;
}
