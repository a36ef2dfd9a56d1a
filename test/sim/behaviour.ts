import type { Message } from './message.ts';
import type { SimNode } from './node.ts';
import type { Prng } from './prng.ts';

/** How an owner behaves that does not follow the voting policy. */
export interface Behaviour {
  /** Does one thing, or nothing. */
  act(node: SimNode, prng: Prng): void;
}

/**
 * How a Byzantine owner behaves. It runs the production core beside, which nobody judges; what the
 * core says goes through `speak`, and what it hears is shown to `hear` first.
 */
export interface Liar extends Behaviour {
  /** What goes to one peer in place of a message; the message itself where this is absent. */
  speak?(node: SimNode, to: SimNode, message: Message, prng: Prng): readonly Message[];
  hear?(node: SimNode, message: Message): void;
}
