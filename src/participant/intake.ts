import type { ConsensusEvent } from '../consensus/events.ts';
import type { Delivery } from '../gossip/item.ts';
import type { Core } from './core.ts';
import type { Deciding } from './deciding.ts';
import type { Stacking } from './stacking.ts';
import type { Turn } from './turn.ts';

/**
 * Hands what peers sent to the room that judges it, and remembers what to relay and whom to blame.
 */
export class Intake {
  private readonly core: Core;
  private readonly deciding: Deciding;
  private readonly stacking: Stacking;

  constructor(core: Core, deciding: Deciding, stacking: Stacking) {
    this.core = core;
    this.deciding = deciding;
    this.stacking = stacking;
  }

  /** Inside the turn's transaction. */
  observe(turn: Turn, delivery: Delivery): void {
    const { item } = delivery;
    switch (item.kind) {
      case 'block':
        this.observeBlock(turn, delivery, item);
        return;
      case 'metablock':
        this.decide(turn, delivery, item);
        return;
      case 'certificate':
        this.decide(turn, delivery, item);
        return;
      case 'ballot-note':
        this.decide(turn, delivery, item);
        return;
      default:
        item satisfies never;
    }
  }

  private observeBlock(
    turn: Turn,
    delivery: Delivery,
    item: Extract<Delivery['item'], { kind: 'block' }>,
  ): void {
    const outcome = this.stacking.observe(turn, item.block, item.payload);
    if (outcome.kind === 'stacked') turn.relays.push(delivery);
    if (outcome.kind !== 'refused') return;
    const { reason, detail } = outcome;
    this.core.log.warn('block-refused', {
      reason,
      ...(detail === undefined ? {} : { detail }),
      issuer: item.block.issuer,
      from: delivery.from,
    });
    // Of a fork and of a clone the messenger is innocent.
    if (reason !== 'block-forked' && reason !== 'block-own-unknown') {
      turn.blame.push({ peer: delivery.from, reason });
    }
  }

  private decide(turn: Turn, delivery: Delivery, event: ConsensusEvent): void {
    for (const effect of this.deciding.run(turn, event)) {
      if (effect.kind === 'accepted') turn.relays.push(delivery);
      if (effect.kind !== 'refused') continue;
      this.core.log.debug('refused', { reason: effect.reason, from: delivery.from });
      if (effect.reason !== 'held-too-many') {
        turn.blame.push({ peer: delivery.from, reason: effect.reason });
      }
    }
  }
}
