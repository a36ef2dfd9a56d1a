import type { ConsensusEvent } from '../consensus/events.ts';
import type { Delivery } from '../gossip/item.ts';
import { LogBudget } from '../gossip/log-budget.ts';
import { signedBytesOf } from '../model/block.ts';
import { equalBytes, fromHex } from '../model/bytes.ts';
import type { Certificate } from '../model/certificate.ts';
import type { ForkProof } from '../model/fork-proof.ts';
import type { Metablock } from '../model/metablock.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { Core } from './core.ts';
import type { Cutting } from './cutting.ts';
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
  private readonly cutting: Cutting;
  private readonly onClone: (turn: Turn) => void;
  /** A forked log goes round for ever: it is no reason to fill the log of this machine. */
  private readonly refusals: LogBudget;

  constructor(
    core: Core,
    parts: {
      readonly deciding: Deciding;
      readonly stacking: Stacking;
      readonly cutting: Cutting;
      /** Something of our own came that this disk does not have. */
      readonly onClone: (turn: Turn) => void;
    },
  ) {
    this.core = core;
    this.deciding = parts.deciding;
    this.stacking = parts.stacking;
    this.cutting = parts.cutting;
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
        if (this.isOursForgotten(turn, item.metablock.issuer, item.metablock)) this.onClone(turn);
        this.decide(turn, delivery, item);
        return;
      case 'certificate':
        if (this.isUnjudged(turn, item.certificate)) return;
        this.decide(turn, delivery, item);
        return;
      case 'ballot-note':
        this.decide(turn, delivery, item);
        return;
      case 'fork-proof':
        this.observeProof(turn, delivery, item.proof);
        return;
      case 'cut':
        this.observeCut(turn, delivery, item);
        return;
      default:
        item satisfies never;
    }
  }

  private observeCut(
    turn: Turn,
    delivery: Delivery,
    item: Extract<Delivery['item'], { kind: 'cut' }>,
  ): void {
    const outcome = this.cutting.observe(turn, delivery, item);
    if (outcome.kind === 'accepted') turn.relays.push(delivery);
    if (outcome.kind !== 'refused') return;
    // Who lags behind passes on what it cannot judge: a false word is its signer's.
    const isSigner = item.cut.signatures.some(({ owner }) => owner === delivery.from);
    if (outcome.reason === 'cut-false' && !isSigner) return;
    turn.blame.push({ peer: delivery.from, reason: outcome.reason });
  }

  private observeBlock(
    turn: Turn,
    delivery: Delivery,
    item: Extract<Delivery['item'], { kind: 'block' }>,
  ): void {
    const outcome = this.stacking.observe(turn, item.block, item.payload);
    if (outcome.kind === 'stacked') turn.relays.push(delivery);
    if (outcome.kind === 'invalid') {
      // The messenger is innocent: it may have known less.
      const { fault } = outcome;
      const { issuer, sequence } = item.block;
      const from = delivery.from;
      this.refusals.write('warn', 'block-invalid', { fault, issuer, sequence, from });
    }
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

  private observeProof(turn: Turn, delivery: Delivery, proof: ForkProof): void {
    const outcome = this.stacking.forking.adopt(turn, proof);
    // Sent on also where it was asked for: it must reach everybody.
    if (outcome === 'new') turn.relays.push({ ...delivery, answer: false });
    if (outcome === 'forged') turn.blame.push({ peer: delivery.from, reason: 'fork-forged' });
    if (outcome === 'new' && proof.author === this.core.self) this.onClone(turn);
  }

  /** What we signed and this disk does not have was promised by a clone, or forgotten. */
  private isOursForgotten(turn: Turn, signer: AvatarId, sealed: Metablock | Certificate): boolean {
    const { self, store, verifier } = this.core;
    if (signer !== self) return false;
    const isHere =
      'id' in sealed
        ? store.metablock(sealed.id) !== null
        : store.certificates(sealed.metablock).some((each) => equalBytes(each.bytes, sealed.bytes));
    if (isHere || !verifier.verify(fromHex(self), signedBytesOf(sealed), sealed.signature)) {
      return false;
    }
    const metablock = 'id' in sealed ? sealed : store.metablock(sealed.metablock);
    return metablock === null || !isBelowFinalized(turn, metablock);
  }

  /**
   * A Certificate of our own for something that is not here: of long ago, when we threw both away,
   * or a clone's. Which of the two, the Metablock tells; it is asked for, with its Certificates.
   *
   * @returns whether it is left aside until then.
   */
  private isUnjudged(turn: Turn, certificate: Certificate): boolean {
    const { certifier, metablock, entries } = certificate;
    if (!this.isOursForgotten(turn, certifier, certificate)) return false;
    const settled = entries.find(
      ({ group }) => (turn.consensus.groups.get(group)?.finalized ?? null) !== null,
    );
    if (settled === undefined || this.core.store.metablock(metablock) !== null) {
      this.onClone(turn);
      return false;
    }
    turn.wants.push({ group: settled.group, blocks: [], metablocks: [metablock] });
    return true;
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

/**
 * Is it below, or beside, what is final in each of its groups that is known? What we made there and
 * have no more, we threw away; whether we did no longer matters.
 */
function isBelowFinalized(turn: Turn, { id, generation, predecessors }: Metablock): boolean {
  const known = predecessors.flatMap(({ group }) => turn.consensus.groups.get(group) ?? []);
  return (
    known.length > 0 &&
    known.every(
      ({ finalized, finalizedGeneration }) =>
        finalized !== null && finalized.metablock !== id && generation <= finalizedGeneration,
    )
  );
}
