import type { ConsensusEvent } from '../consensus/events.ts';
import type { Delivery } from '../gossip/item.ts';
import { LogBudget } from '../gossip/log-budget.ts';
import { signedBytesOf } from '../model/block.ts';
import { equalBytes, fromHex } from '../model/bytes.ts';
import type { Certificate } from '../model/certificate.ts';
import type { Metablock } from '../model/metablock.ts';
import type { AvatarId } from '../model/sync-group.ts';
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
  private readonly onClone: (turn: Turn) => void;
  /** A forked log goes round for ever: it is no reason to fill the log of this machine. */
  private readonly refusals: LogBudget;

  constructor(
    core: Core,
    parts: {
      readonly deciding: Deciding;
      readonly stacking: Stacking;
      /** Something of our own came that this disk does not have. */
      readonly onClone: (turn: Turn) => void;
    },
  ) {
    this.core = core;
    this.deciding = parts.deciding;
    this.stacking = parts.stacking;
    this.onClone = parts.onClone;
    this.refusals = new LogBudget(
      (level, event, fields) => core.log[level](event, fields),
      () => core.timers.monotonicMs(),
    );
  }

  /** Inside the turn's transaction. */
  observe(turn: Turn, delivery: Delivery): void {
    const { item } = delivery;
    switch (item.kind) {
      case 'block':
        this.observeBlock(turn, delivery, item);
        return;
      case 'metablock':
        this.recognize(turn, item.metablock.issuer, item.metablock);
        this.decide(turn, delivery, item);
        return;
      case 'certificate':
        this.recognize(turn, item.certificate.certifier, item.certificate);
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
    this.refusals.write('warn', 'block-refused', {
      reason,
      ...(detail === undefined ? {} : { detail }),
      issuer: item.block.issuer,
      from: delivery.from,
    });
    // Of a fork the messenger is innocent.
    if (reason !== 'block-forked') turn.blame.push({ peer: delivery.from, reason });
  }

  /** What we signed and this disk does not have was promised by a clone, or forgotten. */
  private recognize(turn: Turn, signer: AvatarId, sealed: Metablock | Certificate): void {
    const { self, store, verifier } = this.core;
    if (signer !== self) return;
    const isHere =
      'id' in sealed
        ? store.metablock(sealed.id) !== null
        : store.certificates(sealed.metablock).some((each) => equalBytes(each.bytes, sealed.bytes));
    if (isHere) return;
    if (verifier.verify(fromHex(self), signedBytesOf(sealed), sealed.signature)) this.onClone(turn);
  }

  private decide(turn: Turn, delivery: Delivery, event: ConsensusEvent): void {
    for (const effect of this.deciding.run(turn, event)) {
      if (effect.kind === 'accepted') turn.relays.push(delivery);
      if (effect.kind !== 'refused') continue;
      this.core.log.debug('refused', { reason: effect.reason, from: delivery.from });
      // A messenger answers for what it could judge: its own words, and whose signature is false.
      const isItsFault = effect.by === null || effect.by === delivery.from;
      if (isItsFault && effect.reason !== 'held-too-many') {
        turn.blame.push({ peer: delivery.from, reason: effect.reason });
      }
    }
  }
}
