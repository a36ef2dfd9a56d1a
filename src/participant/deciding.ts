import type { ConsensusEffect, ConsensusEvent } from '../consensus/events.ts';
import { type ConsensusContext, restore, step } from '../consensus/metablockchain.ts';
import type { BlockId } from '../model/block.ts';
import { concatBytes, toHex32 } from '../model/bytes.ts';
import { invariant } from '../model/invariant.ts';
import type { MetablockId } from '../model/metablock.ts';
import type { Core } from './core.ts';
import type { Projecting } from './projecting.ts';
import { putAlarm, restoreDurable } from './restoring.ts';
import type { Turn, Want } from './turn.ts';

type AlarmEffect = Extract<ConsensusEffect, { kind: 'alarm' }>;
type FinalizeEffect = Extract<ConsensusEffect, { kind: 'finalize' }>;

/** Takes the Metablockchain a step and does what it says, inside the turn's transaction. */
export class Deciding {
  private readonly core: Core;
  private readonly projecting: Projecting;
  private context: ConsensusContext;

  constructor(core: Core, projecting: Projecting) {
    this.core = core;
    this.context = core.consensus;
    this.projecting = projecting;
  }

  /** @returns the effects, already applied. */
  run(turn: Turn, event: ConsensusEvent): ConsensusEffect[] {
    const result = step(this.context, turn.consensus, event, turn.nowMs);
    turn.consensus = result.state;
    for (const effect of result.effects) this.apply(turn, effect);
    return result.effects;
  }

  /**
   * From now on this Participant observes and promises nothing: who may have promised something
   * elsewhere, and does not know what, must not vote.
   */
  stopVoting(turn: Turn): void {
    this.context = { ...this.context, passive: true };
    const durable = restoreDurable(this.core.store, turn.registry.allGroups());
    turn.consensus = restore(this.context, durable, turn.nowMs);
  }

  private apply(turn: Turn, effect: ConsensusEffect): void {
    const { store, log } = this.core;
    switch (effect.kind) {
      case 'store-vote':
        store.putVote(effect.record);
        return;
      case 'store-metablock':
        store.putMetablock(effect.metablock);
        return;
      case 'store-certificate':
        store.putCertificate(effect.certificate);
        return;
      case 'finalize':
        this.finalize(turn, effect);
        return;
      case 'send-metablock':
        turn.sends.push({ kind: 'metablock', metablock: effect.metablock });
        return;
      case 'send-certificate':
        turn.sends.push({ kind: 'certificate', certificate: effect.certificate });
        return;
      case 'send-ballot-note':
        turn.sends.push({ kind: 'ballot-note', note: effect.note });
        return;
      case 'want':
        this.answer(turn, effect);
        return;
      case 'refused':
      case 'accepted':
        return;
      case 'evidence':
        store.putEvidence({
          id: toHex32(this.core.hash(concatBytes(...effect.items))),
          group: effect.group,
          offender: effect.offender,
          kind: 'equivocation',
          items: effect.items,
          seenAtMs: turn.wallMs,
        });
        log.warn('equivocation', { group: effect.group, offender: effect.offender });
        return;
      case 'alarm':
        putAlarm(store, effect.group, effect.metablocks);
        this.keepFork(turn, effect);
        log.error('fork', { group: effect.group, metablocks: effect.metablocks });
        return;
      default:
        effect satisfies never;
    }
  }

  /** Both final rivals with their votes, in one piece: nothing that sweeps must tear it apart. */
  private keepFork(turn: Turn, { group, metablocks }: AlarmEffect): void {
    const { store, hash } = this.core;
    const rival = store.metablock(metablocks.at(-1)!);
    if (rival === null) return;
    const items = metablocks.flatMap((id) => {
      const votes = store.certificates(id).map(({ bytes }) => bytes);
      return [store.metablock(id)?.bytes ?? new Uint8Array(0), ...votes];
    });
    store.putEvidence({
      id: toHex32(hash(concatBytes(...items))),
      group,
      offender: rival.issuer,
      kind: 'fork',
      items,
      seenAtMs: turn.wallMs,
    });
  }

  /**
   * What is wanted may lie here: after a start the Metablockchain knows only what is not final. The
   * rest is asked of peers.
   */
  private answer(turn: Turn, want: Want): void {
    const { store } = this.core;
    const blocks: BlockId[] = [];
    const metablocks: MetablockId[] = [];
    for (const id of want.blocks) {
      const known = turn.answered.has(id) ? null : store.block(id);
      if (known === null || !known.held) blocks.push(id);
      if (known !== null) {
        turn.answered.add(id);
        this.run(turn, { kind: 'block', block: known.block, held: known.held });
      }
    }
    for (const id of want.metablocks) {
      const known = turn.answered.has(id) ? null : store.metablock(id);
      if (known === null) metablocks.push(id);
      else {
        turn.answered.add(id);
        this.run(turn, { kind: 'metablock', metablock: known });
      }
    }
    if (blocks.length + metablocks.length === 0) return;
    turn.wants.push({ group: want.group, blocks, metablocks });
  }

  private finalize(turn: Turn, effect: FinalizeEffect): void {
    const { group: groupId, level } = effect.head;
    const group = turn.registry.group(groupId);
    invariant(group !== undefined, 'a Metablock is final for a known Sync Group');
    turn.generations++;
    const chain = { metablock: effect.metablock.id, level };
    this.projecting.finalize(turn, group, chain, effect.blocks);
    this.changeBranch(turn, effect);
  }

  /** Of a log that forks another branch may have become final than the one that came first. */
  private changeBranch(turn: Turn, { blocks }: FinalizeEffect): void {
    for (const { group, issuer } of blocks) {
      if (turn.forks.proof(group, issuer) === null) continue;
      const tip = this.core.store.tip(group, issuer);
      if (tip !== null) turn.tips.set(group, issuer, { sequence: tip.sequence, block: tip.block });
    }
  }
}
